/** The table of runs: sorted by any column, grouped, the chosen ones in their colors. */
import type { RunSummary } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { numberText, timeText } from "../shared/numbers.ts";
import { Spot } from "./curve-panel.tsx";
import { numberOrSetting } from "./filter.ts";
import { differingSettings, type Grouping, grouped, meanOf, type RunGroup } from "./grouping.ts";

/** By what rows are sorted. */
export interface Sorting {
  readonly column: string;
  readonly isDown: boolean;
}

/** What the table shows. */
export interface TableProps {
  readonly runs: readonly RunSummary[];
  readonly grouping: Grouping;
  readonly onlyDifferences: boolean;
  /** Ids of the runs that are drawn, in the order of their colors. */
  readonly drawn: readonly string[];
  readonly onDraw: (ids: readonly string[], isDrawn: boolean) => void;
  readonly sorting: Sorting;
  readonly onSort: (sorting: Sorting) => void;
}

/** Numbers that are columns: no matrices, and no details, whose names have a point in them. */
const isColumn = (name: string): boolean => !name.endsWith("confusionMatrix") && !name.includes(".");

/** Columns that say how far and how well a run is: of results where runs have them, else of what validation says. */
function measuredColumns(runs: readonly RunSummary[]): string[] {
  const results = new Set(runs.flatMap((run) => Object.keys(run.results).filter(isColumn)));
  const latest = new Set(
    runs.flatMap((run) =>
      Object.keys(run.latest).filter((name) => isColumn(name) && /^(loss$|validation_)/.test(name)),
    ),
  );
  return [...[...results].slice(0, 5), ...[...latest].filter((name) => !results.has(name)).slice(0, 4)];
}

const hidden = new Set(["device", "threads"]);

function compared(a: RunSummary, b: RunSummary, column: string): number {
  const own = (run: RunSummary) =>
    column === "name"
      ? run.name
      : column === "created"
        ? (run.created ?? "")
        : column === "state"
          ? run.state
          : numberOrSetting(run, column);
  const [x, y] = [own(a), own(b)];
  if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
  return typeof x === "number" && typeof y === "number"
    ? x - y
    : String(x).localeCompare(String(y), undefined, { numeric: true });
}

export const sorted = (runs: readonly RunSummary[], { column, isDown }: Sorting): RunSummary[] =>
  [...runs].sort((a, b) => {
    const missing = Number(valueMissing(a, column)) - Number(valueMissing(b, column));
    return missing !== 0 ? missing : isDown ? compared(b, a, column) : compared(a, b, column);
  });

const valueMissing = (run: RunSummary, column: string): boolean =>
  !["name", "created", "state"].includes(column) && numberOrSetting(run, column) === undefined;

export function RunTable({ runs, grouping, onlyDifferences, drawn, onDraw, sorting, onSort }: TableProps) {
  const say = useSay();
  const settings = (
    onlyDifferences ? differingSettings(runs) : [...new Set(runs.flatMap((run) => Object.keys(run.settings)))]
  ).filter((name) => !hidden.has(name) && !(grouping === "seeds" && name === "seed"));
  const measured = measuredColumns(runs);
  const head = (column: string, label: string, isNumber = false) => (
    <th
      key={column}
      class={isNumber ? "number" : undefined}
      aria-sort={sorting.column === column ? (sorting.isDown ? "descending" : "ascending") : "none"}
    >
      <button
        type="button"
        class="quiet"
        onClick={() => onSort({ column, isDown: sorting.column === column ? !sorting.isDown : isNumber })}
      >
        {label}
        {sorting.column === column ? (sorting.isDown ? " ↓" : " ↑") : ""}
      </button>
    </th>
  );
  const groups = grouped(sorted(runs, sorting), grouping);
  const columnCount = 5 + settings.length + measured.length;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th />
            {head("name", say("run"))}
            {head("state", say("state"))}
            {head("epoch", say("epoch"), true)}
            {measured.map((name) => head(name, name.replaceAll("_", " "), true))}
            {settings.map((name) => head(name, name, typeof runs[0]?.settings[name] === "number"))}
            {head("created", say("created"))}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <GroupRows key={group.key} {...{ group, grouping, settings, measured, drawn, onDraw, columnCount }} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly settings: readonly string[];
  readonly measured: readonly string[];
  readonly drawn: readonly string[];
  readonly onDraw: TableProps["onDraw"];
}

