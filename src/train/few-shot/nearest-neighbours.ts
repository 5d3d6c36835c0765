/** The vote of the nearest samples: k nearest neighbours (Cover and Hart 1967). */
import { OptionError } from "../../core/errors.ts";
import { count } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Tensor } from "../../core/tensor.ts";
import { classifierOf, type FeatureClassifier, labelledRows } from "./classifier.ts";
import { distancesTo, distanceType, type FeatureDistance } from "./distances.ts";

/** Options of `nearestNeighbours`. */
export interface NearestNeighboursOptions {
  /** How many samples vote; default 5, or all where there are fewer. */
  readonly neighbours?: number;
  /** How far samples are from one another: `euclidean` or `cosine`, 1 less the cosine; default `euclidean`. */
  readonly distance?: FeatureDistance;
}

const checkOptions = optionsOf<NearestNeighboursOptions>("nearestNeighbours", {
  neighbours: count(),
  distance: distanceType,
});

/**
 * A classifier by the vote of the nearest samples (Cover and Hart 1967, "Nearest Neighbor Pattern Classification"), a baseline that
 * learns nothing. Its scores are shares of votes. Of samples that are equally far the earlier votes, of classes with equal votes the
 * lower label is predicted.
 *
 * Throws as `prototypes` does, and OptionError for more neighbours than samples.
 * @example
 * const byVote = nearestNeighbours(tensor([[0], [1], [5]]), tensor([0, 0, 1]), { neighbours: 1 });
 * byVote.predict(tensor([[4]])).toNumbers(); // [1]
 */
export function nearestNeighbours(
  features: Tensor,
  labels: Tensor,
  options: NearestNeighboursOptions = {},
): FeatureClassifier {
  const { distance = "euclidean", neighbours: given } = checkOptions(options);
  const samples = labelledRows("nearestNeighbours", features, labels);
  const { classes, places, count: total } = samples;
  const neighbours = given ?? Math.min(5, total);
  if (neighbours > total)
    throw new OptionError(`nearestNeighbours: neighbours is ${neighbours}, of ${total} samples; pass ${total} at most`);
  const distances = distancesTo(samples, distance);
  return classifierOf("nearestNeighbours", samples, (rows) => {
    const far = distances(rows);
    const votes = new Float64Array(rows.count * classes.length);
    for (let i = 0; i < rows.count; i++) {
      const own = far.subarray(i * total, (i + 1) * total);
      const order = Array.from({ length: total }, (_, k) => k).sort(
        (a, b) => (own[a] as number) - (own[b] as number) || a - b,
      );
      for (const sample of order.slice(0, neighbours)) {
        const at = i * classes.length + (places[sample] as number);
        votes[at] = (votes[at] as number) + 1 / neighbours;
      }
    }
    return votes;
  });
}
