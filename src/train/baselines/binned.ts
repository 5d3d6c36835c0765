/** Numbers in bins of about equal counts, in which trees look for their splits (Ke et al. 2017, section 2.1). */
import type { Rows } from "../few-shot/classifier.ts";

/** Bins of a feature: a code has to fit into a byte. */
const mostBins = 255;
/** Rows that the edges are estimated of. */
const sampled = 50_000;

/** Rows by the bins of their features. */
export interface Binned {
  readonly count: number;
  readonly width: number;
  /** [features, rows]: the bin of each value. */
  readonly codes: Uint8Array;
  /** Of each feature the upper edges of its bins but the last, ascending. */
  readonly edges: readonly Float64Array[];
}

/** Edges between the distinct values of a column, or at its quantiles where there are more than bins. */
function edgesOf(column: Float64Array): Float64Array {
  const sorted = column.slice().sort();
  const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
  if (distinct.length <= mostBins) return distinct.subarray(1).map((value, i) => ((distinct[i] as number) + value) / 2);
  const quantiles = Float64Array.from(
    { length: mostBins - 1 },
    (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / mostBins) - 1] as number,
  );
  return quantiles.filter((value, i) => i === 0 || value !== quantiles[i - 1]);
}

/** The first edge that a value is not above. */
function binOf(edges: Float64Array, value: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (edges[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Bins the features of rows. */
export function binRows({ count, width, values }: Rows): Binned {
  const codes = new Uint8Array(count * width);
  const step = Math.ceil(count / sampled);
  const edges = Array.from({ length: width }, (_, feature) => {
    const own = edgesOf(
      Float64Array.from({ length: Math.ceil(count / step) }, (_, i) => values[i * step * width + feature] as number),
    );
    for (let row = 0; row < count; row++)
      codes[feature * count + row] = binOf(own, values[row * width + feature] as number);
    return own;
  });
  return { count, width, codes, edges };
}
