/** A table of a model's layers: output shapes, and the parameters to be trained with their formula. */
import type { Shape } from "../core/shape.ts";
import { size } from "../core/shape.ts";
import type { TensorType } from "../graph/ir.ts";
import type { LayerKind, Module, TraceOptions } from "./module.ts";

export interface LayerSummary {
  /** Path of the layer: `layers.0`. */
  readonly path: string;
  /** Its type: `conv2d`. */
  readonly type: string;
  readonly kind: LayerKind;
  /** Shape of its output for the traced input. */
  readonly outputShape: Shape;
  readonly parameters: number;
  readonly trainable: number;
  /** How the count comes about, `3·3·32·64 + 64`; empty for a layer without parameters. */
  readonly formula: string;
  /** Elements that the forward pass itself updates. */
  readonly buffers: number;
}

export interface ModelSummary {
  readonly layers: readonly LayerSummary[];
  readonly parameters: number;
  readonly trainable: number;
  readonly buffers: number;
}

/**
 * The layers of a model in the order in which they run on an input of this type; a shared layer counts once. `extra`
 * gives the types of what the model takes beside it.
 */
export function summarize(
  model: Module,
  type: TensorType,
  { extra = {} }: Pick<TraceOptions, "extra"> = {},
): ModelSummary {
  const { context } = model.trace(type, { extra });
  const counted = new Set<Module>();
  const layers = context.records
    .filter(({ module, kind }) => kind !== "container" || module.own.size > 0)
    .map(({ module, path, kind, output }) => {
      const own = counted.has(module) ? [] : [...module.own.values()];
      counted.add(module);
      const count = (keep: (parameter: (typeof own)[number]) => boolean) =>
        own.filter(keep).reduce((sum, { shape }) => sum + size(shape), 0);
      const name = module.constructor.name;
      return {
        path,
        type: name.charAt(0).toLowerCase() + name.slice(1),
        kind,
        outputShape: output.shape,
        parameters: count(({ isBuffer }) => !isBuffer),
        trainable: count(({ trainable }) => trainable),
        formula: own.length > 0 ? module.formula() : "",
        buffers: count(({ isBuffer }) => isBuffer),
      };
    });
  const total = (field: "parameters" | "trainable" | "buffers") => layers.reduce((sum, layer) => sum + layer[field], 0);
  return { layers, parameters: total("parameters"), trainable: total("trainable"), buffers: total("buffers") };
}
