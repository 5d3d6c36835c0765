/** What is saved as files: curves as CSV, as the picture of a chart and as SVG; runs as one page. */
import type { Curve, Drawing } from "../../src/studio/runs/curve.ts";
import { type CurveSvgOptions, curvesSvg } from "../../src/studio/runs/curve-svg.ts";
import { studio } from "../shared/api.ts";

/** Hands bytes to the browser as a file. */
function download(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** A cell of CSV: what could be taken for a formula or ends the cell is quoted. */
export const cell = (text: string): string => {
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** Curves as lines of CSV: a line for each point. */
export function csvOf(curves: readonly Curve[], nameOf: (run: string) => string): string {
  const lines = curves.flatMap(({ run, name, batches, values, times }) =>
    batches.map((batch, i) =>
      [nameOf(run), name, String(batch), String(times?.[i] ?? ""), String(values[i] ?? "")].map(cell).join(","),
    ),
  );
  return `${["run,curve,batch,time,value", ...lines].join("\n")}\n`;
}

/** A file's name of a curve's, which may have slashes. */
const fileName = (name: string, ending: string): string =>
  `${name.replace(/[^\p{L}\p{N}_]+/gu, "-") || "curves"}.${ending}`;

export const saveCsv = (curves: readonly Curve[], nameOf: (run: string) => string): void =>
  download(fileName(curves[0]?.name ?? "", "csv"), new Blob([csvOf(curves, nameOf)], { type: "text/csv" }));

/** Saves SVG text. */
export const saveSvgText = (svg: string, name: string): void =>
  download(fileName(name, "svg"), new Blob([svg], { type: "image/svg+xml" }));

/** Saves curves as lines that can be enlarged, under the name that stands above them. */
export function saveSvg({ curves, ...options }: CurveSvgOptions & { readonly curves: readonly Curve[] }): void {
  const svg = curvesSvg(curves, options);
  if (svg !== undefined) saveSvgText(svg, options.title);
}

/** Saves runs as one page of HTML, their curves drawn as they are shown. */
export async function savePage(runs: readonly string[], drawing: Drawing): Promise<void> {
  const name = runs.length === 1 ? (runs[0] ?? "") : "runs";
  download(fileName(name, "html"), await studio.page(runs, drawing));
}

/** Saves what a canvas shows, on the ground of the page. */
export function savePng(canvas: HTMLCanvasElement, name: string): void {
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height;
  const context = copy.getContext("2d");
  if (!context) return;
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  copy.toBlob((blob) => blob && download(fileName(name, "png"), blob));
}
