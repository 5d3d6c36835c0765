/** Guided backpropagation: the gradient without what speaks against, at every ReLU. */
import { type BackwardRule, operandGradients, propagateBack } from "../../autodiff/gradients.ts";
import { optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { constantOf, type Node, type Value } from "../../graph/ir.ts";
import { type Context, Module } from "../../nn/index.ts";
import { Clip, expand, Relu, relu } from "../../ops/index.ts";
import { type Attribution, notesOfInfinite, type RunOptions, runTypes } from "../attribution.ts";
import { explainedOf, noGradient, orOtherWays, requireGradients, type Seeded } from "../explained.ts";
import { runOnce } from "../propagation.ts";

const checkOptions = optionsOf<RunOptions<never>>("guidedBackpropagation", runTypes);

/** Whether a node sets to 0 what is below: a ReLU, or one with an upper bound, which files have as Clip. */
function isRelu({ op, inputs }: Node): boolean {
  return op === Relu || (op === Clip && constantOf(inputs[1])?.toNumbers()[0] === 0);
}

/** The map of a sample, of its shape. */
class GuidedGradients extends Module<Seeded, Value> {
  override readonly inputs = { x: "required", seed: "required" } as const;
  readonly scores: Module<Value, Value>;
  /** ReLUs that the last trace met. */
  count = 0;

  constructor(scores: Module<Value, Value>) {
    super();
    this.scores = scores;
  }

  protected call({ x, seed }: Seeded, context: Context): Value {
    const scores = this.scores.apply(x, context);
    this.count = 0;
    const rule: BackwardRule = (node, gs, needs) => {
      if (!isRelu(node)) return undefined;
      this.count++;
      return operandGradients(node, gs, needs).map((g) => g && relu(g));
    };
    const [map] = orOtherWays(() => propagateBack([scores], [expand(seed, scores.shape)], [x], { rule }));
    if (!map) throw noGradient();
    return map;
  }
}

/** What a reader of such a map has to know. */
const edgesNote =
  "guided backpropagation shows edges that the network sees rather than what speaks for the class, and hardly changes with the weights of the last layers (Adebayo et al. 2018, Nie et al. 2018); hold it against sanityCheck";

/**
 * The gradient of the score where every ReLU sends back only what is positive (Springenberg et al. 2015, section 3.4), with signs, of the shape of
 * the sample [1, …]. Its maps are sharp because they nearly restore the input: they show edges, not the class, and stay as they are when the last
 * layers are random (Adebayo et al. 2018; Nie et al. 2018), which `notes` repeats. Of a network without ReLUs it is the gradient. Throws as
 * `saliency`.
 */
export async function guidedBackpropagation<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: RunOptions<O> = {},
): Promise<Attribution> {
  checkOptions(options as RunOptions<never>);
  const explained = await explainedOf(model, x, options);
  requireGradients(x);
  const guided = new GuidedGradients(explained.module);
  const { data } = (await runOnce(guided, { x, seed: explained.seed }, explained)) as Tensor<"float32">;
  const { target, score } = explained;
  return {
    method: "guidedBackpropagation",
    values: new Tensor("float32", x.shape, data),
    target,
    score,
    notes: [
      edgesNote,
      ...(guided.count === 0 ? ["the network has no ReLU that the gradient passes: this is the gradient"] : []),
      ...notesOfInfinite(data),
      ...(data.every((value) => value === 0) ? ["the map is 0 everywhere: nothing positive arrives at the input"] : []),
    ],
  };
}