function GroupRows({
  group,
  grouping,
  columnCount,
  ...row
}: RowProps & { group: RunGroup; grouping: Grouping; columnCount: number }) {
  const say = useSay();
  const { runs } = group;
  if (grouping === "seeds" && runs.length > 1) return <SeedsRow runs={runs} {...row} />;
  return (
    <>
      {(grouping === "recipe" || grouping === "group") && (
        <tr class="group">
          <th colSpan={columnCount} scope="rowgroup">
            {group.key || say("choose")} ({runs.length})
          </th>
        </tr>
      )}
      {runs.map((run) => (
        <RunRow key={run.id} run={run} {...row} />
      ))}
    </>
  );
}

const shown = (value: unknown): string =>
  typeof value === "number" ? numberText(value) : value === undefined ? "" : String(value);

function RunRow({ run, settings, measured, drawn, onDraw }: RowProps & { run: RunSummary }) {
  const say = useSay();
  const place = drawn.indexOf(run.id);
  return (
    <tr class={run.archived ? "archived" : undefined}>
      <td>
        <label class="pick">
          <input
            type="checkbox"
            checked={place >= 0}
            aria-label={say("shownIn", { name: run.name })}
            onChange={({ currentTarget }) => onDraw([run.id], currentTarget.checked)}
          />
          {place >= 0 && <Spot place={place} />}
        </label>
      </td>
      <th scope="row">
        <a href={`#/run/${encodeURIComponent(run.id)}`}>{run.name}</a>
        {run.tags.map((tag) => (
          <span key={tag} class="tag">
            {tag}
          </span>
        ))}
      </th>
      <td class={run.state}>{say(run.state)}</td>
      <td class="number">
        {run.epoch}
        {typeof run.settings["epochs"] === "number" ? ` / ${run.settings["epochs"]}` : ""}
      </td>
      {measured.map((name) => (
        <td key={name} class="number">
          {shown(run.results[name] ?? run.latest[name])}
        </td>
      ))}
      {settings.map((name) => (
        <td key={name} class={typeof run.settings[name] === "number" ? "number" : undefined}>
          {shown(run.settings[name])}
        </td>
      ))}
      <td>{timeText(run.created)}</td>
    </tr>
  );
}

/** Runs of several seeds in one row: means with half of their intervals. */
function SeedsRow({ runs, settings, measured, drawn, onDraw }: RowProps & { runs: readonly RunSummary[] }) {
  const say = useSay();
  const [first] = runs;
  const ids = runs.map(({ id }) => id);
  const areDrawn = ids.every((id) => drawn.includes(id));
  const name = say("seedsOf", { count: runs.length });
  return (
    <tr>
      <td>
        <label class="pick">
          <input
            type="checkbox"
            checked={areDrawn}
            aria-label={say("shownIn", { name: `${first?.recipe} ${name}` })}
            onChange={({ currentTarget }) => onDraw(ids, currentTarget.checked)}
          />
        </label>
      </td>
      <th scope="row">
        {first?.recipe} · {name}
      </th>
      <td />
      <td />
      {measured.map((column) => {
        const summed = meanOf(runs, (run) => run.results[column] ?? run.latest[column]);
        return (
          <td key={column} class="number">
            {summed && numberText(summed.mean)}
            {summed?.half !== undefined && <span class="soft"> ± {numberText(summed.half)}</span>}
          </td>
        );
      })}
      {settings.map((column) => (
        <td key={column} class={typeof first?.settings[column] === "number" ? "number" : undefined}>
          {shown(first?.settings[column])}
        </td>
      ))}
      <td>{timeText(first?.created)}</td>
    </tr>
  );
}
