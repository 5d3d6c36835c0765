/** An inspection as Markdown, with its structure as a chart that GitHub draws. */
import { type FoldedItem, foldLayers } from "../../analyze/report/fold.ts";
import type { Inspected } from "../../analyze/report/inspect.ts";
import { mermaidOf } from "../../analyze/report/mermaid.ts";
import type { InspectedLayer, Inspection } from "../../analyze/report/schema.ts";
import { count, plural } from "../../core/number-text.ts";
import { markdownText } from "../../core/printable.ts";
import { amount, bytes, extents, longCount, share, stepTime } from "./units.ts";

/** A table; the columns after the first `left` hold numbers. */
const table = (head: readonly string[], rows: readonly (readonly string[])[], left: number): string =>
  [head, head.map((_, i) => (i < left ? "---" : "---:")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

/** The document. */
export function markdownOf(inspected: Inspected): string {
  const { inspection } = inspected;
  const { model, source, scale, inputs, parameters, notes } = inspection;
  const shapes = inputs.map(({ name, dtype, shape }) => `${markdownText(name)} ${dtype} ${extents(shape)}`).join(", ");
  const chart = mermaidOf(inspected);
  const parts = [
    `# ${markdownText(model)}`,
    markdownText(source),
    `${plural(parameters.total, "parameter")} (${scale}), ${count(parameters.trainable)} to be trained${shapes ? `; input ${shapes}` : ""}.`,
    `## Depth\n\n${depthTable(inspection)}`,
    `## Parameters by kind\n\n${kindTable(inspection)}`,
    ...(inspection.cost.macs === null ? [] : [`## Cost of this input\n\n${costTable(inspection)}`]),
    ...(inspection.depth.weighted === null ? [] : [`## Structure\n\n\`\`\`mermaid\n${chart}\`\`\``]),
    `## Layers\n\n${layerTable(inspection)}`,
    ...(notes.length > 0 ? [`## Notes\n\n${notes.map((note) => `- ${markdownText(note)}`).join("\n")}`] : []),
  ];
  return `${parts.join("\n\n")}\n`;
}

function depthTable({ depth }: Inspection): string {
  const known = (value: number | null) => (value === null ? "-" : count(value));
  const { paths, recurrent } = depth;
  return table(
    ["Depth", ""],
    [
      ["weighted layers on the longest path", known(depth.weighted)],
      ["layers that own parameters", known(depth.parameterLayers)],
      ["credit-assignment path", known(depth.creditAssignmentPath)],
      ["blocks", known(depth.blocks)],
      ...(paths
        ? [
            ["paths", longCount(paths.count)],
            ["weighted layers on a path", `${paths.min} to ${paths.max}, mean ${paths.mean.toFixed(1)}`],
          ]
        : []),
      ...(recurrent ? [[`unrolled over ${plural(recurrent.steps, "step")}`, count(recurrent.unrolled)]] : []),
    ],
    1,
  );
}

const kindTable = ({ byKind, parameters, cost }: Inspection): string =>
  table(
    ["Kind", "Parameters", "Share", "To be trained", "MACs", "Share"],
    byKind.map(({ kind, parameters: own, trainable, macs }) => [
      kind,
      count(own),
      share(own, parameters.total),
      count(trainable),
      amount(macs),
      share(macs ?? 0, cost.macs ?? 0),
    ]),
    1,
  );

const costTable = ({ cost, settings }: Inspection): string =>
  table(
    ["Cost", ""],
    [
      ["multiply-adds forward", amount(cost.macs)],
      ["FLOPs forward", amount(cost.forwardFlops)],
      ["FLOPs backward", amount(cost.backwardFlops)],
      ["activations kept for backward", bytes(cost.activationBytes)],
      ["memory to predict", bytes(cost.predictionBytes)],
      [`memory to train (${settings.optimizer}, ${settings.precision})`, bytes(cost.trainingBytes)],
      ...(cost.stepSeconds === null ? [] : [[`time of a step (${settings.hardware})`, stepTime(cost.stepSeconds)]]),
    ],
    1,
  );

function layerTable({ layers }: Inspection): string {
  const rows: string[][] = [];
  const add = (item: FoldedItem): void => {
    if ("layer" in item) {
      rows.push(layerRow(item.layer));
      return;
    }
    const [first] = item.blocks;
    rows.push([
      `**${item.blocks.length} × alike:** ${markdownText(first)} to ${markdownText(item.blocks.at(-1) ?? "")}`,
      "",
      "",
      "",
      "",
    ]);
    for (const inner of item.items) add(inner);
  };
  for (const item of foldLayers(layers)) add(item);
  return table(["Layer", "Type", "Output", "Parameters", "MACs"], rows, 4);
}

const layerRow = ({ name, type, outputShape, formula, macs, runs }: InspectedLayer): string[] => [
  `${markdownText(name)}${runs > 1 ? ` ×${runs}` : ""}`,
  markdownText(type),
  extents(outputShape),
  formula || "0",
  amount(macs),
];
