/** An inspection for a terminal: tables that fit its width. */
import { type FoldedItem, foldLayers, layersIn } from "../../analyze/fold.ts";
import type { InspectedLayer, Inspection } from "../../analyze/schema.ts";
import type { Output } from "../output.ts";
import { type Column, count, plural, table } from "../text.ts";
import { amount, bar, bytes, extents, longCount, share } from "./units.ts";

export interface TableOptions {
  /** Tell each of repeated blocks. */
  readonly all: boolean;
}

/** Shows everything, the most telling first. */
export function showInspection(inspection: Inspection, { all }: TableOptions, output: Output): void {
  const { model, source, scale, inputs, parameters, notes } = inspection;
  output.prose(`${model}: ${count(parameters.total)} parameters (${scale})`);
  output.prose(source);
  for (const { name, dtype, shape } of inputs) output.line(`Input ${name}: ${dtype} ${extents(shape)}`);
  for (const show of [showDepth, showParameters, showKinds, showCost]) {
    output.line();
    show(inspection, output);
  }
  output.line();
  showLayers(inspection, all, output);
  for (const note of notes) {
    output.line();
    output.prose(`Note: ${note}`, 6);
  }
}

const right = (head: string): Column => ({ head, align: "right" });

function lines(columns: readonly Column[], rows: readonly (readonly string[])[], output: Output): void {
  for (const line of table(columns, rows)) output.line(line);
}

/** A list of names and values, the values in one column. */
function facts(rows: readonly (readonly [string, string, string?])[], output: Output): void {
  const width = Math.max(...rows.map(([name]) => name.length));
  const values = Math.max(...rows.map(([, value]) => value.length));
  for (const [name, value, remark] of rows)
    output.line(`  ${name.padEnd(width)}  ${value.padStart(values)}${remark ? `  ${remark}` : ""}`);
}

function showDepth({ depth }: Inspection, output: Output): void {
  const { weighted, parameterLayers, creditAssignmentPath, blocks, paths, recurrent } = depth;
  output.line("Depth (docs/depth.md)");
  const known = (value: number | null) => (value === null ? "-" : count(value));
  facts(
    [
      ["weighted layers on the longest path", known(weighted)],
      ["layers that own parameters", known(parameterLayers)],
      ["credit-assignment path", known(creditAssignmentPath)],
      ["blocks", known(blocks)],
      ...(paths
        ? [
            [
              "paths",
              longCount(paths.count),
              `of ${paths.min} to ${paths.max} weighted layers, mean ${paths.mean.toFixed(1)}`,
            ] as const,
          ]
        : []),
      ...(recurrent
        ? [
            ["recurrent depth", count(recurrent.perStep), "weighted layers a step"] as const,
            ["unrolled", count(recurrent.unrolled), `over ${recurrent.steps} steps`] as const,
          ]
        : []),
    ],
    output,
  );
}

function showParameters({ parameters, byRole }: Inspection, output: Output): void {
  const { total, trainable, frozen, buffers, bytesByPrecision, shared } = parameters;
  output.line("Parameters");
  facts(
    [
      ["to be trained", count(trainable), share(trainable, total)],
      ["frozen", count(frozen), share(frozen, total)],
      ...(buffers > 0 ? [["running statistics", count(buffers), "not among them"] as const] : []),
      ...byRole.map(({ role, parameters: own }) => [`in ${role} layers`, count(own), share(own, total)] as const),
      ["stored", bytes(parameters.bytes)],
    ],
    output,
  );
  const precisions = Object.entries(bytesByPrecision).map(([name, size]) => `${name} ${bytes(size)}`);
  output.line(`  at one precision: ${precisions.join(", ")}`);
  for (const { name, layers: readers } of shared)
    output.line(`  shared, counted once: ${name}, read by ${readers.join(" and ")}`);
}

function showKinds({ byKind, parameters, cost }: Inspection, output: Output): void {
  const width = Math.max(8, Math.min(60, output.columns - 62));
  const rows = byKind
    .filter((kind) => kind.parameters > 0 || (kind.macs ?? 0) > 0)
    .map(({ kind, parameters: own, trainable, macs }) => [
      kind,
      count(own),
      share(own, parameters.total),
      bar(own, parameters.total, width),
      ...(output.columns >= 120 ? [count(trainable)] : []),
      amount(macs),
      share(macs ?? 0, cost.macs ?? 0),
    ]);
  const trainable = output.columns >= 120 ? [right("To be trained")] : [];
  lines(
    [{ head: "Kind" }, right("Parameters"), right("Share"), { head: "" }, ...trainable, right("MACs"), right("Share")],
    rows,
    output,
  );
}

