/** Runs as one page of HTML to keep or to send: no script, no other file, readable without the studio. */
import { count, resultText, spoken } from "../../core/number-text.ts";
import { inOneLine } from "../../core/printable.ts";
import { closedPolicy, htmlPage } from "../../draw/page.ts";
import { reportSectionsStyle } from "../../runs/report/report-html.ts";
import { shown } from "../../runs/report/shown.ts";
import { HttpError } from "../../serve/http-error.ts";
import type { Drawing } from "../runs/curve.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";
import type { RunSummary } from "../runs/run-summary.node.ts";
import { curveFigures, spot } from "./curve-figures.ts";
import { runSections, section } from "./run-sections.node.ts";

/** The most runs of one page, and columns of its table. */
const [mostRuns, mostColumns] = [50, 40];

const style = `${reportSectionsStyle}
details { border-top: 1px solid var(--line); padding: 10px 0; }
summary { cursor: pointer; font-size: 17px; overflow-wrap: anywhere; }
.side td, .side th { white-space: nowrap; overflow-wrap: normal; }
.spot { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 8px; }
`;

/** Names of settings in which runs differ, and of results that any has: neither matrices, nor details, whose names have a point in them. */
function columnsOf(runs: readonly RunSummary[]): readonly string[] {
  const results = new Set(runs.flatMap((run) => Object.keys(run.results)));
  const settings = [...new Set(runs.flatMap((run) => Object.keys(run.settings)))];
  const differing = settings.filter((name) => new Set(runs.map((run) => String(run.settings[name]))).size > 1);
  const shownResults = [...results].filter((name) => !name.endsWith("confusionMatrix") && !name.includes("."));
  return [...shownResults, ...differing.filter((name) => !results.has(name))].slice(0, mostColumns);
}

/** A row for each run: its results, and the settings in which they differ. */
function comparison(runs: readonly RunSummary[]): string {
  const columns = columnsOf(runs);
  const cellOf = ({ results, settings }: RunSummary, name: string): string => {
    const result = results[name];
    return result === undefined ? String(settings[name] ?? "-") : resultText(name, result);
  };
  const head = ["run", "state", "epochs done", ...columns.map(spoken)].map((name) => `<th>${shown(name)}</th>`);
  const rows = runs.map((run, place) => {
    const cells = [run.state, count(run.epoch), ...columns.map((name) => cellOf(run, name))];
    return `<tr><th scope="row">${spot(place)}${shown(run.name)}</th>${cells.map((cell) => `<td>${shown(cell)}</td>`).join("")}</tr>`;
  });
  return `<div class="scroll"><table class="wide side"><thead><tr>${head.join("")}</tr></thead>${rows.join("")}</table></div>`;
}

/**
 * The page of one run, or of several: these in a table, over one another as curves, and each in a part that opens. Throws HttpError for none and
 * for more than 50, FileError for what is no run, KeyError for a run that no key opens.
 */
export async function sharedPage(library: RunLibrary, ids: readonly string[], drawing: Drawing): Promise<string> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) throw new HttpError(400, "the address lacks ?run=…; name the runs of the page");
  if (wanted.length > mostRuns)
    throw new HttpError(400, `${count(wanted.length)} runs are too many for one page, which has ${mostRuns} at most`);
  const runs = wanted.flatMap((id) => {
    library.folderOf(id);
    return library.runs.find((run) => run.id === id) ?? [];
  });
  const parts = await Promise.all(runs.map((run) => runSections(library, run, drawing)));
  const [only] = parts;
  const title = runs.map(({ name }) => inOneLine(name)).join(", ");
  const page = { style, head: closedPolicy };
  if (parts.length === 1 && only) return htmlPage({ ...page, title, sections: only });
  const each = parts.map(
    (sections, place) =>
      `<details><summary>${spot(place)}${shown(runs[place]?.name ?? "")}</summary>${sections.join("\n")}</details>`,
  );
  const sections = [
    `<h1>${count(runs.length)} runs</h1>`,
    section("Side by side", comparison(runs)),
    section("Curves", curveFigures(library, runs, drawing)),
    section("Each run", ...each),
  ];
  return htmlPage({ ...page, title, sections });
}
