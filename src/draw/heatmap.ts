/** A table of shares as SVG text, its rows and columns named: what attends to what. */
import { greatest } from "../core/lists.ts";
import { listOf, matching, string } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { escapeXml } from "./plot.ts";

/** Options of `heatmap`. */
export interface HeatmapOptions {
  /** Text above the table. */
  readonly title: string;
  /** Names beside the rows. */
  readonly rows: readonly string[];
  /** Names above the columns. */
  readonly columns: readonly string[];
  /** Shares in [0, 1], row after row. */
  readonly values: ArrayLike<number>;
}

const checkOptions = optionsOf<HeatmapOptions>("heatmap", {
  title: required(string),
  rows: required(listOf(string, "names")),
  columns: required(listOf(string, "names")),
  values: required(matching("numbers in [0, 1]", (value) => Array.isArray(value) || ArrayBuffer.isView(value))),
});

const cell = 22;
/** A letter's width, near enough. */
const letter = 7;

/**
 * A table of shares as SVG text: squares the darker the larger their share, whose number a pointer shows.
 * @example
 * heatmap({ title: "attention", rows: target, columns: source, values: weights.data });
 */
export function heatmap(options: HeatmapOptions): string {
  const { title, rows, columns, values } = checkOptions(options);
  const longest = (names: readonly string[]) =>
    letter *
    greatest(
      names.map((name) => [...name].length),
      1,
    );
  const left = 16 + longest(rows);
  const top = 44 + longest(columns);
  const [width, height] = [
    Math.max(left + cell * columns.length, letter * title.length) + 16,
    top + cell * rows.length + 12,
  ];
  const squares = rows.flatMap((row, y) =>
    columns.map((column, x) => {
      const value = Math.min(1, Math.max(0, values[y * columns.length + x] ?? 0));
      const title = `${escapeXml(row)}: ${escapeXml(column)} ${value.toFixed(2)}`;
      return `<rect x="${left + cell * x}" y="${top + cell * y}" width="${cell - 1}" height="${cell - 1}" fill="#0072b2" fill-opacity="${value.toFixed(3)}"><title>${title}</title></rect>`;
    }),
  );
  const beside = rows.map(
    (name, y) => `<text x="${left - 6}" y="${top + cell * y + 15}" text-anchor="end">${escapeXml(name)}</text>`,
  );
  const above = columns.map(
    (name, x) =>
      `<text transform="translate(${left + cell * x + 14},${top - 6}) rotate(-90)">${escapeXml(name)}</text>`,
  );
  const frame = `<rect x="${left - 0.5}" y="${top - 0.5}" width="${cell * columns.length}" height="${cell * rows.length}" fill="none" stroke="#9ca3af"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#111827"><rect width="${width}" height="${height}" fill="#ffffff"/><text x="16" y="22" font-size="14">${escapeXml(title)}</text>${squares.join("")}${frame}${beside.join("")}${above.join("")}</svg>\n`;
}
