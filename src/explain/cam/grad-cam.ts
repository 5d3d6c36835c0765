/** Grad-CAM: where in an image the last spatial features speak for a score. The features are found in the graph. */
import { isFloat } from "../../core/dtype.ts";
import { ShapeError } from "../../core/errors.ts";
import { optionsOf } from "../../core/options.ts";
import { type Shape, showShape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import { nodesOf, type Value } from "../../graph/ir.ts";
import { type Context, Module } from "../../nn/index.ts";
import { mul, Reshape, reduceMean, reduceSum, relu, resize, Transpose } from "../../ops/index.ts";
import { predictor } from "../../train/predict.ts";
import { type Attribution, type ExplainOptions, explainTypes, requireSample } from "../attribution.ts";
import { explainedOf, requireGradients, type Seeded, scoreGradient } from "../explained.ts";

/** Options of `gradCam`. */
export type GradCamOptions<O> = Pick<ExplainOptions<O>, "target">;

/** The features that a map was made of. */
export interface CamLayer {
  /** The layer that computes them, `layers.3`, by its path in the module or its name in the file. */
  readonly path: string;
  /** The operator that does: `Relu`. */
  readonly type: string;
  /** [1, channels, height, width]. */
  readonly shape: Shape;
}

/** A map over an image. */
export interface CamAttribution extends Attribution {
  /** The layer whose features the map is made of. */
  readonly layer: CamLayer;
}

const checkOptions = optionsOf<GradCamOptions<never>>("gradCam", { target: explainTypes.target });

/**
 * The last features that lie as the image does, of more than one place: values [N, C, H, W] behind x on the way to the scores. Where axes
 * were exchanged or elements laid out anew, as heads of attention are, rows and columns are no places any more.
 */
function lastSpatial(x: Value, scores: Value): Value | undefined {
  const spatial = new Set<Value>([x]);
  let last: Value | undefined;
  for (const node of nodesOf([scores])) {
    if (node.op === Reshape || node.op === Transpose) continue;
    if (!node.inputs.some((value) => value && spatial.has(value))) continue;
    for (const output of node.outputs) {
      if (output.rank !== 4 || !isFloat(output.dtype)) continue;
      spatial.add(output);
      if ((output.shape[2] ?? 1) * (output.shape[3] ?? 1) > 1) last = output;
    }
  }
  return last;
}

/** The map of a sample, [1, 1, H, W]. */
class GradCamMap extends Module<Seeded, Value> {
  override readonly inputs = { x: "required", seed: "required" } as const;
  readonly scores: Module<Value, Value>;
  #layer: CamLayer | undefined;

  constructor(scores: Module<Value, Value>) {
    super();
    this.scores = scores;
  }

  /** What the last trace found. */
  get layer(): CamLayer | undefined {
    return this.#layer;
  }

  protected call({ x, seed }: Seeded, context: Context): Value {
    const scores = this.scores.apply(x, context);
    const features = lastSpatial(x, scores);
    const node = features?.producer;
    if (!features || !node)
      throw new ShapeError(
        "gradCam: no features [N, channels, height, width] lie between the image and the scores; use integratedGradients or occlusion",
      );
    const path = node.scope?.path.replace(/^scores\.model\.?/, "") || "model";
    this.#layer = { path, type: node.op.type, shape: features.shape };
    // α = mean of ∂y/∂A over places; L = ReLU(Σ α A)
    const weights = reduceMean(scoreGradient(scores, seed, features), [2, 3], { keepDims: true });
    const map = relu(reduceSum(mul(weights, features), [1], { keepDims: true })); // [1, 1, h, w]
    return resize(map, x.shape.slice(2), { mode: "linear" });
  }
}

/**
 * Where in an image [1, C, H, W] the last spatial features of a network speak for the score: the features, each channel weighted by its mean
 * gradient, negative sums set to 0 (Selvaraju et al. 2017, eq. 1 and 2), enlarged to the image bilinearly. `values` are [1, 1, H, W]. As coarse
 * as the features are; it says nothing of what speaks against the class. Throws as `saliency`, and ShapeError for a network without such
 * features.
 * @example const { values, layer } = await explain.gradCam(model, image); // layer.path: "layers.3"
 */
export async function gradCam<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: GradCamOptions<O> = {},
): Promise<CamAttribution> {
  checkOptions(options as GradCamOptions<never>);
  requireSample(x);
  if (x.shape.length !== 4)
    throw new ShapeError(`gradCam: the input is ${showShape(x.shape)}; pass an image [1, channels, height, width]`);
  const explained = await explainedOf(model, x, options);
  requireGradients(x);
  const map = new GradCamMap(explained.module);
  const ask = predictor(map);
  try {
    const values = (await ask({ x, seed: explained.seed })) as Tensor<"float32">;
    const empty = values.data.every((value) => value === 0);
    return {
      method: "gradCam",
      values,
      layer: map.layer as CamLayer,
      target: explained.target,
      score: explained.score,
      notes: empty ? ["the map is 0 everywhere: no feature of this layer speaks for the score"] : [],
    };
  } finally {
    await ask.release();
  }
}
