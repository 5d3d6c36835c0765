/** The layers of a run over time: one quantity of all of them, as a heat map or as curves, and the last measurement as numbers. */
import type { ComponentChildren } from "preact";
import { useCallback, useMemo, useState } from "preact/hooks";
import { inOneLine } from "../../src/core/printable.ts";
import { type LayersOverTime, layersHeatmap } from "../../src/explain/learning/drawings.ts";
import type { Curve, Drawing } from "../../src/studio/runs/curve.ts";
import { type LayerAnswer, type RunSummary, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { numberText } from "../shared/numbers.ts";
import { useAnswer } from "../shared/use-answer.ts";
import { Choice } from "./choice.tsx";
import { ChartPanel } from "./curve-panel.tsx";
import { NothingKept, RunSection } from "./run-section.tsx";
import { SvgFigure } from "./svg-figure.tsx";

/** How layers are shown. */
const views = ["heatMap", "lines"] as const;
type View = (typeof views)[number];

export function Layers({ run: { id, epoch }, drawing }: { run: RunSummary; drawing: Drawing }) {
  const say = useSay();
  const [quantity, setQuantity] = useState("");
  const [view, setView] = useState<View>("heatMap");
  const { answer, failed } = useAnswer(() => studio.layers(id, quantity), [id, epoch, quantity]);
  const framed = (content?: ComponentChildren) => (
    <RunSection title="layers" failed={failed}>
      {content}
    </RunSection>
  );
  if (!answer) return framed();
  if (answer.quantities.length === 0) return framed(<NothingKept run={id} text="noLayers" />);
  return framed(
    <>
      <p class="soft">{say("layersHint")}</p>
      <div class="row controls">
        <Choice
          label={say("quantity")}
          value={answer.quantity}
          names={answer.quantities}
          textOf={(name) => say(name)}
          onChange={setQuantity}
        />
        <Choice label={say("shownAs")} value={view} names={views} textOf={(name) => say(name)} onChange={setView} />
      </div>
      {view === "heatMap" ? <Heatmap answer={answer} /> : <Lines answer={answer} drawing={drawing} />}
      <LastMeasured answer={answer} />
    </>,
  );
}

function Heatmap({ answer: { over, quantity } }: { answer: LayerAnswer }) {
  const say = useSay();
  const title = say("byLayer", { quantity: say(quantity) });
  const svg = useMemo(() => {
    const rows = over.rows.map((row) => row.map((value) => value ?? Number.NaN));
    return layersHeatmap({ ...over, paths: over.paths.map(inOneLine), rows } satisfies LayersOverTime, {
      title,
      label: say(quantity),
    });
  }, [over, title]);
  return <SvgFigure title={title} svg={svg} name={`layers-${quantity}`} />;
}

/** Each layer as a curve; smoothing is for the curves of batches. */
function Lines({ answer: { over, quantity }, drawing }: { answer: LayerAnswer; drawing: Drawing }) {
  const say = useSay();
  const { paths, epochs, batches, rows, scale } = over;
  const curves = useMemo(() => {
    const last = epochs.length - 1;
    const [epoch = 0, batch = 0] = [epochs[last], batches[last]];
    return paths.map(
      (path, i): Curve => ({
        ...{ run: path, name: quantity, by: "epoch", batches, values: rows[i] ?? [] },
        ...(epoch > 0 && { batchesOfEpoch: batch / epoch }),
      }),
    );
  }, [over]);
  const placeOf = useCallback((path: string) => paths.indexOf(path), [over]);
  const nameOf = useCallback((path: string) => path, []);
  const axis = drawing.axis === "time" ? "epoch" : drawing.axis;
  const look = { axis, logarithmic: drawing.logarithmic || scale === "log", placeOf, nameOf } as const;
  return (
    <ChartPanel title={say("byLayer", { quantity: say(quantity) })} name={say(quantity)} curves={curves} {...look} />
  );
}

/** All quantities of the last measurement, as a table. */
function LastMeasured({ answer: { quantities, over, last } }: { answer: LayerAnswer }) {
  const say = useSay();
  return (
    <details class="below">
      <summary>{say("lastMeasured", { epoch: over.epochs.at(-1) ?? 0 })}</summary>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">{say("layer")}</th>
              {quantities.map((name) => (
                <th key={name} scope="col" class="number">
                  {say(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {last.map(({ path, type, values }) => (
              <tr key={path}>
                <th scope="row">
                  {path} <span class="soft">{type}</span>
                </th>
                {values.map((value, i) => (
                  <td key={quantities[i]} class="number">
                    {value === null ? "–" : numberText(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
