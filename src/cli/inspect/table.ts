/** An inspection for a terminal: tables that fit its width. */
import { type FoldedItem, foldLayers, layersIn } from "../../analyze/report/fold.ts";
import { isSparse } from "../../analyze/report/inspect.ts";
import type { InspectedLayer, Inspection } from "../../analyze/report/schema.ts";
import { count, plural } from "../../core/number-text.ts";
import type { Output } from "../output.ts";
import { showTable } from "../show-table.ts";
import { type Column, cut, fittedWidths, pad, widest, wrap } from "../text.ts";
import { amount, bar, bytes, extents, longCount, share, stepTime } from "./units.ts";

export interface TableOptions {
  /** Show every repeated block. */
  readonly all: boolean;
}

/** Shows everything, the most important first. */
export function showInspection(inspection: Inspection, { all }: TableOptions, output: Output): void {
  const { model, source, scale, inputs, parameters, notes } = inspection;
  output.prose(`${model}: ${plural(parameters.total, "parameter")} (${scale})`);
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
  showTable(columns, rows, output);
}

/** A list of names and values, the values in one column. */
function facts(rows: readonly (readonly [string, string, string?])[], output: Output): void {
  const width = widest(rows.map(([name]) => name));
  const values = widest(rows.map(([, value]) => value));
  for (const [name, value, remark] of rows) {
    const line = `  ${pad(name, width)}  ${pad(value, values, "right")}`;
    const fits = remark && widest([line]) + 2 + widest([remark]) <= output.columns;
    output.line(fits ? `${line}  ${remark}` : line);
    if (remark && !fits) indented(remark, output, 4);
  }
}

/** Words in lines that fit, the first of them moved in and the others further. */
function indented(text: string, output: Output, indent = 2): void {
  for (const line of wrap(text, output.columns - indent, 2)) output.line(`${" ".repeat(indent)}${line}`);
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
              `of ${paths.min} to ${paths.max} layers, mean ${paths.mean.toFixed(1)}`,
            ] as const,
          ]
        : []),
      ...(recurrent
        ? [
            [
              "recurrent depth",
              count(recurrent.perStep),
              recurrent.perStep === 1 ? "weighted layer a step" : "weighted layers a step",
            ] as const,
            ["unrolled", count(recurrent.unrolled), `over ${plural(recurrent.steps, "step")}`] as const,
          ]
        : []),
    ],
    output,
  );
}

function showParameters({ parameters, byRole }: Inspection, output: Output): void {
  const { total, trainable, frozen, effective, buffers, bytesByPrecision, shared } = parameters;
  output.line("Parameters");
  facts(
    [
      ["to be trained", count(trainable), share(trainable, total)],
      ["frozen", count(frozen), share(frozen, total)],
      ...(isSparse(parameters) && effective !== null
        ? [["not 0", count(effective), share(effective, total)] as const]
        : []),
      ...(buffers > 0 ? [["buffers", count(buffers), "statistics and constants, not among them"] as const] : []),
      ...byRole.map(({ role, parameters: own }) => [`in ${role} layers`, count(own), share(own, total)] as const),
      ["stored", bytes(parameters.bytes)],
    ],
    output,
  );
  const precisions = Object.entries(bytesByPrecision).map(([name, size]) => `${name} ${bytes(size)}`);
  indented(`at one precision: ${precisions.join(", ")}`, output);
  for (const { name, layers: readers } of shared)
    indented(`shared, counted once: ${name}, read by ${someOf(readers)}`, output);
}

/** Names of a list, and how many more there are if it is long. */
const someOf = (names: readonly string[]): string =>
  names.length <= 4 ? names.join(" and ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;

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

function showCost({ cost, settings }: Inspection, output: Output): void {
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
            ["  gradients", bytes(memory.gradients)],
            ["  optimizer", bytes(memory.optimizer)],
            ["  activations and workspace", bytes(memory.activations)],
          ] as const)
        : []),
      ...(cost.stepSeconds === null
        ? []
        : ([["time of a step", stepTime(cost.stepSeconds), `${settings.hardware}, at 40 % of its peak`]] as const)),
    ],
    output,
  );
}

