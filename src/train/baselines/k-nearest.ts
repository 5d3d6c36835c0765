/** k nearest neighbours of tables, for classes and numbers: how many, and how they weigh, chosen on the validation part. */
import type { Rows } from "../few-shot/classifier.ts";
import { distancesTo } from "../few-shot/distances.ts";
import {
  type Attempt,
  bestOf,
  classOf,
  crossEntropyOf,
  rowsNote,
  rowsWithin,
  sameShare,
  scoreOf,
  secondsOnAll,
  type TableBaseline,
  type TableRows,
} from "./baseline.ts";

const candidates = [1, 2, 3, 5, 8, 12, 20, 35, 50] as const;
/** Rows whose distances are held at once. */
const block = 64;

/** The nearest samples of each row, the nearest first. */
interface Neighbours {
  readonly each: number;
  /** [rows, each] */
  readonly samples: Int32Array;
  /** [rows, each], not squared */
  readonly distances: Float64Array;
}

/** The first rows, so many at most. */
const firstRows = ({ count, width, values }: Rows, most: number): Rows => ({
  count: Math.min(count, most),
  width,
  values: values.subarray(0, Math.min(count, most) * width),
});

/** The `each` nearest samples of rows; of equally far ones the earlier first. */
function neighboursOf(samples: Rows, rows: Rows, each: number): Neighbours {
  const { width } = rows;
  const far = distancesTo(samples, "euclidean");
  const found = new Int32Array(rows.count * each);
  const distances = new Float64Array(rows.count * each).fill(Number.POSITIVE_INFINITY);
  for (let from = 0; from < rows.count; from += block) {
    const count = Math.min(block, rows.count - from);
    const all = far({ count, width, values: rows.values.subarray(from * width, (from + count) * width) });
    for (let i = 0; i < count; i++) {
      const first = (from + i) * each;
      const last = first + each - 1;
      for (let sample = 0; sample < samples.count; sample++) {
        const distance = all[i * samples.count + sample] as number;
        if (distance >= (distances[last] as number)) continue;
        let at = last;
        for (; at > first && (distances[at - 1] as number) > distance; at--) {
          distances[at] = distances[at - 1] as number;
          found[at] = found[at - 1] as number;
        }
        distances[at] = distance;
        found[at] = sample;
      }
    }
  }
  return { each, samples: found, distances: distances.map(Math.sqrt) };
}

/** Shares of the classes [rows, classes], or numbers [rows, 1], of the k nearest; `near` weighs by 1 / distance. */
function vote(train: TableRows, { each, samples, distances }: Neighbours, k: number, near: boolean): Float64Array {
  const channels = Math.max(1, train.classes);
  const rows = samples.length / each;
  const votes = new Float64Array(rows * channels);
  for (let i = 0; i < rows; i++) {
    let total = 0;
    // A sample at the place of the row outweighs all others.
    const weightOf = (n: number) => (near ? 1 / Math.max(1e-12, distances[i * each + n] as number) : 1);
    for (let n = 0; n < k; n++) {
      const target = train.targets[samples[i * each + n] as number] as number;
      const weight = weightOf(n);
      total += weight;
      const at = i * channels + (train.classes > 0 ? target : 0);
      votes[at] = (votes[at] as number) + weight * (train.classes > 0 ? 1 : target);
    }
    for (let c = 0; c < channels; c++) votes[i * channels + c] = (votes[i * channels + c] as number) / total;
  }
  return votes;
}

/** The vote, or the mean, of the nearest rows (Cover and Hart 1967). */
export const kNearest: TableBaseline = {
  name: "k nearest neighbours",
  fit(all, validation, limits) {
    const few = firstRows(validation, block);
    const asked = (validation.count + limits.later) / few.count;
    const needed = asked * secondsOnAll(all, limits, (rows) => neighboursOf(rows, few, Math.min(50, rows.count)));
    const train = rowsWithin(all, limits, needed);
    const { classes } = train;
    const most = Math.min(50, train.count);
    const neighbours = neighboursOf(train, validation, most);
    const attempts = [false, true].flatMap((near) =>
      candidates
        .filter((k) => k <= most)
        .map((k): Attempt & { readonly k: number; readonly near: boolean } => {
          const votes = vote(train, neighbours, k, near);
          const predicted = classes > 0 ? classOf(votes, classes) : votes;
          const score = scoreOf(predicted, validation);
          return { k, near, score, loss: classes > 0 ? crossEntropyOf(votes, validation) : score };
        }),
    );
    const { k, near, score } = bestOf(validation, attempts);
    return {
      settings: `k = ${k}${near ? ", weighted by 1 / distance" : ""}${rowsNote(train, all)}`,
      validation: score,
      refit(more) {
        const own = sameShare(more, train, all, limits.key);
        return (rows) => {
          const votes = vote(own, neighboursOf(own, rows, k), k, near);
          return classes > 0 ? classOf(votes, classes) : votes;
        };
      },
    };
  },
};
