/** What networks side by side are trained on: each on a view of its own, and measured alone and together. */
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { SideBySide } from "../../models/shared/side-by-side.ts";
import { binaryCrossEntropy, crossEntropy, type Loss, meanSquaredError, takenOf } from "../../nn/index.ts";
import { add, div, sub } from "../../ops/index.ts";
import type { Objective } from "../../train/engine/objective.ts";
import { choiceLoss } from "../folds/folded-objective.ts";
import type { SampleTarget } from "./sample-target.ts";

/** What may be chosen of networks side by side, whose shares are a model's buffer `mix`. */
export interface CandidateChoices {
  /** Names of the networks, in their order. */
  readonly candidates: readonly string[];
  /** Names of choices, each of one network or of several, of which the mean counts. */
  readonly choices: Readonly<Record<string, readonly string[]>>;
}

/** What may be chosen of two networks: one, or both. */
export const eitherOrBoth = (candidates: readonly string[]): CandidateChoices => ({
  candidates,
  choices: { ...Object.fromEntries(candidates.map((name) => [name, [name]])), together: candidates },
});

/** Share of a class's probability that is spread over all while training. */
const labelSmoothing = 0.1;

/** The loss of what the model gives, or of a network's scores. */
function lossFor(target: SampleTarget, smooths: boolean): Loss {
  if (target.kind === "labels") return binaryCrossEntropy();
  if (target.kind === "classes") return crossEntropy({ labelSmoothing: smooths ? labelSmoothing : 0 });
  return meanSquaredError();
}

/**
 * Of batches with `x`, `y`, whatever else the networks take, and, to train on, another view of `x`, `changed`: trains the first network on
 * `x` and the others on `changed`, and measures of samples which are not trained on the loss of each choice: cross-entropy of classes and of labels, the squared
 * error of numbers in deviations from their mean.
 */
export function candidateObjective(
  network: SideBySide,
  target: SampleTarget,
  { candidates, choices }: CandidateChoices,
): Objective<never> {
  const scaled = (value: Value) => (target.kind === "number" ? div(sub(value, target.mean), target.deviation) : value);
  const lossOf = (output: Value, y: Value) => lossFor(target, false)(scaled(output), scaled(y));
  const trainingLoss = lossFor(target, true);
  const objective: Objective<{ x: Tensor; changed: Tensor; y: Tensor }> = (context, batch) => {
    const { x, y } = batch;
    const { changed = x } = batch as Partial<typeof batch>;
    const viewOf = (own: Value) => takenOf(network.inputs, { ...batch, x: own }) as Value;
    const scores = network.scores(
      candidates.map((_, i) => viewOf(i === 0 ? x : changed)),
      context,
    );
    const predictions = scores.map((own) => network.prediction(own));
    const outputs = network.inUnits(network.mixed(predictions, context));
    if (context.training)
      return { loss: scores.map((own) => trainingLoss(own, scaled(y))).reduce((a, b) => add(a, b)), outputs };
    const figures = Object.entries(choices).map(([choice, names]) => {
      const chosen = predictions.filter((_, i) => names.includes(candidates[i] ?? ""));
      const mean = div(
        chosen.reduce((a, b) => add(a, b)),
        chosen.length,
      );
      return [choiceLoss(choice), lossOf(network.inUnits(mean), y)] as const;
    });
    return { loss: lossOf(outputs, y), outputs, figures: Object.fromEntries(figures) };
  };
  return objective as Objective<never>;
}
