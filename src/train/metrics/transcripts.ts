/** How well connectionist temporal classification predicts sequences of labels. */
import { ctcDecode } from "../../nn/losses/ctc-decode.ts";
import { cast, equal, not, pad, reduceSum } from "../../ops/index.ts";
import { type Metric, meanStatistics, ratio, rowWeights } from "./metric.ts";

/** Share of the samples whose labels, decoded from scores [N, T, C], are those of the target [N, S] one by one; -1 is none. */
export const transcriptAccuracy = (): Metric => ({
  name: "accuracy",
  size: 2,
  update(output, target, counting) {
    const [batch = 1, length = 1] = target.shape;
    // One place more, so that a label too many is an error.
    const decoded = ctcDecode(output, length + 1);
    const padded = pad(
      cast(target, "int64"),
      [
        [0, 0],
        [0, 1],
      ],
      -1,
    );
    const errors = reduceSum(cast(not(equal(decoded, padded)), "int64"), 1);
    const right = cast(equal(errors, 0), "float32"); // [N]
    return meanStatistics(right, rowWeights("transcriptAccuracy", [batch], counting?.weight));
  },
  result: ratio,
  direction: "up",
});
