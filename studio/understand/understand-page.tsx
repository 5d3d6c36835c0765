/** Models looked into: depth, parameters by kind, cost and memory, what would change them, and several side by side. */
import { useState } from "preact/hooks";
import { type InspectTarget, type RunSummary, reportAddress, studio, type WhatIf } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";

/** Fields of what may be changed, with their kind. */
const fields = [
  ["batch", "number"],
  ["sequence", "number"],
  ["precision", ["", "float32", "float16", "bfloat16"]],
  ["optimizer", ["", "adam", "adamw", "sgd", "rmsprop", "muon"]],
  ["freeze", "text"],
  ["lora", "number"],
  ["quantize", ["", "8", "4"]],
  ["memory", "text"],
] as const;

const nameOf = (target: InspectTarget): string => ("run" in target ? target.run : target.architecture);

/** What was filled in, as numbers where they are. */
const whatIfOf = (filled: Readonly<Record<string, string>>): WhatIf =>
  Object.fromEntries(
    Object.entries(filled).flatMap(([name, text]) => {
      if (text.trim() === "") return [];
      const isNumber = ["batch", "sequence", "lora", "quantize"].includes(name);
      return [[name, isNumber ? Number(text) : text.trim()]];
    }),
  );

export function UnderstandPage({ runs }: { runs: readonly RunSummary[] }) {
  const say = useSay();
  const [targets, setTargets] = useState<readonly InspectTarget[]>([]);
  const [file, setFile] = useState<File>();
  const [architecture, setArchitecture] = useState("");
  const [filled, setFilled] = useState<Readonly<Record<string, string>>>({});
  const [report, setReport] = useState<string>();
  const [said, setSaid] = useState<{ readonly text: string; readonly isWrong: boolean }>();
  const add = (target: InspectTarget) => {
    setFile(undefined);
    setTargets([...targets.filter((own) => nameOf(own) !== nameOf(target)), target]);
  };
  const look = () => {
    setSaid({ text: say("making"), isWrong: false });
    const whatIf = whatIfOf(filled);
    const typed: readonly InspectTarget[] = architecture.trim() === "" ? [] : [{ architecture: architecture.trim() }];
    (file ? studio.inspectFile(file, whatIf) : studio.inspect([...targets, ...typed], whatIf)).then(
      ({ report: own }) => {
        setReport(own);
        setSaid(undefined);
      },
      (error: Error) => setSaid({ text: say("failed", { message: error.message }), isWrong: true }),
    );
  };
  return (
    <>
      <h1>{say("understand")}</h1>
      <form
        class="panel"
        onSubmit={(event) => {
          event.preventDefault();
          look();
        }}
      >
        <p class="soft">{say("whichModel")}</p>
        <div class="row">
          {targets.map((target) => (
            <button
              key={nameOf(target)}
              type="button"
              class="quiet"
              aria-label={say("removeTarget", { name: nameOf(target) })}
              onClick={() => setTargets(targets.filter((own) => own !== target))}
            >
              {nameOf(target)} ×
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
              <button
                type="button"
                class="quiet"
                disabled={architecture.trim() === ""}
                onClick={() => {
                  add({ architecture: architecture.trim() });
                  setArchitecture("");
                }}
              >
                {say("add")}
              </button>
            </div>
          </div>
          <div class="field">
            <label for="model-file">{say("dropFile")}</label>
            <input
              id="model-file"
              type="file"
              accept=".onnx,.safetensors,.gguf,.keras,.h5,.json"
              onChange={({ currentTarget }) => {
                setFile(currentTarget.files?.[0]);
                setTargets([]);
              }}
            />
          </div>
        </div>
        <h2>{say("whatIf")}</h2>
        <div class="fields">
          {fields.map(([name, kind]) => (
            <div key={name} class="field">
              <label for={`what-if-${name}`}>{name}</label>
              {typeof kind === "string" ? (
                <input
                  id={`what-if-${name}`}
                  inputMode={kind === "number" ? "numeric" : "text"}
                  value={filled[name] ?? ""}
                  onInput={({ currentTarget }) => setFilled({ ...filled, [name]: currentTarget.value })}
                />
              ) : (
                <select
                  id={`what-if-${name}`}
                  value={filled[name] ?? ""}
                  onChange={({ currentTarget }) => setFilled({ ...filled, [name]: currentTarget.value })}
                >
                  {kind.map((choice) => (
                    <option key={choice} value={choice}>
                      {choice}
                    </option>
                  ))}
                </select>
              )}
            </div>
          ))}
        </div>
        <div class="row">
          <button type="submit" disabled={!file && targets.length === 0 && architecture.trim() === ""}>
            {say("look")}
          </button>
          {said && <output class={said.isWrong ? "wrong" : "soft"}>{said.text}</output>}
        </div>
      </form>
      {report !== undefined && (
        <iframe class="report" title={say("report")} sandbox="allow-scripts" src={reportAddress(report)} />
      )}
    </>
  );
}
