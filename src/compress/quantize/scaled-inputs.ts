/**
 * Moving size from what dense layers take to their weights: x / s and s W give the same product, and are easier to round (Xiao et al. 2023, eq. 3; Lin et
 * al. 2024, sec. 3.2).
 */
import { Tensor } from "../../core/tensor.ts";
import { input, type Value } from "../../graph/ir.ts";
import { apply } from "../../graph/op.ts";
import { rewrite } from "../../graph/rewrite.ts";
import { constant, LayerNormalization, mul } from "../../ops/index.ts";
import { type WeightedGraph, withOutputs } from "../graph/weighted-graph.ts";
import { placeAlong } from "./grid.ts";
import { readersOf, type Site } from "./sites.ts";

/** Dense layers that take one value, which all must take scaled alike. */
export interface SharedInput {
  readonly x: Value;
  readonly sites: readonly Site[];
}

/** The dense sites of a graph by what they take; those whose weight serves several products are left out. */
export function sharedInputs({ graph }: WeightedGraph, sites: readonly Site[]): readonly SharedInput[] {
  const readers = readersOf(graph.outputs);
  const groups = new Map<Value, Site[]>();
  for (const site of sites) {
    const [x] = site.node.inputs;
    if (!x || site.kind !== "dense" || readers.get(site.weight) !== 1) continue;
    const group = groups.get(x) ?? [];
    group.push(site);
    groups.set(x, group);
  }
  return Array.from(groups, ([x, own]) => ({ x, sites: own }));
}

/** Index of the input feature of each element of a dense weight. */
export const inputPlace = ({ held, outputAxis }: Site): ((i: number) => number) =>
  placeAlong(held.shape, outputAxis === 0 ? 1 : 0);

/**
 * The graph whose shared inputs are divided by factors, by feature, and whose weights are multiplied by them. Layer normalization before takes the factors
 * up; where there is none, or something else reads it, the value is multiplied.
 */
export function scaleInputs(traced: WeightedGraph, scaled: ReadonlyMap<SharedInput, Float32Array>): WeightedGraph {
  const readers = readersOf(traced.graph.outputs);
  const weights = new Map(traced.parameters);
  const store = (value: Value, tensor: Tensor): Value => {
    const stored = input(tensor.dtype, tensor.shape, value.name);
    weights.set(stored, tensor);
    return stored;
  };
  const inverse = (factors: Float32Array) => factors.map((factor) => 1 / factor);
  const ofWeight = new Map<Value, { readonly site: Site; readonly factors: Float32Array; readonly x: Value }>();
  const ofNorm = new Map<Value, Float32Array>();
  for (const [{ x, sites }, factors] of scaled) {
    for (const site of sites) ofWeight.set(site.weight, { site, factors, x });
    const [, scale, shift] = x.producer?.op === LayerNormalization ? x.producer.inputs : [];
    const isOwn = scale && weights.has(scale) && readers.get(scale) === 1;
    const isShiftOwn = !shift || (weights.has(shift) && readers.get(shift) === 1);
    if (isOwn && isShiftOwn && readers.get(x) === sites.length) ofNorm.set(x, factors);
  }
  /** Values that are divided by a node of their own, once. */
  const divided = new Map<Value, Value>();
  const { outputs } = rewrite(traced.graph.outputs, (node, original) => {
    const norm = ofNorm.get(original.outputs[0]);
    if (norm) {
      const factors = inverse(norm);
      const operands = node.inputs.map((value, i) => {
        const held = i > 0 && value ? weights.get(value) : undefined;
        return value && held
          ? store(
              value,
              times(held, (c) => factors[c] as number),
            )
          : value;
      });
      return [apply(node.op, operands, node.attributes)];
    }
    const [x, weight, ...others] = node.inputs;
    const found = weight && ofWeight.get(weight);
    if (!x || !found) return undefined;
    const { site, factors } = found;
    const place = inputPlace(site);
    const stored = store(
      weight,
      times(site.held, (i) => factors[place(i)] as number),
    );
    const own = ofNorm.has(found.x)
      ? x
      : (divided.get(x) ?? mul(x, constant(new Tensor("float32", [factors.length], inverse(factors)))));
    if (own !== x) divided.set(x, own);
    return [apply(node.op, [own, stored, ...others], node.attributes)];
  });
  return withOutputs(traced, outputs, weights);
}

const times = ({ shape, data }: Tensor, factor: (i: number) => number): Tensor<"float32"> =>
  new Tensor(
    "float32",
    shape,
    Float32Array.from(data as Float32Array, (w, i) => w * factor(i)),
  );
