/** Plots as SVG text: lines and bars over linear and logarithmic axes, for reports and documents. */

import { scaleBand, scaleLinear, scaleLog } from "d3-scale";
import { line } from "d3-shape";
import { greatest, least } from "../core/lists.ts";
import { listOf, number, oneOf, pairType, positive, string } from "../core/option-types.ts";
import { type OptionTypes, optionsOf, required } from "../core/options.ts";

/** Colours that are told apart also by those who see red and green alike (Okabe and Ito 2008). */
export const palette = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#d55e00",
  "#cc79a7",
  "#56b4e9",
  "#8c8c8c",
  "#f0e442",
] as const;

/** Of groups: the palette with grey, for all others, at its end. */
const groupColours = [...palette.filter((colour) => colour !== "#8c8c8c"), "#8c8c8c"];

/** How an axis is drawn. */
export interface AxisOptions {
  /** Text beside the axis. */
  readonly label: string;
  /** Default linear. */
  readonly scale?: "linear" | "log";
  /** Default: what the data spans, rounded. */
  readonly domain?: readonly [number, number];
  /** Values that are named; default: round ones. */
  readonly ticks?: readonly number[];
}

/** Options of every plot. */
export interface PlotOptions {
  /** Text above the plot. */
  readonly title: string;
  /** The horizontal axis. */
  readonly x: AxisOptions;
  /** The vertical axis. */
  readonly y: AxisOptions;
  /** Width of the whole image in pixels; default 640. */
  readonly width?: number;
  /** Height of the whole image in pixels; default 320. */
  readonly height?: number;
}

const axisType = optionsOf<AxisOptions>("an axis", {
  label: required(string),
  scale: oneOf("linear", "log"),
  domain: pairType("[low, high]"),
  ticks: listOf(number, "numbers"),
}).type;

const plotTypes: OptionTypes<PlotOptions> = {
  title: required(string),
  x: required(axisType),
  y: required(axisType),
  width: positive,
  height: positive,
};
const checkLines = optionsOf("linePlot", plotTypes);
const checkBars = optionsOf("barPlot", plotTypes);
/** Points that are drawn in one colour, under a name in the legend. */
export interface Series {
  /** Its name in the legend. */
  readonly name: string;
  /** The points, joined in this order. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Draw broken. */
  readonly dashed?: boolean;
  /** As SVG writes it: `#0072b2`; default the next one of the palette. */
  readonly colour?: string;
  /** Whether each point has a dot; default true. */
  readonly dots?: boolean;
  /** Draw thin and pale, behind what follows, without a name in the legend. */
  readonly faint?: boolean;
}

const margin = { top: 34, right: 16, bottom: 44, left: 64 } as const;

/** Characters that mean something in XML. */
export const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign] ?? sign);

