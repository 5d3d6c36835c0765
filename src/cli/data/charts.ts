/** Charts of a profile's page as SVG text, in the colours of the page. */
import { greatest } from "../../core/lists.ts";
import { percent } from "../../core/number-text.ts";
import { inOneLine } from "../../core/printable.ts";
import type { Associations, ColumnProfile, NumberFigures, ValueCount } from "../../data/profile/profile.ts";
import { escapeXml, palette } from "../../draw/plot.ts";
import { valueText } from "./values.ts";

/** A text of a file within the page. */
export const shownText = (text: string, most = 60): string =>
  escapeXml(inOneLine(text.length > most ? `${text.slice(0, most - 1)}…` : text));

/** Bars of a histogram; a pointer shows each one's count. */
export function histogramChart(column: Pick<ColumnProfile, "kind">, { histogram }: NumberFigures): string {
  const { edges, counts } = histogram;
  const [width, height] = [240, 70];
  const most = greatest(counts, 1);
  const step = width / counts.length;
  const text = (value: number) => valueText(column, value);
  const bars = counts.map((own, i) => {
    const size = own === 0 ? 0 : Math.max(1, (height * own) / most);
    const title = `${text(edges[i] ?? 0)} to ${text(edges[i + 1] ?? 0)}: ${own}`;
    return `<rect x="${(i * step + 0.5).toFixed(1)}" y="${(height - size).toFixed(1)}" width="${Math.max(1, step - 1).toFixed(1)}" height="${size.toFixed(1)}" fill="${palette[0]}"><title>${escapeXml(title)}</title></rect>`;
  });
  return `<svg class="chart" role="img" viewBox="0 0 ${width} ${height + 16}"><line x1="0" x2="${width}" y1="${height}" y2="${height}" stroke="currentColor" stroke-opacity="0.4"/>${bars.join("")}<text x="0" y="${height + 13}">${escapeXml(text(edges[0] ?? 0))}</text><text x="${width}" y="${height + 13}" text-anchor="end">${escapeXml(text(edges.at(-1) ?? 0))}</text></svg>`;
}

/** Bars of values with their counts. @param distinct how many values there are in all */
export function countBars(values: readonly ValueCount[], total: number, most = 8, distinct = values.length): string {
  const shown = values.slice(0, most);
  const largest = greatest(
    shown.map(({ count }) => count),
    1,
  );
  const rows = shown.map(
    ({ value, count }) =>
      `<tr><th>${shownText(value, 32)}</th><td class="bar"><div style="width:${((100 * count) / largest).toFixed(1)}%;background:${palette[0]}"></div></td><td class="n">${count.toLocaleString("en-US")}</td><td class="n">${percent(count / total)}</td></tr>`,
  );
  const more =
    distinct > shown.length ? `<p class="soft">and ${(distinct - shown.length).toLocaleString("en-US")} more</p>` : "";
  return `<table class="counts">${rows.join("")}</table>${more}`;
}

/** A table of all pairs: red goes together, blue against each other; a pointer shows the number. */
export function associationMap({ names, values }: Associations): string {
  const cell = 26;
  const letter = 6.6;
  const shortened = names.map((name) => shownText(name, 22));
  const longest =
    letter *
      greatest(
        names.map((name) => Math.min(22, name.length)),
        1,
      ) +
    10;
  const [left, top] = [longest, longest * 0.75 + 8];
  const width = left + cell * names.length + longest * 0.75;
  const squares = values.flatMap((row, y) =>
    row.map((value, x) => {
      const colour = value === null ? "#9ca3af" : value < 0 ? palette[0] : "#c0392b";
      const title = `${names[y]} and ${names[x]}: ${value === null ? "unknown" : value.toFixed(2)}`;
      const number =
        value !== null && x !== y && Math.abs(value) >= 0.3
          ? `<text class="in" x="${left + cell * x + cell / 2}" y="${top + cell * y + 17}" text-anchor="middle">${value.toFixed(1).replace("0.", ".")}</text>`
          : "";
      return `<g><rect x="${left + cell * x}" y="${top + cell * y}" width="${cell - 1}" height="${cell - 1}" fill="${colour}" fill-opacity="${value === null ? 0.1 : Math.abs(value).toFixed(2)}"/>${number}<title>${escapeXml(inOneLine(title))}</title></g>`;
    }),
  );
  const beside = shortened.map(
    (name, y) => `<text x="${left - 6}" y="${top + cell * y + 17}" text-anchor="end">${name}</text>`,
  );
  const above = shortened.map(
    (name, x) => `<text transform="translate(${left + cell * x + 12},${top - 6}) rotate(-45)">${name}</text>`,
  );
  return `<svg class="map" role="img" width="${width.toFixed(0)}" viewBox="0 0 ${width.toFixed(0)} ${(top + cell * names.length + 8).toFixed(0)}">${squares.join("")}${beside.join("")}${above.join("")}</svg>`;
}