const backwardShare = (forward: number | null, backward: number | null): string =>
  forward && backward ? `${(backward / forward).toFixed(2)} times forward` : "";

function showLayers({ layers, cost, parameters }: Inspection, all: boolean, output: Output): void {
  const wide = output.columns >= 120;
  const items = all ? layers.map((layer) => ({ layer })) : foldLayers(layers);
  const rows: string[][] = [];
  // Of the layers that read a shared parameter, the first counts it.
  const owners = new Map(
    parameters.shared.flatMap(({ name, layers: [first, ...others] }) => others.map((own) => [own, first ?? name])),
  );
  const counted = (layer: InspectedLayer) => {
    if (layer.parameters > 0) return layer.formula;
    const owner = owners.get(layer.name);
    return owner === undefined ? "0" : `of ${owner}`;
  };
  const cellsOf = (layer: InspectedLayer, indent: string, block: string): string[] => [
    `${indent}${layer.name.slice(block.length)}${layer.runs > 1 ? ` ×${layer.runs}` : ""}`,
    ...(wide ? [layer.type, layer.role] : [shortKinds[layer.kind] ?? layer.kind]),
    extents(layer.outputShape?.slice(1)),
    counted(layer),
    ...(wide ? [count(layer.trainable)] : []),
    layer.macs === 0 ? "0" : amount(layer.macs),
    ...(wide ? [share(layer.macs ?? 0, cost.macs ?? 0)] : []),
  ];
  // In a block, names are shown from the block's own on.
  const add = (item: FoldedItem, indent: string, block: string) => {
    if ("layer" in item) return rows.push(cellsOf(item.layer, indent, block));
    const [first, ...others] = item.blocks;
    const from = first.slice(block.length);
    rows.push([`${indent}${from} to ${lastPart(others.at(-1) ?? "")}: ${item.blocks.length} blocks alike`]);
    for (const own of item.items) add(own, `${indent}  `, first);
    return undefined;
  };
  for (const item of items) add(item, "", "");
  const head = wide
    ? ["Layer", "Type", "Role", "Output", "Parameters", "To be trained", "MACs", "Share"]
    : ["Layer", "Kind", "Output", "Parameters", "MACs"];
  const aligned = new Set(["To be trained", "MACs", "Share"]);
  showRows(
    head.map((name) => (aligned.has(name) ? right(name) : { head: name })),
    rows,
    output,
  );
  const represented = items.reduce((sum, item) => sum + layersIn(item), 0);
  const hidden = represented - rows.filter((cells) => cells.length > 1).length;
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
  const widths = fittedWidths(
    columns.map(({ head }, i) => widest([head, ...cells.map((row) => row[i] ?? "")])),
    output.columns,
  );
  const fit = (text: string, i: number) => {
    const width = widths[i] ?? 0;
    return pad(shorten(text, width, i === 0), width, columns[i]?.align);
  };
  const line = (row: readonly string[]) => row.map(fit).join("  ").trimEnd();
  output.line(line(columns.map(({ head }) => head)));
  output.line("─".repeat(widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1))));
  for (const row of rows) output.line(row.length > 1 ? line(row) : (row[0] ?? ""));
}

/** A name keeps its end; a formula its result; other text its beginning. */
function shorten(text: string, width: number, isName: boolean): string {
  if (isName || widest([text]) <= width) return cut(text, width, "end");
  const result = text.lastIndexOf(" = ");
  const tail = result < 0 ? "" : text.slice(result);
  const head = width - tail.length;
  return head < 3 ? `…${tail}`.slice(0, width) : `${cut(text.slice(0, text.length - tail.length), head)}${tail}`;
}
