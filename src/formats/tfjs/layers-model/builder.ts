/** Keras's layers as modules: each by its class, and what is to be known of it when all are built. */
import { UnsupportedError } from "../../../core/errors.ts";
import type { AnyModule } from "../../../nn/index.ts";
import type { StoredWeight } from "../manifest.ts";
import { layerClasses } from "./classes.ts";
import { KerasModel } from "./keras-model.ts";
import type { BuiltLayer, StoredAs } from "./layer.ts";
import { Opaque } from "./layers/opaque.ts";
import { type LayerConfig, type ModelConfig, modelClasses, readTopology } from "./topology.ts";

/** A layer with weights. */
export interface WeightedLayer {
  readonly module: AnyModule;
  readonly weights: Readonly<Record<string, StoredAs>>;
  /** Names under which the file may have them, the likeliest first. */
  readonly names: readonly string[];
}

/** A layer that is named and counted only, or only in part what Keras computes. */
export interface Remark {
  readonly className: string;
  readonly layer: string;
  readonly why: string;
}

export class Builder {
  /** Layers that are not understood. */
  readonly unknown: Remark[] = [];
  readonly remarks: Remark[] = [];
  readonly weighted: WeightedLayer[] = [];
  readonly #stored: ReadonlyMap<string, StoredWeight>;

  constructor(stored: ReadonlyMap<string, StoredWeight>) {
    this.#stored = stored;
  }

  /** A model, or one within another. */
  model(topology: ModelConfig): KerasModel {
    const results = resultsTaken(topology);
    const layers = topology.layers
      .filter(({ className }) => className !== "InputLayer")
      .map((layer) => [layer.name, this.#layer(layer, [layer.name], results.get(layer.name) ?? 1)] as const);
    return new KerasModel(topology, new Map(layers));
  }

  #layer(layer: LayerConfig, names: readonly string[], results: number): AnyModule {
    const module = modelClasses.has(layer.className)
      ? this.model(readTopology(layer.className, layer.config, `model "${layer.name}"`))
      : this.#ofClass(layer, names, results);
    if (layer.config["trainable"] === false) module.freeze();
    return module;
  }

  #ofClass(layer: LayerConfig, names: readonly string[], results: number): AnyModule {
    const known = layerClasses.get(layer.className);
    if (!known) return this.#opaque(layer, results, "the class is not supported");
    let built: BuiltLayer;
    try {
      built = known.build(layer, {
        build: (inner) => this.#layer(inner, [inner.name, ...names], 1),
        stored: (weight) => this.#stored.get(weightName(this.#stored.keys(), names, weight) ?? "")?.shape,
      });
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      return this.#opaque(layer, results, error.message);
    }
    const { module, weights, unknown, note } = built;
    const remark = { className: layer.className, layer: layer.name };
    if (unknown) this.unknown.push({ ...remark, why: unknown });
    if (note) this.remarks.push({ ...remark, why: note });
    if (weights) this.weighted.push({ module, weights, names });
    return module;
  }

  #opaque({ name, className }: LayerConfig, results: number, why: string): AnyModule {
    this.unknown.push({ className, layer: name, why });
    const own = new Map<string, StoredWeight>();
    const weights: Record<string, StoredAs> = {};
    for (const [stored, weight] of this.#stored) {
      // What stands before the layer's name is that of a model around it.
      const begin = `/${stored}`.indexOf(`/${name}/`);
      if (begin < 0) continue;
      const rest = stored.slice(begin + name.length + 1);
      const path = rest.replaceAll("/", ".");
      own.set(path, weight);
      weights[path] = { name: rest };
    }
    const module = new Opaque(className, own, results);
    this.weighted.push({ module, weights, names: [name] });
    return module;
  }
}

/**
 * The name of a layer's weight in the file: `layer/kernel`; in a nested model `model/layer/kernel`; TensorFlow 2 puts the
 * cell of a recurrent layer between, `layer/lstm_cell/kernel`.
 */
export function weightName(all: Iterable<string>, layers: readonly string[], weight: string): string | undefined {
  const ending = [...all].filter((name) => name.endsWith(`/${weight}`));
  for (const layer of layers) {
    const within = ending.filter((name) => `/${name}`.includes(`/${layer}/`));
    const found = within.find((name) => name === `${layer}/${weight}`) ?? within[0];
    if (found !== undefined) return found;
  }
  return undefined;
}

/** How many results of each layer are taken by others, at least. */
function resultsTaken({ calls, outputs }: ModelConfig): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { layer, output } of [...calls.flatMap(({ inputs }) => inputs), ...outputs])
    counts.set(layer, Math.max(counts.get(layer) ?? 1, output + 1));
  return counts;
}