function showCost({ cost, settings, parameters }: Inspection, output: Output): void {
  const { macs, forwardFlops, backwardFlops, activationBytes, trainingBytes, predictionBytes, memory } = cost;
  if (macs === null) return;
  output.line(`Cost of this input (a multiply-add is 1 MAC and 2 FLOPs)`);
  facts(
    [
      ["multiply-adds forward", amount(macs)],
      ["FLOPs forward", amount(forwardFlops)],
      ["FLOPs backward", amount(backwardFlops), backwardShare(forwardFlops, backwardFlops)],
      ["activations kept for backward", bytes(activationBytes)],
      ["memory to predict", bytes(predictionBytes)],
      ["memory to train", bytes(trainingBytes), `${settings.optimizer}, ${settings.precision}`],
      ...(memory
        ? ([
            ["  weights", bytes(memory.weights)],
            [
              "  gradients",
              bytes(memory.gradients),
              `of ${count(parameters.trainable)} parameters, and the engine's copies`,
            ],
            ["  optimizer", bytes(memory.optimizer)],
            ["  activations and workspace", bytes(memory.activations)],
          ] as const)
        : []),
    ],
    output,
  );
}

const backwardShare = (forward: number | null, backward: number | null): string =>
  forward && backward ? `${(backward / forward).toFixed(2)} times forward` : "";

function showLayers({ layers, cost }: Inspection, all: boolean, output: Output): void {
  const wide = output.columns >= 120;
  const items = all ? layers.map((layer) => ({ layer })) : foldLayers(layers);
  const rows: string[][] = [];
  const cellsOf = (layer: InspectedLayer, indent: string): string[] => [
    `${indent}${layer.name}${layer.runs > 1 ? ` ×${layer.runs}` : ""}`,
    ...(wide ? [layer.type, layer.role] : [shortKinds[layer.kind] ?? layer.kind]),
    extents(layer.outputShape?.slice(1)),
    layer.parameters > 0 ? layer.formula : "0",
    ...(wide ? [count(layer.trainable)] : []),
    layer.macs === 0 ? "0" : amount(layer.macs),
    ...(wide ? [share(layer.macs ?? 0, cost.macs ?? 0)] : []),
  ];
  const add = (item: FoldedItem, indent: string) => {
    if ("layer" in item) return rows.push(cellsOf(item.layer, indent));
    const { blocks, items: inner } = item;
    rows.push([`${indent}${blocks[0]} to ${lastPart(blocks.at(-1) ?? "")}: ${blocks.length} blocks alike`]);
    for (const own of inner) add(own, `${indent}  `);
    return undefined;
  };
  for (const item of items) add(item, "");
  const head = wide
    ? ["Layer", "Type", "Role", "Output", "Parameters", "To be trained", "MACs", "Share"]
    : ["Layer", "Kind", "Output", "Parameters", "MACs"];
  const aligned = new Set(["To be trained", "MACs", "Share"]);
  showRows(
    head.map((name) => (aligned.has(name) ? right(name) : { head: name })),
    rows,
    output,
  );
  const told = items.reduce((sum, item) => sum + layersIn(item), 0);
  const hidden = told - rows.filter((cells) => cells.length > 1).length;
  if (hidden > 0) output.line(`${plural(hidden, "layer")} of repeated blocks not shown; --all shows them`);
}

/** Kinds in a narrow column. */
const shortKinds: Readonly<Record<string, string>> = {
  convolution: "conv",
  pooling: "pool",
  embedding: "embed",
  recurrent: "rnn",
  attention: "attend",
  normalization: "norm",
  activation: "act",
  regularization: "drop",
  arithmetic: "arith",
  reshape: "shape",
  container: "block",
};

const lastPart = (path: string): string => path.slice(path.lastIndexOf(".") + 1);

/** Rows of a table whose cells are shortened so that they fit; a row of one cell is a heading across. */
function showRows(columns: readonly Column[], rows: readonly (readonly string[])[], output: Output): void {
  const cells = rows.filter((row) => row.length > 1);
  const widths = columns.map(({ head }, i) => Math.max(head.length, ...cells.map((row) => (row[i] ?? "").length)));
  const gaps = 2 * (columns.length - 1);
  // The widest column gives way first, down to what can still be read.
  const least = 12;
  for (;;) {
    const over = widths.reduce((sum, width) => sum + width, gaps) - output.columns;
    const widest = widths.indexOf(Math.max(...widths));
    if (over <= 0 || (widths[widest] ?? 0) <= least) break;
    const second = Math.max(least, ...widths.filter((_, i) => i !== widest));
    widths[widest] = Math.max(least, (widths[widest] ?? 0) - over, Math.min(second, (widths[widest] ?? 0) - 1));
  }
  const fit = (text: string, i: number) => {
    const width = widths[i] ?? 0;
    const short =
      text.length <= width
        ? text
        : i === 0
          ? `…${text.slice(text.length - width + 1)}`
          : `${text.slice(0, width - 1)}…`;
    return columns[i]?.align === "right" ? short.padStart(width) : short.padEnd(width);
  };
  const line = (row: readonly string[]) => row.map(fit).join("  ").trimEnd();
  output.line(line(columns.map(({ head }) => head)));
  output.line("─".repeat(widths.reduce((sum, width) => sum + width, gaps)));
  for (const row of rows) output.line(row.length > 1 ? line(row) : (row[0] ?? ""));
}
