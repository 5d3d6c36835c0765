/** A chart of curves: many over one another, the one under the pointer in front. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { type Axis, type Curve, colorOf, placesOf } from "../../src/studio/runs/curve.ts";
import { numberText } from "../shared/numbers.ts";

/** What is drawn. */
export interface ChartProps {
  readonly label: string;
  readonly curves: readonly Curve[];
  /** A curve's place among the colors, and its name. */
  readonly placeOf: (run: string) => number;
  readonly nameOf: (run: string) => string;
  readonly axis: Axis;
  readonly logarithmic: boolean;
  readonly onPlot?: (plot: uPlot | undefined) => void;
}

const height = 260;

const inkOf = (element: Element, name: string): string => getComputedStyle(element).getPropertyValue(name).trim();

export function Chart({ label, curves, placeOf, nameOf, axis, logarithmic, onPlot }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const drawn = curves.flatMap((curve) => {
      const places = placesOf(curve, axis);
      return places ? [{ curve, places }] : [];
    });
    // A raw curve stands faintly behind the smoothed one.
    const tables: uPlot.AlignedData[] = drawn.flatMap(({ curve, places }) => {
      const values = [curve.values, ...(curve.smoothed ? [curve.smoothed] : [])];
      return [
        [
          [...places],
          ...values.map((own) => own.map((value) => (logarithmic && value !== null && value <= 0 ? null : value))),
        ] as uPlot.AlignedData,
      ];
    });
    const series: uPlot.Series[] = drawn.flatMap(({ curve }): uPlot.Series[] => {
      const color = colorOf(placeOf(curve.run));
      const value = (_: uPlot, own: number | null) => (own === null ? "–" : numberText(own));
      const main: uPlot.Series = {
        label: nameOf(curve.run),
        stroke: color,
        width: 1.5,
        spanGaps: true,
        value,
        points: { show: curve.values.length < 3 },
      };
      if (!curve.smoothed) return [main];
      return [{ ...main, label: "", stroke: `${color}40`, width: 1 }, main];
    });
    const soft = inkOf(element, "--soft");
    const line = inkOf(element, "--line");
    const axisLook = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const plot =
      tables.length === 0
        ? undefined
        : new uPlot(
            {
              width: Math.max(200, element.clientWidth),
              height,
              scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
              axes: [
                { ...axisLook, values: (_, splits) => splits.map(numberText) },
                {
                  ...axisLook,
                  size: 64,
                  values: (_, splits) => splits.map((own) => (own === null ? "" : numberText(own))),
                },
              ],
              series: [{ label: "", value: (_, own) => (own === null ? "–" : numberText(own)) }, ...series],
              focus: { alpha: 0.25 },
              cursor: { focus: { prox: 16 }, drag: { x: true, y: false } },
              legend: { live: true },
            },
            tables.length === 1 ? (tables[0] as uPlot.AlignedData) : uPlot.join(tables),
            element,
          );
    onPlot?.(plot);
    const observer = new ResizeObserver(() => plot?.setSize({ width: Math.max(200, element.clientWidth), height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      onPlot?.(undefined);
      plot?.destroy();
    };
  }, [curves, axis, logarithmic, placeOf, nameOf, onPlot]);
  return <div class="chart" ref={host} role="img" aria-label={label} />;
}