/** A tick as people write it: `0.01`, `10k`, `1e-9`; powers of ten on axes that span many. */
function tickText(value: number, { scale }: Pick<AxisOptions, "scale"> = {}): string {
  const size = Math.abs(value);
  if (scale === "log" && (size < 0.01 || size > 1000)) return value.toExponential(0).replace("e+", "e");
  if (value !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(0).replace("e+", "e");
  return size >= 1e4 ? `${value / 1000}k` : `${Number(value.toPrecision(6))}`;
}

const spanOf = (values: readonly number[], { domain, scale }: AxisOptions): [number, number] => {
  if (domain) return [domain[0], domain[1]];
  const finite = values.filter((value) => Number.isFinite(value) && (scale !== "log" || value > 0));
  const [low, high] = [least(finite), greatest(finite)];
  if (scale === "log") return [low, high > low ? high : low * 10];
  return [Math.min(0, low), high > low ? high : low + 1];
};

function axisScale(span: [number, number], range: [number, number], { scale, domain }: AxisOptions) {
  const made = (scale === "log" ? scaleLog() : scaleLinear()).domain(span).range(range);
  return domain ? made : made.nice();
}

/** Ticks of a logarithmic axis are its powers of ten, thinned out. */
function ticksOf(
  scale: ReturnType<typeof axisScale>,
  { scale: kind, ticks }: AxisOptions,
  count: number,
): readonly number[] {
  if (ticks) return ticks;
  if (kind !== "log") return scale.ticks(count);
  const [low = 1, high = 10] = scale.domain();
  const powers: number[] = [];
  for (let p = Math.ceil(Math.log10(low)); p <= Math.floor(Math.log10(high)); p++) powers.push(10 ** p);
  if (powers.length < 2) return scale.ticks(count);
  const every = Math.ceil(powers.length / count);
  return powers.filter((_, i) => i % every === 0);
}

function frame({ title, width = 640, height = 320 }: PlotOptions, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="#374151"><title>${escapeXml(title)}</title><rect width="${width}" height="${height}" fill="#ffffff"/><text x="${margin.left}" y="18" font-size="14" font-weight="600">${escapeXml(title)}</text>${parts.join("")}</svg>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

/**
 * Lines of several series as SVG text, with a legend where there is more than one.
 * @example
 * const axes = { x: { label: "epoch" }, y: { label: "loss", scale: "log" } } as const;
 * linePlot([{ name: "training", points: [[1, 0.9], [2, 0.4]] }], { title: "Loss", ...axes });
 */
export function linePlot(series: readonly Series[], options: PlotOptions): string {
  checkLines(options);
  const { width = 640, height = 320, x, y } = options;
  const named = series.filter(({ faint }) => !faint);
  const legend = named.length > 1 ? 40 + 6.7 * greatest(named.map(({ name }) => name.length)) : 0;
  const right = round(width - margin.right - legend);
  const bottom = height - margin.bottom;
  const points = series.flatMap((own) => own.points);
  const across = axisScale(
    spanOf(
      points.map(([value]) => value),
      x,
    ),
    [margin.left, right],
    x,
  );
  const up = axisScale(
    spanOf(
      points.map(([, value]) => value),
      y,
    ),
    [bottom, margin.top],
    y,
  );
  const drawn = series.map((one, i) => {
    const { name, points: own, dashed, dots = true, faint } = one;
    const colour = escapeXml(one.colour ?? palette[i % palette.length] ?? palette[0]);
    const visible = own.filter(([, value]) => Number.isFinite(value) && (y.scale !== "log" || value > 0));
    const path = line<readonly [number, number]>(
      ([at]) => round(across(at)),
      ([, value]) => round(up(value)),
    )([...visible]);
    const marks = (dots ? visible : []).map(
      ([at, value]) => `<circle cx="${round(across(at))}" cy="${round(up(value))}" r="3" fill="${colour}"/>`,
    );
    const look = `stroke="${colour}" stroke-width="${faint ? 1 : 2}"${dashed ? ' stroke-dasharray="5 3"' : ""}`;
    const place = named.indexOf(one);
    const entry = `<g transform="translate(${right + 14},${margin.top + 8 + 20 * place})"><line x2="18" ${look}/><text x="24" y="4">${escapeXml(name)}</text></g>`;
    return `<path d="${path ?? ""}" fill="none" ${look}${faint ? ' stroke-opacity="0.25"' : ""}/>${marks.join("")}${legend && place >= 0 ? entry : ""}`;
  });
  return frame(options, [axes({ across, up, right, bottom, options }), ...drawn]);
}

/** A dot of a scatter plot, with a label beside it if there is one. */
export interface Dot {
  readonly x: number;
  readonly y: number;
  readonly label?: string;
}

/** Dots in a plane, coloured by group; more groups than colours share the last, grey. A label that would cover another is left out. */
export function scatterPlot(
  groups: readonly { readonly name: string; readonly dots: readonly Dot[] }[],
  options: PlotOptions,
): string {
  const { width = 640, height = 480, x, y } = options;
  const [right, bottom] = [width - margin.right - 110, height - margin.bottom];
  const dots = groups.flatMap((own) => own.dots);
  const spanned = (values: readonly number[]): AxisOptions["domain"] => [least(values), greatest(values)];
  const both = {
    x: { domain: spanned(dots.map((dot) => dot.x)), ...x },
    y: { domain: spanned(dots.map((dot) => dot.y)), ...y },
  };
  const across = axisScale(spanOf([], both.x), [margin.left, right], both.x);
  const up = axisScale(spanOf([], both.y), [bottom, margin.top], both.y);
  const at = (dot: Dot) => [round(across(dot.x)), round(up(dot.y))] as const;
  const colourOf = (group: number) => groupColours[Math.min(group, groupColours.length - 1)];
  const drawn = groups.flatMap(({ dots: own }, i) =>
    own.map((dot) => {
      const [cx, cy] = at(dot);
      return `<circle cx="${cx}" cy="${cy}" r="2.5" fill="${colourOf(i)}" fill-opacity="0.7"/>`;
    }),
  );
  const taken: (readonly [left: number, top: number, length: number])[] = [];
  const names = dots.flatMap((dot) => {
    const [left, top] = at(dot);
    // Beside the dot, on the side where there is room.
    const anchor = left > (margin.left + right) / 2 ? "end" : "start";
    const length = 5.5 * (dot.label?.length ?? 0);
    const start = anchor === "end" ? left - length : left;
    const overlaps = taken.some(([l, t, own]) => Math.abs(t - top) < 11 && l < start + length && start < l + own);
    if (dot.label === undefined || overlaps) return [];
    taken.push([start, top, length]);
    const place = `x="${left + (anchor === "end" ? -5 : 5)}" y="${top + 4}"`;
    return [`<text ${place} text-anchor="${anchor}" font-size="10">${escapeXml(dot.label)}</text>`];
  });
  const legend = groups.map(
    ({ name }, i) =>
      `<g transform="translate(${right + 16},${margin.top + 8 + 18 * i})"><circle r="4" fill="${colourOf(i)}"/><text x="10" y="4">${escapeXml(name)}</text></g>`,
  );
  const whole = { ...options, width, height, ...both };
  return frame(whole, [axes({ across, up, right, bottom, options: whole }), ...drawn, ...names, ...legend]);
}

/** Bars as SVG text, one at each whole number, such as how often it occurs. */
export function barPlot(bars: readonly (readonly [x: number, y: number])[], options: PlotOptions): string {
  checkBars(options);
  const { width = 640, height = 320, x, y } = options;
  const right = width - margin.right;
  const bottom = height - margin.bottom;
  const values = bars.map(([value]) => value);
  const [first, last] = [least(values), greatest(values)];
  const all = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const across = scaleBand<number>()
    .domain(all)
    .range([margin.left, right])
    .padding(all.length > 80 ? 0 : 0.15);
  const up = axisScale(
    spanOf(
      bars.map(([, value]) => value),
      y,
    ),
    [bottom, margin.top],
    y,
  );
  const drawn = bars.map(([at, value]) => {
    const top = round(up(value));
    return `<rect x="${round(across(at) ?? 0)}" y="${top}" width="${Math.max(1, round(across.bandwidth()))}" height="${round(bottom - top)}" fill="${palette[0]}"><title>${at}: ${tickText(value)}</title></rect>`;
  });
  const middle = scaleLinear()
    .domain([first - 0.5, last + 0.5])
    .range([margin.left, right]);
  return frame(options, [axes({ across: middle, up, right, bottom, options: { ...options, x } }), ...drawn]);
}

interface Axes {
  readonly across: ReturnType<typeof axisScale>;
  readonly up: ReturnType<typeof axisScale>;
  readonly right: number;
  readonly bottom: number;
  readonly options: PlotOptions;
}

function axes({ across, up, right, bottom, options: { x, y } }: Axes): string {
  const rows = ticksOf(up, y, 6).map((tick) => {
    const at = round(up(tick));
    return `<line x1="${margin.left}" x2="${right}" y1="${at}" y2="${at}" stroke="#e5e7eb"/><text x="${margin.left - 8}" y="${at + 4}" text-anchor="end">${tickText(tick, y)}</text>`;
  });
  const columns = ticksOf(across, x, 8).map((tick) => {
    const at = round(across(tick));
    return `<line x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 4}" stroke="#9ca3af"/><text x="${at}" y="${bottom + 18}" text-anchor="middle">${tickText(tick, x)}</text>`;
  });
  const middle = (margin.left + right) / 2;
  return `${rows.join("")}<line x1="${margin.left}" x2="${right}" y1="${bottom}" y2="${bottom}" stroke="#9ca3af"/>${columns.join("")}<text x="${middle}" y="${bottom + 36}" text-anchor="middle">${escapeXml(x.label)}</text><text transform="translate(14,${(margin.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(y.label)}</text>`;
}
