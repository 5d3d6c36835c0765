/** Data to train on: chosen of the studio's folder, or uploaded into it. */
import { useEffect, useState } from "preact/hooks";
import { studio } from "../shared/api.ts";
import { useDrop } from "../shared/drop.ts";
import { useSay } from "../shared/language.ts";
import { Said, type SaidText } from "./start.tsx";
import { beyond, type ChosenFile, chosenFiles, dataSetOf, droppedFiles, upload } from "./upload.ts";

export function DataChoice({ path, onChoose }: { path: string; onChoose: (path: string) => void }) {
  const say = useSay();
  const [offered, setOffered] = useState<readonly string[]>([]);
  const [name, setName] = useState("");
  const [said, setSaid] = useState<SaidText>();
  const fail = (message: string) => setSaid({ text: say("failed", { message }), isWrong: true });
  const refresh = () =>
    studio.data().then(
      ({ data }) => setOffered(data),
      (error: Error) => fail(error.message),
    );
  useEffect(() => {
    refresh();
  }, []);
  const take = async (chosen: readonly ChosenFile[]) => {
    const set = dataSetOf(chosen);
    const tooMuch = beyond(set.files);
    if (set.files.length === 0) return fail(say("noFiles"));
    if (tooMuch !== undefined) return fail(say("tooMuch", { size: tooMuch }));
    const tell = (done: number) => setSaid({ text: say("uploading", { done, all: set.files.length }), isWrong: false });
    tell(0);
    try {
      onChoose(await upload(name.trim() || set.name, set.files, tell));
      setSaid(undefined);
      await refresh();
    } catch (error) {
      fail((error as Error).message);
    }
  };
  const drop = useDrop((dropped) => droppedFiles(dropped).then(take, (error: Error) => fail(error.message)));
  const takeOf = (input: HTMLInputElement) => {
    void take(chosenFiles(input.files));
    // So that the same may be chosen again, where it was refused.
    input.value = "";
  };
  const choices = path === "" || offered.includes(path) ? offered : [path, ...offered];
  return (
    <fieldset {...drop}>
      <legend>{say("data")}</legend>
      <div class="fields">
        <div class="field">
          <label for="offered-data">{say("chooseData")}</label>
          <select id="offered-data" value={path} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
            <option value="" />
            {choices.map((own) => (
              <option key={own} value={own}>
                {own}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for="upload-files">{say("uploadFiles")}</label>
          <input id="upload-files" type="file" multiple onChange={({ currentTarget }) => takeOf(currentTarget)} />
        </div>
        <div class="field">
          <label for="upload-folder">{say("uploadFolder")}</label>
          <input
            id="upload-folder"
            type="file"
            ref={(input) => input?.setAttribute("webkitdirectory", "")}
            onChange={({ currentTarget }) => takeOf(currentTarget)}
          />
        </div>
        <div class="field">
          <label for="set-name">{say("setName")}</label>
          <input
            id="set-name"
            value={name}
            maxLength={100}
            onInput={({ currentTarget }) => setName(currentTarget.value)}
          />
        </div>
      </div>
      <p class="soft">{say("dropHere")}</p>
      <Said said={said} />
    </fieldset>
  );
}
