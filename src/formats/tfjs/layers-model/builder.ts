/** Keras's layers as modules: each by its class, and what is to be known of it when all are built. */
import { UnsupportedError } from "../../../core/errors.ts";
import { isPlainObject } from "../../../core/tree.ts";
import { dropsMask, type PlacedLayer, plainParameters, strayArgument, withNames } from "./calls.ts";
import { layerClassOf } from "./classes.ts";
import { KerasModel } from "./keras-model.ts";
import type { BuiltLayer, KerasVersion, StoredAs } from "./layer.ts";
import { Opaque, type OpaqueOptions, type OpaqueWeight } from "./layers/opaque.ts";
import { type Call, type LayerConfig, type ModelConfig, modelClasses, readTopology } from "./topology.ts";
import { type Place, snakeCase, type WeightedLayer, type WeightFinder } from "./weights.ts";

/** A layer that is named and counted only, or only in part what Keras computes. */
export interface Remark {
  readonly className: string;
  readonly layer: string;
  /** Whether the layer itself is what it is about, or the shapes that it is given, which are not known. */
  readonly kind: "operator" | "shape";
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
    if (layer.config["trainable"] === false) for (const own of [placed.module, placed.blind]) own?.freeze();
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
        unknown: (why) => this.#note({ className: layer.className, layer: layer.name, kind: "operator", why }),
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
    const remark = { className: layer.className, layer: layer.name, kind: "operator" } as const;
    if (unknown) this.unknown.push({ ...remark, why: unknown });
    if (note) this.remarks.push({ ...remark, why: note });
    if (calls.some(({ keywords }) => keywords["training"] === true))
      this.remarks.push({ ...remark, why: "is called as in training, which it is not here" });
    if (weights) this.weighted.push({ module, weights, place });
    const blind = this.#blind(layer, standing, built);
    return { module, parameters, masks, aliases, blind };
  }

  #opaque(layer: LayerConfig, standing: Standing, why: string): PlacedLayer {
    this.unknown.push({ className: layer.className, layer: layer.name, kind: "operator", why });
    return { module: this.#standIn(layer, standing, {}), parameters: undefined, masks: dropsMask };
  }

  /** What stands for a layer that is known and whose input is not. */
  #blind(layer: LayerConfig, standing: Standing, { module, weights = {} }: BuiltLayer): Opaque {
    const { className, name } = layer;
    const why = "the shapes of its inputs are not known";
    const isFree = ["activation", "normalization", "embedding", "regularization"].includes(module.kind);
    return this.#standIn(layer, standing, {
      kind: module.kind === "container" ? "other" : module.kind,
      contracts: Object.keys(weights).length > 0 && !isFree,
      onCall: () => this.#note({ className, layer: name, kind: "shape", why }),
    });
  }

  #note(remark: Remark): void {
    const isNoted = this.unknown.some(({ layer, why }) => layer === remark.layer && why === remark.why);
    if (!isNoted) this.unknown.push(remark);
  }

  /** An opaque layer with the weights that the file has under its name. */
  #standIn(
    { className }: LayerConfig,
    { place, results }: Standing,
    rest: Pick<OpaqueOptions, "kind" | "contracts" | "onCall">,
  ): Opaque {
    const own = new Map<string, OpaqueWeight>();
    const weights: Record<string, StoredAs> = {};
    const below = this.#stored.below(place);
    for (const [written, { name, shape }] of below) {
      const path = written.replaceAll("/", ".");
      own.set(path, { shape, isBuffer: isStatistic(className, written, below.size) });
      weights[path] = { name: written, full: name };
    }
    const module = new Opaque({ className, weights: own, results, ...rest });
    this.weighted.push({ module, weights, place });
    return module;
  }
}

/** Whether a weight of a layer is a statistic, by its name, or by its place among as many as the layer has: statistics are the last. */
function isStatistic(className: string, name: string, count: number): boolean {
  if (/(^|\/)(moving_mean|moving_variance|vector_u|sn_u|StateVar)$/.test(name)) return true;
  if (className === "Normalization") return true;
  const [, place] = /^vars\/(\d+)$/.exec(name) ?? [];
  return /^(Sync)?BatchNormalization/.test(className) && place !== undefined && Number(place) >= count - 2;
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
