/** An inspection as documents of several formats. */
import type { Inspected } from "../../analyze/report/inspect.ts";
import { mermaidOf } from "../../analyze/report/mermaid.ts";
import { unknownName } from "../../core/errors.ts";
import { textOutput } from "../output.ts";
import { markdownOf } from "./markdown.ts";
import { showInspection, type TableOptions } from "./table.ts";
import { extents } from "./units.ts";

export interface DocumentOptions extends TableOptions {
  /** Width of tables in text. */
  readonly columns: number;
}

/** How each format is written; what few ask for is loaded when they do. */
const writers = {
  table: ({ inspection }, { columns, ...options }) => {
    const output = textOutput(columns);
    showInspection(inspection, options, output);
    return output.text();
  },
  json: ({ inspection }) => `${JSON.stringify(inspection, null, 2)}\n`,
  csv: csvOf,
  markdown: markdownOf,
  mermaid: mermaidOf,
  html: async (inspected) => (await import("./html/page.ts")).htmlOf(inspected),
} as const satisfies Record<string, (inspected: Inspected, options: DocumentOptions) => string | Promise<string>>;

export type DocumentFormat = keyof typeof writers;

export const documentFormats = Object.keys(writers) as readonly DocumentFormat[];

/** The format of a name. Throws OptionError with the nearest name. */
export function documentFormatOf(name: string): DocumentFormat {
  if (!Object.hasOwn(writers, name)) throw unknownName("format", name, documentFormats);
  return name as DocumentFormat;
}

/** The document of an inspection. */
export const documentOf = async (
  format: DocumentFormat,
  inspected: Inspected,
  options: DocumentOptions,
): Promise<string> => writers[format](inspected, options);

/** One row a layer. */
async function csvOf({ inspection }: Inspected): Promise<string> {
  const { stringify } = await import("csv-stringify/sync");
  const rows = inspection.layers.map(({ outputShape, ...layer }) => ({ ...layer, outputShape: extents(outputShape) }));
  const columns = ["name", "kind", "type", "role", "outputShape", "parameters", "trainable", "formula", "macs", "runs"];
  // A name that begins as a formula would be computed by a spreadsheet.
  return stringify(rows, { header: true, columns, escape_formulas: true });
}
