/** How often the anchors of a detector predict the class they were matched with. */
import { argMax, cast, equal, greater, mul, reshape, slice } from "../../ops/index.ts";
import { type Metric, meanStatistics, ratio, rowWeights } from "./metric.ts";

/** Of the anchors with an object, the share whose class is right: outputs [N, K, 5 + C] and targets [N, K, 5] as detectionLoss has them. */
export const anchorAccuracy = (): Metric => ({
  name: "anchorAccuracy",
  size: 2,
  update(output, target, counting) {
    const label = cast(slice(target, { axis: 2, end: 1 }), "int64");
    const predicted = argMax(slice(output, { axis: 2, start: 4 }), 2);
    const isObject = cast(greater(label, 0), "float32"); // [N, K, 1]
    const right = cast(equal(reshape(predicted, label.shape), label), "float32");
    const samples = rowWeights("anchorAccuracy", label.shape, counting?.weight);
    return meanStatistics(right, samples ? mul(samples, isObject) : isObject);
  },
  result: ratio,
  direction: "up",
});
