/** Networks side by side: depth in each sense, parameters by kind, cost, memory. */
import { isSparse } from "./inspect.ts";
import type { Inspection } from "./schema.ts";

/** How a figure is to be read. */
export type Quantity = "count" | "amount" | "bytes" | "number" | "text";

/** One figure of every network; null where it is not known. */
export interface ComparedRow {
  readonly name: string;
  readonly quantity: Quantity;
  readonly values: readonly (number | string | null)[];
}

/** Figures of one subject, such as depth or cost. */
export interface ComparedSection {
  readonly name: string;
  readonly rows: readonly ComparedRow[];
}

/** Networks side by side: sections of figures, in each row one value for each network. */
export interface Comparison {
  readonly models: readonly string[];
  readonly sections: readonly ComparedSection[];
}

/**
 * Compares inspections: depth in each sense, parameters, parameters by kind of layer, cost. A figure that is not known
 * is null.
 * @example
 * const comparison = compare([inspect(resnet, options), inspect(vit, options)].map(({ inspection }) => inspection));
 */
export function compare(inspections: readonly Inspection[]): Comparison {
  const row = (
    name: string,
    quantity: Quantity,
    value: (inspection: Inspection) => number | string | null | undefined,
  ): ComparedRow => ({ name, quantity, values: inspections.map((inspection) => value(inspection) ?? null) });
  const kinds = [...new Set(inspections.flatMap(({ byKind }) => byKind.map(({ kind }) => kind)))];
  const ofKind = ({ byKind }: Inspection, kind: string) => byKind.find((own) => own.kind === kind)?.parameters ?? 0;
  const isOwned = (kind: string) => inspections.some((inspection) => ofKind(inspection, kind) > 0);
  return {
    models: inspections.map(({ model }) => model),
    sections: [
      {
        name: "Depth",
        rows: [
          row("weighted layers", "count", ({ depth }) => depth.weighted),
          row("layers with parameters", "count", ({ depth }) => depth.parameterLayers),
          row("credit-assignment path", "count", ({ depth }) => depth.creditAssignmentPath),
          row("blocks", "count", ({ depth }) => depth.blocks),
          row("paths", "count", ({ depth }) => depth.paths?.count),
          row("shortest path", "count", ({ depth }) => depth.paths?.min),
          row("mean path", "number", ({ depth }) => depth.paths?.mean),
          row("longest path", "count", ({ depth }) => depth.paths?.max),
          ...(inspections.some(({ depth }) => depth.recurrent)
            ? [row("unrolled", "count", ({ depth }) => depth.recurrent?.unrolled)]
            : []),
        ],
      },
      {
        name: "Parameters",
        rows: [
          row("all", "count", ({ parameters }) => parameters.total),
          row("to be trained", "count", ({ parameters }) => parameters.trainable),
          row("frozen", "count", ({ parameters }) => parameters.frozen),
          ...(inspections.some(({ parameters }) => isSparse(parameters))
            ? [row("not 0", "count", ({ parameters }) => parameters.effective)]
            : []),
          row("buffers", "count", ({ parameters }) => parameters.buffers),
          row("stored", "bytes", ({ parameters }) => parameters.bytes),
        ],
      },
      {
        name: "Parameters by kind of layer",
        rows: kinds.filter(isOwned).map((kind) => row(kind, "count", (inspection) => ofKind(inspection, kind))),
      },
      {
        name: "Cost",
        rows: [
          row("input", "text", ({ inputs }) => inputs.map(({ shape }) => shape.join("×")).join(" ")),
          row("multiply-adds", "amount", ({ cost }) => cost.macs),
          row("FLOPs forward", "amount", ({ cost }) => cost.forwardFlops),
          row("FLOPs backward", "amount", ({ cost }) => cost.backwardFlops),
          row("activations kept", "bytes", ({ cost }) => cost.activationBytes),
          row("memory to predict", "bytes", ({ cost }) => cost.predictionBytes),
          row("memory to train", "bytes", ({ cost }) => cost.trainingBytes),
        ],
      },
    ],
  };
}
