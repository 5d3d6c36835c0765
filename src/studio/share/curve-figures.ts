/** The curves of runs as figures of a page to send, each curve of all runs over one another. */
import { plural } from "../../core/number-text.ts";
import { type Axis, colorOf, type Drawing, loadCurves } from "../runs/curve.ts";
import { curvesSvg } from "../runs/curve-svg.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";
import type { RunSummary } from "../runs/run-summary.node.ts";

/** Curves of a page, and columns of points of each: enough for a figure of this size. */
const [mostCurves, columns] = [60, 200];
const size = { width: 520, height: 300 };

const axisLabels: Readonly<Record<Axis, string>> = { step: "batch", epoch: "epoch", time: "seconds" };

/** Figures as HTML, drawn as the page draws them; empty where the runs have no curves. */
export function curveFigures(library: RunLibrary, runs: readonly RunSummary[], drawing: Drawing): string {
  const { axis, smoothing, logarithmic } = drawing;
  const names = new Map<string, { readonly name: string; readonly by: "batch" | "epoch" }>();
  for (const { id } of runs) {
    const own = library.curveNames(id);
    for (const by of ["batch", "epoch"] as const) for (const name of own[by]) names.set(`${by}/${name}`, { name, by });
  }
  const placeOf = (run: string) => runs.findIndex(({ id }) => id === run);
  const nameOf = (run: string) => runs[placeOf(run)]?.name ?? run;
  // What is learned comes first.
  const isLoad = ({ name }: { readonly name: string }) => Number(loadCurves.includes(name));
  const ordered = [...names.values()].sort((a, b) => isLoad(a) - isLoad(b));
  const figures = ordered.slice(0, mostCurves).flatMap(({ name, by }) => {
    const curves = runs.flatMap(({ id }) => library.curve(id, name, by, { columns, smoothing }) ?? []);
    const title = `${name}, by ${by}`;
    const look = { title, axis, axisLabel: axisLabels[axis], logarithmic, placeOf, nameOf };
    return curvesSvg(curves, { ...look, ...size }) ?? [];
  });
  const more = names.size - mostCurves;
  return `${figures.length === 0 ? "" : `<div class="figures">${figures.join("")}</div>`}${more > 0 ? `<p class="soft">and ${plural(more, "curve")} more in the studio</p>` : ""}`;
}

/** A spot in the color of a run. */
export const spot = (place: number): string => `<span class="spot" style="background:${colorOf(place)}"></span>`;
