/** A pretrained model trained on your own data: what would be trained and what it takes is shown first. */
import { useEffect, useState } from "preact/hooks";
import { type FinetuneChoice, type Fork, type FormField, type RunSummary, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { DataChoice } from "./data-choice.tsx";
import { changedOf, Fields, type Filled, NotInForm, settingsOf } from "./fields.tsx";
import { Said, type SaidText, Start } from "./start.tsx";

export function FinetuneForm({ fork, runs }: { fork: Fork | undefined; runs: readonly RunSummary[] }) {
  const say = useSay();
  const [fields, setFields] = useState<readonly FormField[]>([]);
  const [cached, setCached] = useState<readonly string[]>([]);
  const [base, setBase] = useState(fork?.base ?? "");
  const [data, setData] = useState(fork?.data ?? "");
  const [filled, setFilled] = useState<Filled>({});
  const [dry, setDry] = useState<{ readonly text: string; readonly command: string; readonly of: string }>();
  const [said, setSaid] = useState<SaidText>();
  const fail = (error: Error) => setSaid({ text: say("failed", { message: error.message }), isWrong: true });
  useEffect(() => {
    studio.finetuneForm().then((form) => {
      setFields(form.fields);
      setCached(form.cached);
      setFilled(settingsOf(form.fields, fork));
    }, fail);
  }, []);
  const choice: FinetuneChoice = { base: base.trim(), data, settings: changedOf(fields, filled) };
  const isWhole = choice.base !== "" && data !== "";
  const asked = JSON.stringify(choice);
  const look = () => {
    setSaid({ text: say("dryRunning"), isWrong: false });
    setDry(undefined);
    studio.dryRun(choice).then((shown) => {
      setDry({ ...shown, of: asked });
      setSaid(undefined);
    }, fail);
  };
  return (
    <form class="panel" onSubmit={(event) => event.preventDefault()}>
      <div class="field">
        <label for="base">{say("base")}</label>
        <input id="base" list="bases" value={base} onInput={({ currentTarget }) => setBase(currentTarget.value)} />
        <datalist id="bases">
          {[...runs.flatMap(({ id, recipe }) => (recipe === undefined ? [] : [id])), ...cached].map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </div>
      <DataChoice path={data} onChoose={setData} />
      {fields.length > 0 && <NotInForm fields={fields} fork={fork} />}
      <Fields fields={fields} filled={filled} onChange={setFilled} />
      <div class="row">
        <button type="button" disabled={!isWhole} onClick={look}>
          {say("dryRun")}
        </button>
        {dry?.of !== asked && <span class="soft">{say("dryRunFirst")}</span>}
      </div>
      <Said said={said} />
      {dry && (
        <>
          <pre>{dry.text}</pre>
          <p class="soft">
            {say("sameCommand")} <code>{dry.command}</code>
          </p>
        </>
      )}
      <Start isReady={dry?.of === asked} fork={fork} onStart={(where) => studio.finetune({ ...choice, ...where })} />
    </form>
  );
}
