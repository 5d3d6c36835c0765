/** Your own data trained on without code: chosen or uploaded, profiled, a column to predict, and the settings of the recipe that learns from it. */
import { useEffect, useState } from "preact/hooks";
import { type Fork, type OwnData, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { DataChoice } from "./data-choice.tsx";
import { DataProfile, Preview } from "./data-profile.tsx";
import { changedOf, Fields, type Filled, NotInForm, settingsOf } from "./fields.tsx";
import { Said, type SaidText, Start } from "./start.tsx";

const textOf = (value: unknown): string => (typeof value === "string" && value !== "auto" ? value : "");

export function DataForm({ fork }: { fork: Fork | undefined }) {
  const say = useSay();
  const [path, setPath] = useState(fork?.data ?? "");
  const [target, setTarget] = useState(textOf(fork?.settings["target"]));
  const [task, setTask] = useState(textOf(fork?.settings["task"]));
  const [data, setData] = useState<OwnData>();
  const [filled, setFilled] = useState<Filled>({});
  const [said, setSaid] = useState<SaidText>();
  useEffect(() => {
    if (path === "") return setData(undefined);
    let isLatest = true;
    studio.look({ path, target, task }).then(
      (found) => {
        if (!isLatest) return;
        // Another recipe has other settings.
        if (found.recipe !== data?.recipe) setFilled(settingsOf(found.fields, fork));
        setData(found);
        setSaid(undefined);
      },
      (error: Error) => {
        if (!isLatest) return;
        setData(undefined);
        setSaid({ text: say("failed", { message: error.message }), isWrong: true });
      },
    );
    return () => {
      isLatest = false;
    };
  }, [path, target, task]);
  const { table, recipe = "", because = "", fields = [], tasks = [] } = data ?? {};
  const columns = table?.columns.map(({ name }) => name) ?? [];
  return (
    <form class="panel" onSubmit={(event) => event.preventDefault()}>
      <DataChoice
        path={path}
        onChoose={(chosen) => {
          setPath(chosen);
          setTarget("");
          setTask("");
        }}
      />
      <Said said={said} />
      {data && (
        <>
          <p>{say("takenFor", { because, recipe })}</p>
          <div class="fields">
            {data.hasTarget && (
              <div class="field">
                <label for="target">{say("target")}</label>
                {columns.length > 0 && recipe !== "series" ? (
                  <select id="target" value={target} onChange={({ currentTarget }) => setTarget(currentTarget.value)}>
                    <option value="">({say("targetByName")})</option>
                    {columns.map((name) => (
                      <option key={name} value={name}>
                        {name}
                      </option>
                    ))}
                  </select>
                ) : (
                  <input id="target" value={target} onChange={({ currentTarget }) => setTarget(currentTarget.value)} />
                )}
              </div>
            )}
            <div class="field">
              <label for="task">{say("task")}</label>
              <select id="task" value={task} onChange={({ currentTarget }) => setTask(currentTarget.value)}>
                <option value="">({say("byData")})</option>
                {tasks.map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            </div>
          </div>
          <Preview data={data} />
          <DataProfile path={path} target={columns.includes(target) ? target : ""} />
          <h2>{say("settings")}</h2>
          <NotInForm fields={fields} fork={fork} />
          <Fields key={recipe} fields={fields} filled={filled} onChange={setFilled} />
        </>
      )}
      <Start
        isReady={data !== undefined}
        fork={fork}
        onStart={(where) => studio.trainOnData({ path, target, task, settings: changedOf(fields, filled), ...where })}
      />
    </form>
  );
}
