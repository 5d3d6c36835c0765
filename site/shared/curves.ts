/** Curves that grow while a network trains, as SVG in the colours of the page. */
import { scaleLinear, scaleLog } from "d3-scale";
import { line } from "d3-shape";

/** A line of a plot. */
export interface Curve {
  /** Its name in the legend. */
  readonly name: string;
  /** Its points, from left to right. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Draw broken: what something is compared with. */
  readonly dashed?: boolean;
}

/** How curves are drawn. */
export interface CurveOptions {
  /** What the plot shows; above it, and said by screen readers. */
  readonly title: string;
  /** Name of the horizontal axis. */
  readonly across: string;
  /** What the horizontal axis spans. */
  readonly domain: readonly [number, number];
  /** What the vertical axis spans; default what the points do. */
  readonly range?: readonly [number, number];
  /** A logarithmic vertical axis; default false. */
  readonly log?: boolean;
}

const [width, height] = [420, 240];
const margin = { top: 10, right: 12, bottom: 38, left: 46 } as const;
const svg = "http://www.w3.org/2000/svg";

function part(name: string, attributes: Readonly<Record<string, string | number>>, text = ""): SVGElement {
  const made = document.createElementNS(svg, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, `${value}`);
  made.textContent = text;
  return made;
}

/** Draws curves into an element in the place of those before, with a legend beneath. */
export function drawCurves(place: Element, curves: readonly Curve[], options: CurveOptions): void {
  const { title, across, domain, range, log = false } = options;
  const isShown = (value: number) => Number.isFinite(value) && (!log || value > 0);
  const values = curves.flatMap(({ points }) => points.map(([, value]) => value)).filter(isShown);
  const spanned = values.length > 0 ? [Math.min(...values), Math.max(...values)] : log ? [0.1, 1] : [0, 1];
  const [low = 0, high = 1] = range ?? (log ? spanned : [Math.min(0, spanned[0] ?? 0), spanned[1] ?? 1]);
  const x = scaleLinear()
    .domain(domain)
    .range([margin.left, width - margin.right]);
  const y = (log ? scaleLog() : scaleLinear())
    .domain([low, high > low ? high : low + 1])
    .range([height - margin.bottom, margin.top]);
  if (!range) y.nice();
  const plot = part("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title });
  const powers = y.ticks(5).filter((tick) => !log || Number.isInteger(Math.log10(tick)));
  for (const tick of powers.length > 1 ? powers : y.ticks(4)) {
    const label = log ? tick.toExponential(0).replace("+", "") : `${Number(tick.toPrecision(4))}`;
    plot.append(
      part("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(tick), y2: y(tick) }),
      part("text", { x: margin.left - 6, y: y(tick) + 4, "text-anchor": "end" }, label),
    );
  }
  for (const tick of x.ticks(6).filter(Number.isInteger))
    plot.append(part("text", { x: x(tick), y: height - margin.bottom + 16, "text-anchor": "middle" }, `${tick}`));
  plot.append(part("text", { x: (margin.left + width) / 2, y: height - 4, "text-anchor": "middle" }, across));
  const path = line<readonly [number, number]>(
    ([at]) => x(at),
    ([, value]) => y(Math.min(Math.max(value, low), high)),
  );
  for (const [i, { points, dashed }] of curves.entries()) {
    const shown = points.filter(([, value]) => isShown(value));
    const look = { class: `curve series-${i}${dashed ? " dashed" : ""}` };
    plot.append(part("path", { ...look, d: path(shown) ?? "" }));
    if (!dashed && shown.length <= 20)
      for (const [at, value] of shown)
        plot.append(part("circle", { class: `dot series-${i}`, cx: x(at), cy: y(value), r: 3 }));
  }
  const caption = document.createElement("figcaption");
  const heading = document.createElement("strong");
  heading.textContent = title;
  caption.append(heading);
  for (const [i, { name, dashed }] of curves.entries()) {
    const entry = document.createElement("span");
    entry.className = `legend series-${i}${dashed ? " dashed" : ""}`;
    entry.textContent = name;
    caption.append(entry);
  }
  place.replaceChildren(caption, plot);
}
