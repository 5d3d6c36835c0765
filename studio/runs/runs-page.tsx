/** All runs: what is shown of them, and their curves over one another. */
import { useMemo, useState } from "preact/hooks";
import { type Drawing, loadCurves } from "../../src/studio/runs/curve.ts";
import { type RunSummary, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { useAnswer } from "../shared/use-answer.ts";
import { type CurveChoice, CurvePanel, DrawingControls } from "./curve-panel.tsx";
import { matches } from "./filter.ts";
import { type Grouping, groupings } from "./grouping.ts";
import { PageButton } from "./page-button.tsx";
import { RunTable, type Sorting } from "./run-table.tsx";

const groupTexts = { none: "groupNone", recipe: "groupRecipe", group: "groupGroup", seeds: "groupSeeds" } as const;

/** Runs that are drawn when the page is opened, and curves. */
const [firstDrawn, firstCurves] = [5, 2];

/** The first curves of runs, by how much they tell. */
const firstOf = (names: { readonly batch: readonly string[]; readonly epoch: readonly string[] }): CurveChoice[] => {
  const validation = names.epoch
    .filter((name) => /^validation_/.test(name))
    .sort((a, b) => Number(/loss$/.test(a)) - Number(/loss$/.test(b)));
  const all: CurveChoice[] = [
    ...names.batch.filter((name) => /loss$/i.test(name)).map((name) => ({ name, by: "batch" as const })),
    ...validation.map((name) => ({ name, by: "epoch" as const })),
    ...names.batch.map((name) => ({ name, by: "batch" as const })),
    ...names.epoch.map((name) => ({ name, by: "epoch" as const })),
  ];
  return all.filter(({ name, by }, i) => all.findIndex((own) => own.name === name && own.by === by) === i);
};

const keyOf = ({ name, by }: CurveChoice): string => `${by}/${name}`;

export function RunsPage({ runs, root }: { runs: readonly RunSummary[]; root: string }) {
  const say = useSay();
  const [filter, setFilter] = useState("");
  const [grouping, setGrouping] = useState<Grouping>("none");
  const [withArchived, setWithArchived] = useState(false);
  const [onlyDifferences, setOnlyDifferences] = useState(true);
  const [sorting, setSorting] = useState<Sorting>({ column: "created", isDown: true });
  const [drawing, setDrawing] = useState<Drawing>({ axis: "step", smoothing: 0, logarithmic: false });
  const [picked, setPicked] = useState<readonly string[]>();
  const [open, setOpen] = useState<readonly string[]>();

  const shown = useMemo(
    () => runs.filter((run) => (withArchived || !run.archived) && (filter.trim() === "" || matches(run, filter))),
    [runs, filter, withArchived],
  );
  const drawn = picked ?? shown.slice(0, firstDrawn).map(({ id }) => id);
  const drawnRuns = drawn.flatMap((id) => runs.find((run) => run.id === id) ?? []);
  const ids = drawn.join("\n");
  // A run that has its first numbers has curves that it had not.
  const beginnings = drawnRuns.map(({ epoch, batch }) => `${epoch > 0}${batch > 0}`).join();
  const { answer: known = [] } = useAnswer(async () => {
    const names = ids === "" ? [] : ids.split("\n").map((run) => studio.names(run).catch(() => undefined));
    const choices = (await Promise.all(names)).flatMap((own) => (own ? firstOf(own) : []));
    return choices.filter((own, i) => choices.findIndex((other) => keyOf(other) === keyOf(own)) === i);
  }, [ids, beginnings]);
  const opened = open ?? firstChoices(known).map(keyOf);
  const panels = opened.flatMap((key) => known.find((own) => keyOf(own) === key) ?? []);
  const draw = (which: readonly string[], isDrawn: boolean) =>
    setPicked(
      isDrawn ? [...drawn, ...which.filter((id) => !drawn.includes(id))] : drawn.filter((id) => !which.includes(id)),
    );

  if (runs.length === 0) return <p class="hint">{say("noRuns", { root })}</p>;
  return (
    <>
      <div class="row controls">
        <input
          class="wide"
          type="search"
          value={filter}
          placeholder={say("filter")}
          aria-label={say("filterLabel")}
          onInput={({ currentTarget }) => setFilter(currentTarget.value)}
        />
        <label>
          {say("groupBy")}{" "}
          <select value={grouping} onChange={({ currentTarget }) => setGrouping(currentTarget.value as Grouping)}>
            {groupings.map((name) => (
              <option key={name} value={name}>
                {say(groupTexts[name])}
              </option>
            ))}
          </select>
        </label>
        <label>
          <input
            type="checkbox"
            checked={onlyDifferences}
            onChange={({ currentTarget }) => setOnlyDifferences(currentTarget.checked)}
          />{" "}
          {say("onlyDifferences")}
        </label>
        <label>
          <input
            type="checkbox"
            checked={withArchived}
            onChange={({ currentTarget }) => setWithArchived(currentTarget.checked)}
          />{" "}
          {say("showArchived")}
        </label>
      </div>
      <p class="soft" role="status">
        {say("runsShown", { shown: shown.length, all: runs.length, drawn: drawnRuns.length })}
      </p>
      {shown.length === 0 ? (
        <p class="hint">{say("noneMatch")}</p>
      ) : (
        <RunTable runs={shown} {...{ grouping, onlyDifferences, drawn, sorting }} onDraw={draw} onSort={setSorting} />
      )}
      <h2>{say("curves")}</h2>
      <DrawingControls drawing={drawing} onChange={setDrawing} />
      <label class="row">
        {say("addCurve")}{" "}
        <select value="" onChange={({ currentTarget }) => setOpen([...opened, currentTarget.value])}>
          <option value="" />
          {known
            .filter((own) => !opened.includes(keyOf(own)))
            .map((own) => (
              <option key={keyOf(own)} value={keyOf(own)}>
                {own.name} · {say(own.by === "epoch" ? "byEpoch" : "byStep")}
              </option>
            ))}
        </select>
      </label>
      {drawnRuns.length === 0 ? (
        <p class="hint">{say("noCurves")}</p>
      ) : (
        <PageButton
          runs={drawnRuns.map(({ id }) => id)}
          drawing={drawing}
          label={drawnRuns.length === 1 ? say("exportPage") : say("exportPages", { count: drawnRuns.length })}
        />
      )}
      <div class="panels">
        {drawnRuns.length > 0 &&
          panels.map((choice) => (
            <CurvePanel
              key={keyOf(choice)}
              choice={choice}
              runs={drawnRuns}
              drawing={drawing}
              onClose={() => setOpen(opened.filter((key) => key !== keyOf(choice)))}
            />
          ))}
      </div>
    </>
  );
}

/** What is drawn at first: the loss of batches, and what validation measures. */
function firstChoices(all: readonly CurveChoice[]): CurveChoice[] {
  const known = all.filter(({ name }) => !loadCurves.includes(name));
  const byBatch = known.find(({ by }) => by === "batch");
  const byEpoch = known.find(({ by }) => by === "epoch");
  return [byBatch, byEpoch].filter((own) => own !== undefined).slice(0, firstCurves);
}
