/** What all class activation maps share: features are found, weighted by their gradients, and enlarged to the image. */
import { ShapeError } from "../../core/errors.ts";
import { string } from "../../core/option-types.ts";
import type { OptionTypes } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, Module } from "../../nn/index.ts";
import { abs, concat, reduceSum, relu, reshape, resize } from "../../ops/index.ts";
import { type Attribution, notesOfInfinite, type RunOptions, requireSample, runTypes } from "../attribution.ts";
import { type Explained, explainedOf, requireGradients, type Seeded, scoreGradient } from "../explained.ts";
import { runOnce } from "../propagation.ts";
import {
  asMap,
  type CamLayer,
  describeFeatures,
  type Features,
  featuresOfLayer,
  lastSpatial,
  noFeatures,
  tokenFeatures,
} from "./features.ts";

/** Options of `gradCam`, `gradCamPlusPlus` and `layerCam`. */
export interface CamOptions<O> extends RunOptions<O> {
  /** The layer whose features are taken, by its path, `layers.2`, as `layer` of a result names it; default the last that has places. */
  readonly layer?: string | undefined;
}

export const camTypes: OptionTypes<CamOptions<never>> = { ...runTypes, layer: string };

/** A map over an image. */
export interface CamAttribution extends Attribution {
  /** The layer whose features the map is made of. */
  readonly layer: CamLayer;
}

/** The sum over channels that a map is, [N, 1, H, W], of features [N, C, H, W] and the gradients of the score. */
export type WeightFeatures = (features: Value, gradients: Value) => Value;

/** Which features are taken of a traced network. */
type Choice = (x: Value, scores: Value) => Features;

/** How much of the score's gradient arrives at the tokens of patches, for each of the places where they are taken up: [places]. */
class TokenReach extends Module<Seeded, Value> {
  override readonly inputs = { x: "required", seed: "required" } as const;
  readonly scores: Module<Value, Value>;

  constructor(scores: Module<Value, Value>) {
    super();
    this.scores = scores;
  }

  protected call({ x, seed }: Seeded, context: Context): Value {
    const scores = this.scores.apply(x, context);
    return concat(
      tokenFeatures(x, scores).map((own) =>
        reshape(reduceSum(abs(asMap(scoreGradient(scores, seed, own.value), own))), [1]),
      ),
      0,
    );
  }
}

/** The map of a sample, [1, 1, H, W]. */
class ClassMap extends Module<Seeded, Value> {
  override readonly inputs = { x: "required", seed: "required" } as const;
  readonly scores: Module<Value, Value>;
  readonly #choose: Choice;
  readonly #weight: WeightFeatures;
  /** What the last trace found. */
  layer: CamLayer | undefined;

  constructor(scores: Module<Value, Value>, choose: Choice, weight: WeightFeatures) {
    super();
    this.scores = scores;
    this.#choose = choose;
    this.#weight = weight;
  }

  protected call({ x, seed }: Seeded, context: Context): Value {
    const scores = this.scores.apply(x, context);
    const features = this.#choose(x, scores);
    this.layer = describeFeatures(features);
    const gradients = asMap(scoreGradient(scores, seed, features.value), features);
    const map = relu(this.#weight(asMap(features.value, features), gradients)); // [1, 1, h, w]
    return resize(map, x.shape.slice(2), { mode: "linear" });
  }
}

/**
 * Which features a network is asked for: those of the named layer; of a transformer of patches the last tokens that the score still
 * depends on, since behind the last attention that may be the class token alone; otherwise the last map.
 */
async function choiceFor(where: string, explained: Explained, layer: string | undefined): Promise<Choice> {
  const { module, x, seed } = explained;
  if (layer !== undefined) return (own, scores) => featuresOfLayer(where, own, scores, layer);
  const { inputs, output } = module.trace({ dtype: x.dtype, shape: x.shape });
  if (tokenFeatures(inputs[0] as Value, output).length > 0) {
    const reach = (await runOnce(new TokenReach(module), { x, seed }, explained)) as Tensor;
    const last = reach.toNumbers().findLastIndex((own) => own > 0);
    if (last >= 0) return (own, scores) => tokenFeatures(own, scores)[last] as Features;
  }
  return (own, scores) => {
    const found = lastSpatial(own, scores);
    if (!found) throw noFeatures(where);
    return found;
  };
}

/** The map of an image [1, C, H, W] by a way to weight features, which has the method's name. */
export async function classMap<O>(
  method: string,
  weight: WeightFeatures,
  { model, x, options }: { readonly model: Module<Value, O>; readonly x: Tensor; readonly options: CamOptions<O> },
): Promise<CamAttribution> {
  requireSample(x);
  if (x.shape.length !== 4)
    throw new ShapeError(`${method}: the input is ${showShape(x.shape)}; pass an image [1, channels, height, width]`);
  const explained = await explainedOf(model, x, options);
  requireGradients(x);
  const map = new ClassMap(explained.module, await choiceFor(method, explained, options.layer), weight);
  const values = (await runOnce(map, { x, seed: explained.seed }, explained)) as Tensor<"float32">;
  const empty = values.data.every((value) => value === 0);
  return {
    method,
    values,
    layer: map.layer as CamLayer,
    target: explained.target,
    score: explained.score,
    notes: empty
      ? ["the map is 0 everywhere: no feature of this layer speaks for the score"]
      : notesOfInfinite(values.data),
  };
}
