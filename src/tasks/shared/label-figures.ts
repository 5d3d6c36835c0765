/** How well labels are found, of which a sample may have several. */
import { Tensor } from "../../core/tensor.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { areaUnderPrecision } from "../../train/metrics/average-precision.ts";

/** Whether each sample has each label, [N · labels] of 0 and 1. */
type Marks = ArrayLike<number | bigint>;

/** Harmonic mean of precision and recall over all samples and labels: 2 hits / (predicted + actual); 1 where there are neither, as the metric `labelF1`. */
export function f1OfMarks(predicted: Marks, actual: Marks): number {
  let [hits, marked] = [0, 0];
  for (let i = 0; i < actual.length; i++) {
    const [own, truth] = [Number(predicted[i]), Number(actual[i])];
    hits += own * truth;
    marked += own + truth;
  }
  return marked === 0 ? 1 : (2 * hits) / marked;
}

/** The mean average precision of what a model says of batches, in logits. */
export async function labelFigures(
  predict: (batch: Batch) => Promise<Tensor>,
  samples: Dataset<Batch>,
): Promise<Readonly<Record<"meanAveragePrecision", number>>> {
  const [scores, actual]: [Tensor[], Tensor[]] = [[], []];
  for await (const batch of samples.epoch(0)) {
    if (!batch["y"]) continue;
    scores.push(await predict(batch));
    actual.push(batch["y"]);
  }
  const [logits, marks] = [joinedTensors(scores), joinedTensors(actual)];
  return { meanAveragePrecision: labelAveragePrecision(logits, marks) };
}

function joinedTensors(parts: readonly Tensor[]): Tensor<"float32"> {
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const data = Float32Array.from(parts.flatMap((part) => part.toNumbers()));
  return new Tensor("float32", [rows, data.length / rows], data);
}

/** Mean over the labels that occur of their average precision, samples being ranked by their scores; [N, labels] each. */
export function labelAveragePrecision(scores: Tensor, actual: Tensor): number {
  const [samples = 0, labels = 0] = scores.shape;
  const areas = Array.from({ length: labels }, (_, label) => {
    const at = (tensor: Tensor, sample: number) => Number(tensor.data[sample * labels + label]);
    const order = Array.from({ length: samples }, (_, sample) => sample).sort((a, b) => at(scores, b) - at(scores, a));
    const right = order.map((sample) => at(actual, sample) === 1);
    const objects = right.filter(Boolean).length;
    return objects === 0 ? undefined : areaUnderPrecision(right, objects);
  }).filter((area) => area !== undefined);
  return areas.reduce((sum, area) => sum + area, 0) / areas.length;
}
