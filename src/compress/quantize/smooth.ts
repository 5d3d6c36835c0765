/** SmoothQuant: outliers of what dense layers take, moved to their weights (Xiao et al. 2023). */
import type { WeightedGraph } from "../graph/weighted-graph.ts";
import type { Samples } from "./calibrate.ts";
import { featureSizes } from "./feature-statistics.ts";
import { extremesOf } from "./grid.ts";
import { scaleInputs, sharedInputs } from "./scaled-inputs.ts";
import type { Site } from "./sites.ts";

interface Smoothing extends Samples {
  /** α. */
  readonly strength: number;
}

/** The graph whose dense layers take x / s, with s = max |x|^α / max |W|^(1 - α) by feature (eq. 4). */
export async function smoothed(
  traced: WeightedGraph,
  sites: readonly Site[],
  { strength, ...samples }: Smoothing,
): Promise<WeightedGraph> {
  const shared = sharedInputs(traced, sites);
  const statistics = await featureSizes(
    traced,
    shared.map(({ x }) => x),
    samples,
  );
  const factors = shared.map((own) => {
    const { largest = new Float64Array() } = statistics.get(own.x) ?? {};
    // By the layers that take it, the largest weight of each feature.
    const weights = own.sites.map(({ held, outputAxis }) => extremesOf(held, outputAxis === 0 ? 1 : 0));
    const found = Float32Array.from(largest, (x, feature) => {
      const weight = Math.max(...weights.map((extremes) => extremes[feature] ?? 0));
      // A feature that is never there, or never read, stays as it is.
      return x === 0 || weight === 0 ? 1 : x ** strength / weight ** (1 - strength);
    });
    return [own, found] as const;
  });
  return scaleInputs(traced, new Map(factors));
}
