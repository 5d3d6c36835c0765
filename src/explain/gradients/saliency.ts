/** Saliency, and the input times its gradient: explanations by one gradient. */
import { flag } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { type Attribution, type ExplainOptions, explainTypes, notesOfInfinite } from "../attribution.ts";
import { copyInto, type Explained, explainedOf } from "../explained.ts";

/** Options of `saliency`. */
export interface SaliencyOptions<O> extends ExplainOptions<O> {
  /** Absolute values, as the paper has it; default true. */
  readonly absolute?: boolean;
}

const checkSaliency = optionsOf<SaliencyOptions<never>>("saliency", { ...explainTypes, absolute: flag });
const checkProduct = optionsOf<ExplainOptions<never>>("inputTimesGradient", explainTypes);

/** The gradient of the score at the sample. */
async function gradientAt(explained: Explained): Promise<Float32Array<ArrayBuffer>> {
  let found = new Float32Array();
  await explained.gradients(
    1,
    (_, into) => copyInto(into, explained.x.data),
    (gradient) => {
      found = gradient.slice() as Float32Array<ArrayBuffer>;
    },
  );
  return found;
}

const noted = (values: Float32Array): readonly string[] =>
  values.every((value) => value === 0)
    ? ["the gradient is 0 everywhere: the score does not change near this input; try integratedGradients or occlusion"]
    : notesOfInfinite(values);

/**
 * How much each element of a sample [1, …] changes the score when it changes a little: the absolute gradient (Simonyan et al. 2013, section
 * 3). It says where the model is sensitive, not what the score consists of. Throws GradientError for inputs of integers and where an operator
 * has no gradient, and what `scoreOf` throws.
 * @example const { values } = await explain.saliency(model, image, { target: 3 });
 */
export async function saliency<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: SaliencyOptions<O> = {},
): Promise<Attribution> {
  const { absolute = true } = checkSaliency(options as SaliencyOptions<never>);
  const explained = await explainedOf(model, x, options);
  const gradient = await gradientAt(explained);
  const values = new Tensor("float32", x.shape, absolute ? gradient.map(Math.abs) : gradient);
  return { method: "saliency", values, target: explained.target, score: explained.score, notes: noted(gradient) };
}

/**
 * Each element of a sample [1, …] times the gradient of the score there (Shrikumar et al. 2016). Of a linear model it is the exact share of
 * each element, w·x; of others no more than the first term of an expansion. Throws as `saliency`.
 */
export async function inputTimesGradient<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: ExplainOptions<O> = {},
): Promise<Attribution> {
  checkProduct(options as ExplainOptions<never>);
  const explained = await explainedOf(model, x, options);
  const gradient = await gradientAt(explained);
  const values = new Tensor(
    "float32",
    x.shape,
    gradient.map((g, i) => g * Number(x.data[i])),
  );
  const { target, score } = explained;
  return { method: "inputTimesGradient", values, target, score, notes: noted(gradient) };
}
