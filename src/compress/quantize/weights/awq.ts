/** Activation-aware scaling (AWQ): features that are large keep more of their weights' precision (Lin et al. 2024). */
import { greatest, least } from "../../../core/lists.ts";
import type { Value } from "../../../graph/ir.ts";
import type { WeightedGraph } from "../../graph/weighted-graph.ts";
import type { FeatureSizes } from "../feature-statistics.ts";
import { inputPlace, type SharedInput, scaleInputs, sharedInputs } from "../scaled-inputs.ts";
import { rowsOf, type Site } from "../sites.ts";
import { type BlockForm, roundToNearest } from "./blocks.ts";

/** Exponents that are tried, from 0 (no scaling) to 1. */
const steps = 20;

/**
 * The graph whose dense layers take x / s and hold s W, where s is the mean size of each feature by the power that leaves the least error after
 * rounding to blocks (Lin et al. 2024, eq. 4 and 5). The error is that of the products with the inputs that were seen, as if features were uncorrelated.
 */
export function awqScaled(
  traced: WeightedGraph,
  sites: readonly Site[],
  statistics: ReadonlyMap<Value, FeatureSizes>,
  form: BlockForm,
): WeightedGraph {
  const scaled = new Map<SharedInput, Float32Array>();
  for (const shared of sharedInputs(traced, sites)) {
    const own = statistics.get(shared.x);
    const factors = own && bestFactors(shared, own, form);
    if (factors) scaled.set(shared, factors);
  }
  return scaleInputs(traced, scaled);
}

/** The factors of the least error; `undefined` where none is better than none. */
function bestFactors({ sites }: SharedInput, own: FeatureSizes, form: BlockForm): Float32Array | undefined {
  let best: Float32Array | undefined;
  let smallest = Number.POSITIVE_INFINITY;
  for (let step = 0; step < steps; step++) {
    const factors = factorsOf(own.sizes, step / steps);
    let error = 0;
    for (const site of sites) error += scaledError(site, factors, own.squares, form);
    if (error < smallest) [best, smallest] = [step === 0 ? undefined : factors, error];
  }
  return best;
}

/** Sizes to a power, so that the largest times the smallest is 1. */
function factorsOf(sizes: Float64Array, power: number): Float32Array {
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  const raised = Float32Array.from(sizes, (size) => Math.max(size / (mean || 1), 1e-4) ** power);
  const [low, high] = [least(raised), greatest(raised)];
  return raised.map((factor) => factor / Math.sqrt(low * high));
}

/** Σ over features of E[x²] times the squared errors of their weights. */
function scaledError(site: Site, factors: Float32Array, squares: Float64Array, form: BlockForm): number {
  const place = inputPlace(site);
  const scaled = site.held.data.map((w, i) => w * (factors[place(i)] as number));
  const { rows, data } = rowsOf(site, scaled);
  const rounded = roundToNearest(data, rows, form);
  const columns = data.length / rows;
  let sum = 0;
  for (const [i, w] of data.entries()) {
    const column = i % columns;
    const error = (w - rounded.at(Math.floor(i / columns), column)) / (factors[column] as number);
    sum += (squares[column] as number) * error * error;
  }
  return sum;
}
