/** Plots of a report: confidence against accuracy, predicted numbers against true ones. */
import { greatest, least } from "../../core/lists.ts";
import { linePlot, type PlotOptions, scatterPlot } from "../../draw/plot.ts";
import type { Calibration, Residuals } from "./report.ts";

type PlotSize = Pick<PlotOptions, "width" | "height">;

/** Accuracy by confidence beside the line of a model whose confidence is right. */
export const reliabilityDiagram = ({ bins }: Calibration, size: PlotSize): string =>
  linePlot(
    [
      { name: "model", points: bins.map(({ confidence, accuracy }) => [confidence, accuracy] as const) },
      {
        name: "ideal",
        points: [
          [0, 0],
          [1, 1],
        ],
        dashed: true,
      },
    ],
    {
      ...size,
      title: "accuracy by confidence",
      x: { label: "confidence", domain: [0, 1] },
      y: { label: "accuracy", domain: [0, 1] },
    },
  );

/** Dots of the line on which predictions would be right. */
const dotsOfLine = 60;

/** Predicted numbers against true ones, beside the line on which they would be right. */
export function residualPlot({ pairs }: Residuals, size: PlotSize): string {
  const values = pairs.flat();
  const [low, high] = [least(values), greatest(values)];
  const domain = high > low ? ([low, high] as const) : ([low - 1, high + 1] as const);
  const line = Array.from({ length: dotsOfLine + 1 }, (_, i) => {
    const at = domain[0] + ((domain[1] - domain[0]) * i) / dotsOfLine;
    return { x: at, y: at };
  });
  return scatterPlot(
    [
      { name: "samples", dots: pairs.map(([x, y]) => ({ x, y })) },
      { name: "right", dots: line },
    ],
    { ...size, title: "predicted by true", x: { label: "true", domain }, y: { label: "predicted", domain } },
  );
}
