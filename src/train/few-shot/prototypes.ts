/** The nearest class mean: prototypical classification (Snell et al. 2017). */
import { optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { classifierOf, type FeatureClassifier, labelledRows } from "./classifier.ts";
import { distancesTo, distanceType, type FeatureDistance } from "./distances.ts";

/** Options of `prototypes`. */
export interface PrototypesOptions {
  /** How far a sample is from a prototype: `euclidean`, squared, or `cosine`, 1 less the cosine; default `euclidean`. */
  readonly distance?: FeatureDistance;
}

const checkOptions = optionsOf<PrototypesOptions>("prototypes", { distance: distanceType });

/** What `prototypes` makes. */
export interface Prototypes extends FeatureClassifier {
  /** The mean of each class, [classes, features]. */
  readonly means: Tensor<"float32">;
}

/**
 * A classifier by the nearest prototype, the mean of a class's features (Snell et al. 2017, "Prototypical Networks for Few-shot
 * Learning", eqs. 1 and 2). Its scores are negative distances: their softmax is the paper's distribution over classes.
 *
 * Throws ShapeError for features that are not [samples, features] or labels that are not [samples]; DataError for labels that are no
 * whole numbers from 0, for features that are not finite, and for fewer than two classes.
 * @example
 * const byMeans = prototypes(tensor([[0, 0], [0, 2], [4, 4]]), tensor([0, 0, 1]));
 * byMeans.predict(tensor([[1, 1], [3, 3]])).toNumbers(); // [0, 1]
 */
export function prototypes(features: Tensor, labels: Tensor, options: PrototypesOptions = {}): Prototypes {
  const { distance = "euclidean" } = checkOptions(options);
  const rows = labelledRows("prototypes", features, labels);
  const { classes, places, width, values } = rows;
  const sums = new Float64Array(classes.length * width);
  const counts = new Float64Array(classes.length);
  for (let i = 0; i < rows.count; i++) {
    const place = places[i] as number;
    counts[place] = (counts[place] as number) + 1;
    for (let j = 0; j < width; j++)
      sums[place * width + j] = (sums[place * width + j] as number) + (values[i * width + j] as number);
  }
  const means = sums.map((sum, k) => sum / (counts[Math.floor(k / width)] as number));
  const distances = distancesTo({ count: classes.length, width, values: means }, distance);
  return {
    ...classifierOf("prototypes", rows, (own) => distances(own).map((far) => -far)),
    means: new Tensor("float32", [classes.length, width], Float32Array.from(means)),
  };
}
