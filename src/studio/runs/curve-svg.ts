/** Curves as an SVG file: what the chart of the page shows, as lines that can be enlarged. */
import { greatest, least } from "../../core/lists.ts";
import { inOneLine } from "../../core/printable.ts";
import { type AxisOptions, linePlot, type Series } from "../../draw/plot.ts";
import { type Axis, type Curve, colorOf, placesOf } from "./curve.ts";

/** How curves are drawn as SVG. */
export interface CurveSvgOptions {
  /** Text above them. */
  readonly title: string;
  readonly axis: Axis;
  /** Text below the axis. */
  readonly axisLabel: string;
  readonly logarithmic: boolean;
  /** A run's place among the colors, and its name. */
  readonly placeOf: (run: string) => number;
  readonly nameOf: (run: string) => string;
  /** What is shown of the axis below; default all. */
  readonly span?: readonly [number, number] | undefined;
  /** Pixels; default 720 x 360, higher where the names need it. */
  readonly width?: number;
  readonly height?: number;
}

/** Letters of a name in the legend, and of a title. */
const [mostName, mostTitle] = [28, 80];

/** Points of a line that have a dot each. */
const mostDots = 40;

const shortened = (text: string, most: number): string => {
  const line = inOneLine(text);
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
};

/** The least and the greatest number, a little apart where they are one; nothing of none. */
function domainOf(values: readonly number[], scale: AxisOptions["scale"]): readonly [number, number] | undefined {
  if (values.length === 0) return undefined;
  const [low, high] = [least(values), greatest(values)];
  if (low < high) return [low, high];
  return scale === "log" ? [low / 2, low * 2] : [low - 0.5, low + 0.5];
}

/** Curves over one another as SVG text; nothing where none has a point that can be shown. A raw curve stands faintly behind its smoothed one. */
export function curvesSvg(curves: readonly Curve[], options: CurveSvgOptions): string | undefined {
  const { title, axis, axisLabel, logarithmic, placeOf, nameOf, span, width = 720, height = 360 } = options;
  const scale = logarithmic ? "log" : "linear";
  const series = curves.flatMap((curve): Series[] => {
    const places = placesOf(curve, axis);
    if (!places) return [];
    const lineOf = (values: Curve["values"]): Series => {
      const points = places.flatMap((at, i): (readonly [number, number])[] => {
        const value = values[i];
        if (typeof value !== "number" || (logarithmic && value <= 0)) return [];
        return span && (at < span[0] || at > span[1]) ? [] : [[at, value]];
      });
      const name = shortened(nameOf(curve.run), mostName);
      return { name, points, colour: colorOf(placeOf(curve.run)), dots: points.length <= mostDots };
    };
    const raw = lineOf(curve.values);
    return curve.smoothed ? [{ ...raw, dots: false, faint: true }, lineOf(curve.smoothed)] : [raw];
  });
  const drawn = series.filter(({ points }) => points.length > 0);
  if (drawn.length === 0) return undefined;
  const across = domainOf(
    drawn.flatMap(({ points }) => points.map(([at]) => at)),
    "linear",
  );
  const up = domainOf(
    drawn.flatMap(({ points }) => points.map(([, value]) => value)),
    scale,
  );
  const runs = new Set(curves.map(({ run }) => run));
  const [only] = runs;
  const named = runs.size === 1 && only !== undefined ? `${nameOf(only)}: ${title}` : title;
  return linePlot(drawn, {
    title: shortened(named, mostTitle),
    width,
    height: Math.max(height, 80 + 20 * runs.size),
    x: { label: axisLabel, ...(across && { domain: across }) },
    y: { label: shortened(title, mostName), scale, ...(up && { domain: up }) },
  });
}
