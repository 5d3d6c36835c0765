/** The layers of a traced model: output shapes, and the parameters to be trained with their formula. */
import type { Shape } from "../core/shape.ts";
import { size } from "../core/shape.ts";
import type { Scope, Value } from "../graph/ir.ts";
import type { Context } from "./context.ts";
import type { TypeTree } from "./inputs.ts";
import type { AnyModule, LayerKind } from "./module.ts";

/** A layer that ran in a trace. */
export interface TracedLayer {
  readonly module: AnyModule;
  /** Path of the layer: `layers.0`. */
  readonly path: string;
  /** Its type: `conv2d`. */
  readonly type: string;
  readonly kind: LayerKind;
  /** Of its last run, depth first. */
  readonly outputs: readonly Value[];
  /** One for each run. */
  readonly scopes: readonly Scope[];
}

/** The modules that ran, in the order of their first run; containers are listed too. */
export function tracedLayers({ records }: Context): readonly TracedLayer[] {
  const layers = new Map<AnyModule, TracedLayer>();
  for (const { module, path, kind, outputs, scope } of records) {
    const name = module.constructor.name;
    const type = name.charAt(0).toLowerCase() + name.slice(1);
    const scopes = [...(layers.get(module)?.scopes ?? []), scope];
    layers.set(module, { module, path, type, kind, outputs, scopes });
  }
  return [...layers.values()];
}

/** One row of a model's summary: what a layer is, and how many parameters it has. */
export interface LayerSummary extends Pick<TracedLayer, "path" | "type" | "kind"> {
  /** Shape of its output, the first of several, for the traced inputs. */
  readonly outputShape: Shape;
  /** Elements of its parameters, buffers not counted. */
  readonly parameters: number;
  /** Elements of those that are not frozen. */
  readonly trainable: number;
  /** How the count comes about, `3·3·32·64 + 64`; empty for a layer without parameters. */
  readonly formula: string;
  /** Elements that the forward pass itself updates. */
  readonly buffers: number;
}

/** The layers of a model with their output shapes and parameters, and the totals. */
export interface ModelSummary {
  /** The layers in the order in which they first run; containers without parameters of their own are left out. */
  readonly layers: readonly LayerSummary[];
  /** Elements of all parameters, buffers not counted. */
  readonly parameters: number;
  /** Elements of those that are not frozen. */
  readonly trainable: number;
  /** Elements that forward passes update. */
  readonly buffers: number;
}

/**
 * The layers of a model, one row each, in the order in which they first run on inputs of these types, and the totals.
 * Traces the model, and allocates no weights. Throws what tracing throws for inputs that do not fit.
 * @example
 * const { layers, parameters } = summarize(model, { dtype: "float32", shape: [1, 1, 28, 28] });
 */
export function summarize(model: AnyModule, types: TypeTree): ModelSummary {
  const layers = tracedLayers(model.trace(types).context)
    .filter(({ module, kind }) => kind !== "container" || module.own.size > 0)
    .map(({ module, path, type, kind, outputs }) => {
      const own = [...module.own.values()];
      const count = (keep: (parameter: (typeof own)[number]) => boolean) =>
        own.filter(keep).reduce((sum, { shape }) => sum + size(shape), 0);
      return {
        path,
        type,
        kind,
        outputShape: outputs[0]?.shape ?? [],
        parameters: count(({ isBuffer }) => !isBuffer),
        trainable: count(({ trainable }) => trainable),
        formula: module.formula(),
        buffers: count(({ isBuffer }) => isBuffer),
      };
    });
  const total = (field: "parameters" | "trainable" | "buffers") => layers.reduce((sum, layer) => sum + layer[field], 0);
  return { layers, parameters: total("parameters"), trainable: total("trainable"), buffers: total("buffers") };
}
