/** `sardonyx compare`: networks side by side. */
import { stringify } from "csv-stringify/sync";
import { type Comparison, compare, type Quantity } from "../../analyze/report/compare.ts";
import { OptionError, unknownName } from "../../core/errors.ts";
import { markdownText } from "../../core/printable.ts";
import { choice, defineCommand } from "../command.ts";
import { targetDescription } from "../inspect/target.ts";
import { amount, bytes, longCount } from "../inspect/units.ts";
import { inspectTarget, whatIfOptions } from "../inspect/what-if.ts";
import type { Output } from "../output.ts";
import { showTable } from "../show-table.ts";
import { pad, widest } from "../text.ts";

type Value = number | string | null;

/** Figures as people read them. */
const shownAs: Readonly<Record<Quantity, (value: Exclude<Value, null>) => string>> = {
  count: longCount,
  amount: (value) => amount(Number(value)),
  bytes: (value) => bytes(Number(value)),
  number: (value) => Number(value).toFixed(1),
  text: String,
};

const show = (quantity: Quantity, value: Value): string => (value === null ? "-" : shownAs[quantity](value));

/** Tables of as many models as fit beside one another. */
function showTables({ models, sections }: Comparison, output: Output): void {
  const cells = sections.map(({ name, rows }) => ({
    name,
    rows: rows.map((row) => [row.name, ...row.values.map((value) => show(row.quantity, value))]),
  }));
  const labels = widest(cells.flatMap(({ name, rows }) => [name, ...rows.map(([label = ""]) => label)]));
  const widths = models.map((model, i) =>
    widest([model, ...cells.flatMap(({ rows }) => rows.map((row) => row[i + 1] ?? ""))]),
  );
  for (let from = 0; from < models.length; ) {
    let to = from + 1;
    let width = labels + 2 + (widths[from] ?? 0);
    while (to < models.length && width + 2 + (widths[to] ?? 0) <= output.columns) width += 2 + (widths[to++] ?? 0);
    for (const { name, rows } of cells) {
      if (rows.length === 0) continue;
      output.line();
      // Padded, so that the columns of all sections stand below one another.
      const padded = (text: string, i: number) => pad(text, widths[from + i] ?? 0, "right");
      const columns = [pad(name, labels), ...models.slice(from, to).map(padded)].map((head) => ({ head }));
      const own = rows.map(([label = "", ...values]) => [label, ...values.slice(from, to).map(padded)]);
      showTable(columns, own, output);
    }
    from = to;
  }
}

const documents = {
  table: showTables,
  json: (comparison: Comparison, output: Output) => output.line(JSON.stringify(comparison, null, 2)),
  csv({ models, sections }: Comparison, output: Output) {
    const rows = sections.flatMap(({ name, rows: own }) => own.map((row) => [name, row.name, ...row.values]));
    const table = stringify([["section", "figure", ...models], ...rows], { escape_formulas: true });
    output.line(table.trimEnd());
  },
  markdown({ models, sections }: Comparison, output: Output) {
    for (const { name, rows } of sections) {
      if (rows.length === 0) continue;
      output.line(
        `| ${markdownText(name)} | ${models.map(markdownText).join(" | ")} |\n| --- |${models.map(() => " ---: |").join("")}`,
      );
      for (const row of rows)
        output.line(
          `| ${markdownText(row.name)} | ${row.values.map((value) => show(row.quantity, value)).join(" | ")} |`,
        );
      output.line();
    }
  },
} as const;
type Format = keyof typeof documents;

function formatOf(name: string): Format {
  if (!Object.hasOwn(documents, name)) throw unknownName("format", name, Object.keys(documents));
  return name as Format;
}

export const command = defineCommand({
  arguments: [{ name: "TARGET", description: targetDescription, variadic: true }],
  options: { ...whatIfOptions, format: choice(`${Object.keys(documents).join(", ")}; default table`, formatOf) },
  examples: [
    ["sardonyx compare vgg16 resnet50 vit_b_16", "three ways to classify images"],
    ["sardonyx compare bert_base_uncased distilbert_base_uncased albert_base_v2", "fewer parameters, less depth"],
    ["sardonyx compare model.onnx resnet50 --batch 32 --format markdown", "your own beside a known one"],
  ],
  async run({ arguments: targets, options, output }) {
    if (targets.length < 2) throw new OptionError("compare needs two networks or more; sardonyx inspect shows one");
    const { format = "table", ...whatIfs } = options;
    const inspections = [];
    for (const target of targets) inspections.push((await inspectTarget(target, whatIfs, output)).inspection);
    const comparison = compare(inspections);
    output.record("comparison", { ...comparison });
    documents[format](comparison, output);
  },
});
