/** A table of numbers as SVG text, its rows and columns named: what attends to what, layers over time. */
import { greatest, least } from "../core/lists.ts";
import { count, listOf, matching, oneOf, pairType, string } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { escapeXml } from "./plot.ts";

/** What the darkness of a square means. */
export interface HeatmapColours {
  /** What the squares show, named beneath them with the numbers of the lightest and the darkest. */
  readonly label: string;
  /** The numbers of the lightest and the darkest square; default the least and the greatest, of a logarithm above 0. */
  readonly domain?: readonly [number, number];
  /** Default linear. */
  readonly scale?: "linear" | "log";
}

/** Options of `heatmap`. */
export interface HeatmapOptions {
  /** Text above the table. */
  readonly title: string;
  /** Names beside the rows. */
  readonly rows: readonly string[];
  /** Names above the columns; an empty one is left out. */
  readonly columns: readonly string[];
  /** Row after row: shares in [0, 1], or any numbers with `colours`. */
  readonly values: ArrayLike<number>;
  /** Default shares, from 0 to 1, without a legend. */
  readonly colours?: HeatmapColours;
  /** Size of a square in pixels; default 22. */
  readonly cell?: number;
}

const checkOptions = optionsOf<HeatmapOptions>("heatmap", {
  title: required(string),
  rows: required(listOf(string, "names")),
  columns: required(listOf(string, "names")),
  values: required(matching("a list of numbers", (value) => Array.isArray(value) || ArrayBuffer.isView(value))),
  colours: optionsOf<HeatmapColours>("heatmap", {
    label: required(string),
    domain: pairType("[low, high]"),
    scale: oneOf("linear", "log"),
  }).type,
  cell: count(4),
});

/** A letter's width, near enough. */
const letter = 7;
const colour = "#0072b2";
/** Of what is no number. */
const blank = "#d1d5db";
/** Pixels of a title, near enough; signs of East Asian scripts are twice as wide. */
const titleWidth = (title: string): number => [...title].reduce((sum, sign) => sum + (sign >= "\u2e80" ? 14 : 7.5), 0);
/** Squares of the legend. */
const steps = 24;

/** From a number to how dark it is, [0, 1]. */
interface Shades {
  readonly shadeOf: (value: number) => number;
  readonly textOf: (value: number) => string;
  readonly domain: readonly [number, number];
}

function shadesOf(values: ArrayLike<number>, colours: HeatmapColours | undefined): Shades {
  const clip = (share: number) => Math.min(1, Math.max(0, share));
  if (!colours) return { shadeOf: clip, textOf: (value) => clip(value).toFixed(2), domain: [0, 1] };
  const isLog = colours.scale === "log";
  const shown = Array.from(values).filter((value) => Number.isFinite(value) && (!isLog || value > 0));
  const [low, high] = colours.domain ?? (shown.length > 0 ? [least(shown), greatest(shown)] : [isLog ? 1 : 0, 1]);
  const at = isLog ? (value: number) => Math.log(Math.max(value, Number.MIN_VALUE)) : (value: number) => value;
  const span = at(high) - at(low);
  return {
    // Of equal numbers none is darker.
    shadeOf: (value) => (span === 0 ? 0.5 : clip((at(value) - at(low)) / span)),
    textOf: (value) => String(Number(value.toPrecision(3))),
    domain: [low, high],
  };
}

/**
 * A table of numbers as SVG text: squares the darker the larger their number, which a pointer shows; what is no number is grey.
 * @example
 * heatmap({ title: "attention", rows: target, columns: source, values: weights.data });
 */
export function heatmap(options: HeatmapOptions): string {
  const { title, rows, columns, values, colours, cell = 22 } = checkOptions(options);
  const shades = shadesOf(values, colours);
  const longest = (names: readonly string[]) =>
    letter *
    greatest(
      names.map((name) => [...name].length),
      1,
    );
  const left = 16 + longest(rows);
  const top = 44 + longest(columns);
  const bottom = top + cell * rows.length;
  const [width, height] = [
    Math.max(left + cell * columns.length, 16 + titleWidth(title), colours ? left + legendWidth(colours, shades) : 0) +
      16,
    bottom + (colours ? 44 : 12),
  ];
  const middle = Math.round(cell / 2) + 4;
  const squares = rows.flatMap((row, y) =>
    columns.map((column, x) => {
      const value = values[y * columns.length + x] ?? Number.NaN;
      const fill = Number.isNaN(value)
        ? `fill="${blank}"`
        : `fill="${colour}" fill-opacity="${shades.shadeOf(value).toFixed(3)}"`;
      const title = `${escapeXml(row)}: ${escapeXml(column)} ${Number.isNaN(value) ? "no number" : shades.textOf(value)}`;
      return `<rect x="${left + cell * x}" y="${top + cell * y}" width="${cell - 1}" height="${cell - 1}" ${fill}><title>${title}</title></rect>`;
    }),
  );
  const size = cell < 14 ? ` font-size="${Math.max(7, cell)}"` : "";
  const beside = rows.map(
    (name, y) =>
      `<text x="${left - 6}" y="${top + cell * y + middle}" text-anchor="end"${size}>${escapeXml(name)}</text>`,
  );
  const above = columns.map((name, x) =>
    name === ""
      ? ""
      : `<text transform="translate(${left + cell * x + middle - 1},${top - 6}) rotate(-90)"${size}>${escapeXml(name)}</text>`,
  );
  const frame = `<rect x="${left - 0.5}" y="${top - 0.5}" width="${cell * columns.length}" height="${cell * rows.length}" fill="none" stroke="#9ca3af"/>`;
  const legend = colours ? legendOf(colours, shades, { left, top: bottom + 14 }) : "";
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#111827"><title>${escapeXml(title)}</title><rect width="${width}" height="${height}" fill="#ffffff"/><text x="16" y="22" font-size="14">${escapeXml(title)}</text>${squares.join("")}${frame}${beside.join("")}${above.join("")}${legend}</svg>\n`;
}

const lowText = ({ domain: [low], textOf }: Shades): string => textOf(low);
const highText = ({ label }: HeatmapColours, { domain: [, high], textOf }: Shades): string =>
  `${textOf(high)}  ${label}`;

const legendWidth = (colours: HeatmapColours, shades: Shades): number =>
  letter * (lowText(shades).length + highText(colours, shades).length + 2) + 6 * steps;

/** A bar from the lightest to the darkest, between their numbers, and what they are of. */
function legendOf(
  colours: HeatmapColours,
  shades: Shades,
  { left, top }: { readonly left: number; readonly top: number },
): string {
  const start = left + letter * (lowText(shades).length + 1);
  const bar = Array.from(
    { length: steps },
    (_, i) =>
      `<rect x="${start + 6 * i}" y="${top}" width="6" height="12" fill="${colour}" fill-opacity="${(i / (steps - 1)).toFixed(2)}"/>`,
  );
  return `<g><text x="${left}" y="${top + 10}">${escapeXml(lowText(shades))}</text>${bar.join("")}<text x="${start + 6 * steps + letter}" y="${top + 10}">${escapeXml(highText(colours, shades))}</text></g>`;
}
