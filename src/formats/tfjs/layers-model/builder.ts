/** Keras's layers as modules: each by its class, and what is to be known of it when all are built. */
import { UnsupportedError } from "../../../core/errors.ts";
import { isPlainObject } from "../../../core/tree.ts";
import type { AnyModule } from "../../../nn/index.ts";
import type { StoredWeight } from "../manifest.ts";
import { dropsMask, type PlacedLayer, plainParameters, strayArgument, withNames } from "./calls.ts";
import { layerClassOf } from "./classes.ts";
import { KerasModel } from "./keras-model.ts";
import type { BuiltLayer, KerasVersion, StoredAs } from "./layer.ts";
import { Opaque } from "./layers/opaque.ts";
import { type Call, type LayerConfig, type ModelConfig, modelClasses, readTopology } from "./topology.ts";
import { type Place, snakeCase, type WeightedLayer, type WeightFinder } from "./weights.ts";

/** A layer that is named and counted only, or only in part what Keras computes. */
export interface Remark {
  readonly className: string;
  readonly layer: string;
  readonly why: string;
}

/** How a layer stands in its model. */
interface Standing {
  readonly place: Place;
  readonly calls: readonly Call[];
  /** How many of its results are taken, at least. */
  readonly results: number;
}

export class Builder {
  /** Layers that are not understood. */
  readonly unknown: Remark[] = [];
  readonly remarks: Remark[] = [];
  readonly weighted: WeightedLayer[] = [];
  readonly #stored: WeightFinder;
  readonly #keras: KerasVersion;

  constructor(stored: WeightFinder, keras: KerasVersion) {
    this.#stored = stored;
    this.#keras = keras;
  }

  /** A model, or one within another, at a place. */
  model(
    topology: ModelConfig,
    { within, path }: Pick<Place, "within" | "path"> = { within: [], path: "" },
  ): KerasModel {
    const results = resultsTaken(topology);
    const counts = new Map<string, number>();
    const layers = topology.layers
      .filter(({ className }) => className !== "InputLayer")
      .map((layer) => {
        const place = {
          names: [layer.name],
          within,
          path: `${path}layers/${numbered(snakeCase(layer.className), counts)}`,
        };
        const calls = topology.calls.filter((call) => call.layer === layer.name);
        return [layer.name, this.#layer(layer, { place, calls, results: results.get(layer.name) ?? 1 })] as const;
      });
    return new KerasModel(topology, new Map(layers));
  }

  #layer(layer: LayerConfig, standing: Standing): PlacedLayer {
    const placed = modelClasses.has(layer.className) ? this.#inner(layer, standing) : this.#ofClass(layer, standing);
    if (layer.config["trainable"] === false) placed.module.freeze();
    return placed;
  }

  #inner(layer: LayerConfig, { place }: Standing): PlacedLayer {
    const topology = readTopology(layer.className, layer.config, `model "${layer.name}"`);
    const module = this.model(topology, { within: [layer.name, ...place.within], path: `${place.path}/` });
    return { module, parameters: plainParameters, masks: dropsMask };
  }

  #ofClass(layer: LayerConfig, standing: Standing): PlacedLayer {
    const { place } = standing;
    const known = layerClassOf(layer);
    if (!known) return this.#opaque(layer, standing, "the class is not supported");
    const quantized = quantizedPolicy(layer.config["dtype"]);
    if (quantized) return this.#opaque(layer, standing, `its weights are quantized (${quantized})`);
    const { aliases = {} } = known;
    const calls = standing.calls.map((call) => withNames(call, aliases));
    const parameters = known.parameters ?? plainParameters;
    const stray = calls.map((call) => strayArgument(call, parameters)).find(Boolean);
    if (stray) return this.#opaque(layer, standing, `${stray} is not supported`);
    let built: BuiltLayer;
    try {
      built = known.build(layer, {
        keras: this.#keras,
        calls,
        unknown: (why) => {
          const isNoted = this.unknown.some((noted) => noted.layer === layer.name && noted.why === why);
          if (!isNoted) this.unknown.push({ className: layer.className, layer: layer.name, why });
        },
        build: (inner, part) => this.#layer(inner, { ...standing, calls: [], place: placeWithin(place, inner, part) }),
        stored: (weight) => {
          const wanted = { stored: { name: weight }, index: 0 };
          return this.#stored.find(place, wanted, new Set(this.#stored.weights.keys()))?.shape;
        },
      });
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      return this.#opaque(layer, standing, error.message);
    }
    const { module, weights, unknown, note, masks = dropsMask } = built;
    const remark = { className: layer.className, layer: layer.name };
    if (unknown) this.unknown.push({ ...remark, why: unknown });
    if (note) this.remarks.push({ ...remark, why: note });
    if (calls.some(({ keywords }) => keywords["training"] === true))
      this.remarks.push({ ...remark, why: "is called as in training, which it is not here" });
    if (weights) this.weighted.push({ module, weights, place });
    return { module, parameters, masks, aliases };
  }

  #opaque({ name, className }: LayerConfig, { place, results }: Standing, why: string): PlacedLayer {
    this.unknown.push({ className, layer: name, why });
    const own = new Map<string, StoredWeight>();
    const weights: Record<string, StoredAs> = {};
    for (const [rest, weight] of this.#stored.below(place)) {
      const path = rest.replaceAll("/", ".");
      own.set(path, weight);
      weights[path] = { name: rest, full: weight.name };
    }
    const module: AnyModule = new Opaque(className, own, results);
    this.weighted.push({ module, weights, place });
    return { module, parameters: undefined, masks: dropsMask };
  }
}

/** The mode of a policy of Keras 3 under which a layer stores its weights as integers; `undefined` for other policies. */
function quantizedPolicy(policy: unknown): string | undefined {
  const { class_name: className, config } = isPlainObject(policy) ? policy : {};
  if (typeof className !== "string" || !className.startsWith("Quantized")) return undefined;
  return isPlainObject(config) && typeof config["mode"] === "string" ? config["mode"] : className;
}

/** The place of a layer that is a part of another. */
const placeWithin = ({ names, within, path }: Place, inner: LayerConfig, part: string): Place => ({
  names: [inner.name, ...names],
  within,
  path: `${path}/${part}`,
});

/** A name with the number that Keras gives the second and later ones. */
function numbered(name: string, counts: Map<string, number>): string {
  const count = counts.get(name);
  counts.set(name, (count ?? 0) + 1);
  return count === undefined ? name : `${name}_${count}`;
}

/** How many results of each layer are taken by others, at least. */
function resultsTaken({ calls, outputs }: ModelConfig): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { layer, output } of [...calls.flatMap(({ inputs }) => inputs), ...outputs])
    counts.set(layer, Math.max(counts.get(layer) ?? 1, output + 1));
  return counts;
}
