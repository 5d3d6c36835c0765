/** Which models are looked at: runs, architectures by name, files that are dropped. */
import { useState } from "preact/hooks";
import { type InspectTarget, type RunSummary, studio } from "../shared/api.ts";
import { useDrop } from "../shared/drop.ts";
import { useSay } from "../shared/language.ts";
import { Said, type SaidText } from "../train/start.tsx";

/** What a model is called here. */
export const targetName = (target: InspectTarget): string =>
  "run" in target ? target.run : "architecture" in target ? target.architecture : (target.name ?? target.file);

/** What tells a model from others. */
export const targetKey = (target: InspectTarget): string => JSON.stringify(target);

export function ModelChoice({
  runs,
  targets,
  onChoose,
}: {
  runs: readonly RunSummary[];
  targets: readonly InspectTarget[];
  onChoose: (targets: readonly InspectTarget[]) => void;
}) {
  const say = useSay();
  const [architecture, setArchitecture] = useState("");
  const [said, setSaid] = useState<SaidText>();
  const add = (...added: readonly InspectTarget[]) => {
    const keys = added.map(targetKey);
    onChoose([...targets.filter((own) => !keys.includes(targetKey(own))), ...added]);
  };
  const take = async (files: FileList | null) => {
    const taken: InspectTarget[] = [];
    try {
      for (const file of files ?? []) {
        setSaid({ text: say("sendingFile", { name: file.name }), isWrong: false });
        taken.push({ ...(await studio.sendModel(file)), name: file.name });
      }
      setSaid(undefined);
    } catch (error) {
      setSaid({ text: say("failed", { message: (error as Error).message }), isWrong: true });
    }
    if (taken.length > 0) add(...taken);
  };
  const drop = useDrop(({ files }) => void take(files));
  return (
    <form
      class="panel"
      onSubmit={(event) => {
        event.preventDefault();
        if (architecture.trim() === "") return;
        add({ architecture: architecture.trim() });
        setArchitecture("");
      }}
    >
      <p class="soft">{say("whichModel")}</p>
      <div class="row">
        {targets.map((target) => (
          <button
            key={targetKey(target)}
            type="button"
            class="quiet"
            aria-label={say("removeTarget", { name: targetName(target) })}
            onClick={() => onChoose(targets.filter((own) => own !== target))}
          >
            {targetName(target)} ×
          </button>
        ))}
      </div>
      <div class="fields">
        <div class="field">
          <label for="add-run">{say("addRun")}</label>
          <select
            id="add-run"
            value=""
            onChange={({ currentTarget }) => currentTarget.value !== "" && add({ run: currentTarget.value })}
          >
            <option value="" />
            {runs
              .filter(({ recipe }) => recipe !== undefined)
              .map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
          </select>
        </div>
        <div class="field">
          <label for="architecture">{say("architecture")}</label>
          <div class="row">
            <input
              id="architecture"
              value={architecture}
              onInput={({ currentTarget }) => setArchitecture(currentTarget.value)}
            />
            <button type="submit" class="quiet" disabled={architecture.trim() === ""}>
              {say("add")}
            </button>
          </div>
        </div>
      </div>
      <div {...drop}>
        <label for="model-file">{say("modelFile")}</label>
        <input
          id="model-file"
          type="file"
          multiple
          accept=".onnx,.safetensors,.gguf,.keras,.h5,.json"
          onChange={({ currentTarget }) => {
            void take(currentTarget.files).finally(() => {
              // So that the same may be chosen again.
              currentTarget.value = "";
            });
          }}
        />
        <span class="soft">{say("dropModel")}</span>
      </div>
      <Said said={said} />
    </form>
  );
}
