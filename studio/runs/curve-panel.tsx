/** One curve of the runs that were chosen, drawn over one another, with what it is drawn over and how. */
import { useCallback, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { type Axis, axes, type Curve, colorOf, type Drawing } from "../../src/studio/runs/curve.ts";
import { type RunSummary, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { useAnswer } from "../shared/use-answer.ts";
import { Chart, type ChartProps } from "./chart.tsx";
import { saveCsv, savePng, saveSvg } from "./save.ts";

/** A curve by its name, and whether it has a point for each epoch. */
export interface CurveChoice {
  readonly name: string;
  readonly by: "batch" | "epoch";
}

/** Columns of points: about one for each pixel of a wide chart. */
const columns = 600;

const axisTexts = { step: "byStep", epoch: "byEpoch", time: "byTime" } as const;

/** The controls of all curves. */
export function DrawingControls({ drawing, onChange }: { drawing: Drawing; onChange: (next: Drawing) => void }) {
  const say = useSay();
  const { axis, smoothing, logarithmic } = drawing;
  return (
    <div class="row">
      <label>
        {say("axis")}{" "}
        <select
          value={axis}
          onChange={({ currentTarget }) => onChange({ ...drawing, axis: currentTarget.value as Axis })}
        >
          {axes.map((name) => (
            <option key={name} value={name}>
              {say(axisTexts[name])}
            </option>
          ))}
        </select>
      </label>
      <label>
        {say("smoothing")}{" "}
        <input
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          value={smoothing}
          onChange={({ currentTarget }) => onChange({ ...drawing, smoothing: Number(currentTarget.value) })}
        />{" "}
        <output>{smoothing}</output>
      </label>
      <label>
        <input
          type="checkbox"
          checked={logarithmic}
          onChange={({ currentTarget }) => onChange({ ...drawing, logarithmic: currentTarget.checked })}
        />{" "}
        {say("logarithmic")}
      </label>
    </div>
  );
}

/** As long as there is no answer: always the same, so that nothing is drawn anew for it. */
const none: readonly Curve[] = [];

/** What a panel shows. */
export interface PanelProps {
  readonly choice: CurveChoice;
  readonly runs: readonly RunSummary[];
  readonly drawing: Drawing;
  readonly onClose?: () => void;
}

export function CurvePanel({ choice: { name, by }, runs, drawing, onClose }: PanelProps) {
  const say = useSay();
  const ids = runs.map(({ id }) => id).join("\n");
  // A run that goes on has new points when it has new batches.
  const progress = runs.map(({ epoch, batch }) => `${epoch}:${batch}`).join();
  const { axis, smoothing, logarithmic } = drawing;
  const { answer, failed } = useAnswer(
    () => studio.curves({ runs: ids === "" ? [] : ids.split("\n"), name, by, columns, smoothing }),
    [ids, progress, name, by, smoothing],
  );
  const curves = answer?.curves ?? none;
  const placeOf = useCallback((run: string) => ids.split("\n").indexOf(run), [ids]);
  const names = runs.map(({ name: own }) => own).join("\n");
  const nameOf = useCallback((run: string) => names.split("\n")[placeOf(run)] ?? run, [names, placeOf]);
  const title = `${name} · ${say(by === "epoch" ? "byEpoch" : "byStep")}`;
  const shown = { title, name, curves, placeOf, nameOf, axis, logarithmic };
  return <ChartPanel {...shown} {...(onClose && { onClose })} failed={failed} />;
}

/** A chart with its name above it, and what it can be saved as. */
export interface ChartPanelProps extends Omit<ChartProps, "label" | "onPlot"> {
  readonly title: string;
  /** What it is called in files. */
  readonly name: string;
  /** What went wrong, in a sentence. */
  readonly failed?: string;
  readonly onClose?: () => void;
}

export function ChartPanel({ title, name, failed = "", onClose, ...chart }: ChartPanelProps) {
  const say = useSay();
  const plot = useRef<uPlot | undefined>(undefined);
  const onPlot = useCallback((own: uPlot | undefined) => {
    plot.current = own;
  }, []);
  const { curves, nameOf, axis } = chart;
  const savings = [
    ["exportCsv", () => saveCsv(curves, nameOf)],
    ["exportPng", () => plot.current && savePng(plot.current.ctx.canvas, name)],
    [
      "exportSvg",
      () => saveSvg({ ...chart, title: name, axisLabel: say(axisTexts[axis]), span: spanOf(plot.current) }),
    ],
  ] as const;
  return (
    <section class="panel" aria-label={title}>
      <header class="row spread">
        <h3>{title}</h3>
        <span class="row">
          {savings.map(([text, save]) => (
            <button key={text} type="button" class="quiet" onClick={save} disabled={curves.length === 0}>
              {say(text)}
            </button>
          ))}
          {onClose && (
            <button type="button" class="quiet" aria-label={say("closeCurve")} onClick={onClose}>
              ×
            </button>
          )}
        </span>
      </header>
      {failed !== "" && <p class="wrong">{say("failed", { message: failed })}</p>}
      <Chart {...chart} label={title} onPlot={onPlot} />
    </section>
  );
}

/** What is shown of the axis below: less than all where a part was drawn larger. */
function spanOf(plot: uPlot | undefined): readonly [number, number] | undefined {
  const { min, max } = plot?.scales["x"] ?? {};
  return typeof min === "number" && typeof max === "number" ? [min, max] : undefined;
}

/** A spot in the color of a run. */
export const Spot = ({ place }: { place: number }) => <span class="spot" style={{ background: colorOf(place) }} />;
