/** Models looked into: one with what would change it, or several side by side. */
import { useState } from "preact/hooks";
import type { InspectTarget, RunSummary } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { CompareTable } from "./compare-table.tsx";
import { ModelChoice, targetKey } from "./model-choice.tsx";
import { ModelPanel } from "./model-panel.tsx";

export function UnderstandPage({ runs }: { runs: readonly RunSummary[] }) {
  const say = useSay();
  const [targets, setTargets] = useState<readonly InspectTarget[]>([]);
  const [only, ...others] = targets;
  return (
    <>
      <h1>{say("understand")}</h1>
      <p>
        <a href={`/experiments/depth.html?language=${say("languageCode")}`}>{say("playWithDepth")}</a>
      </p>
      <ModelChoice runs={runs} targets={targets} onChoose={setTargets} />
      {only && others.length === 0 && <ModelPanel key={targetKey(only)} target={only} />}
      {others.length > 0 && <CompareTable targets={targets} />}
    </>
  );
}
