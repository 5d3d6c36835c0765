/** Gradients of which no sample has more than a bounded part: each sample's is scaled down to a length before they are added up. */
import { operandGradients, propagateBack, reachableGradients } from "../../autodiff/gradients.ts";
import type { Node, Value } from "../../graph/ir.ts";
import { simplify } from "../../graph/passes.ts";
import { assignScope } from "../../graph/rewrite.ts";
import {
  add,
  cast,
  concat,
  div,
  gather,
  greater,
  int64s,
  lessOrEqual,
  maximum,
  minimum,
  mul,
  ones,
  reduceSum,
  reshape,
  sqrt,
  square,
} from "../../ops/index.ts";
import { sampleAxes } from "./sample-axes.ts";
import type { SampleSum, SampleWay } from "./sample-sums.ts";
import { unsum } from "./unsum.ts";

/** How a sample's gradient is found: as a whole, by its length alone where that is less work, or as that of a batch of one. */
export type ClippingWay = SampleWay | "alone";

/** What is clipped. */
export interface ClippedOptions {
  /** Values that the gradients are with respect to. */
  readonly wrt: readonly Value[];
  /** Groups of places in `wrt`, each clipped by itself: one of all, or one a layer. */
  readonly groups: readonly (readonly number[])[];
  /** The length of each group's part that no sample exceeds, [groups]. */
  readonly limits: Value;
  /** Tensors of the batch, samples along the first axis. */
  readonly data: readonly Value[];
  /** Weights of the samples [N], by which losses are multiplied already, but not that of a sample alone; those of 0 are not within a limit. Default 1. */
  readonly weight?: Value | undefined;
  readonly way: ClippingWay;
}

/** Gradients of a sum over samples, each sample's clipped. */
export interface ClippedGradients {
  /** The values of `forward`, as they were simplified. */
  readonly forward: readonly Value[];
  /** For each value of `wrt` the sum over samples; `undefined` where no loss depends on it. */
  readonly gradients: readonly (Value | undefined)[];
  /** For each group how many samples were within its limit, [groups]. */
  readonly within: Value;
}

/** Kept from dividing by zero: far below any limit. */
const smallest = 1e-12;

/**
 * Σ min(1, limit / ‖gᵢ‖) gᵢ over the samples of a batch, gᵢ the gradient of sample i's loss (Abadi et al. 2016, algorithm 1). No second way back is taken: what
 * goes back is the same but for a factor of each sample, which enters where samples are added up (Bu et al. 2023). Throws MixedSamplesError where a loss
 * depends on several samples, or an operator has no rule, GradientError as `gradients` does.
 * @param forward losses of the samples [N], and what else is wanted of the graph
 */
export function clippedGradients(
  forward: readonly [Value, ...Value[]],
  { wrt, groups, limits, data, weight, way }: ClippedOptions,
): ClippedGradients {
  const simple = simplify(
    forward,
    wrt.filter(({ producer }) => producer !== undefined),
  );
  const [losses] = simple as [Value, ...Value[]];
  const count = losses.shape[0] ?? 1;
  const sums = way === "alone" ? undefined : sampleSums(losses, { wrt, data, count, way });
  const alone = sums ? undefined : reachableGradients([losses], [ones(losses.shape, losses.dtype)], wrt);
  const squares = (i: number): Value | undefined => {
    const gradient = alone?.[i];
    return sums?.[i]?.squares ?? (gradient && reshape(reduceSum(square(gradient)), [1]));
  };
  const found: (Value | undefined)[] = wrt.map(() => undefined);
  const within: Value[] = [];
  for (const [at, group] of groups.entries()) {
    const parts = group.flatMap((i) => squares(i) ?? []);
    const [first, ...others] = parts;
    if (!first) {
      within.push(ones([1], "float32"));
      continue;
    }
    const own = sqrt(others.reduce((sum, value) => add(sum, value), first)); // [N]
    const length = alone && weight ? mul(own, weight) : own;
    const limit = gather(limits, int64s([at]));
    const weights = minimum(div(limit, maximum(length, smallest)), 1);
    const isWithin = cast(lessOrEqual(length, limit), "float32");
    const counted = weight ? mul(isWithin, cast(greater(reshape(weight, [count]), 0), "float32")) : isWithin;
    within.push(reshape(reduceSum(counted), [1]));
    for (const i of group) {
      const gradient = alone?.[i];
      const factor = alone && weight ? mul(weights, weight) : weights;
      found[i] = sums?.[i]?.weighted(weights) ?? (gradient && mul(gradient, reshape(factor, [])));
    }
  }
  return { forward: simple, gradients: found, within: concat(within) };
}

interface SumsOptions extends Pick<ClippedOptions, "wrt" | "data"> {
  readonly count: number;
  readonly way: SampleWay;
}

/** What each sample adds to the gradients of values: `undefined` for one that no loss depends on. */
function sampleSums(losses: Value, { wrt, data, count, way }: SumsOptions): readonly (SampleSum | undefined)[] {
  const axes = sampleAxes([losses], { data, count });
  const known = new Map<Value, Value>();
  const ofValue: Value[][] = wrt.map(() => []);
  /** Gradients of the operands that are the same for all samples, which go on to the parameters behind them. */
  const collect = (node: Node, gs: readonly (Value | undefined)[], needs: readonly boolean[]) => {
    for (const [i, g] of gs.entries()) {
      const axis = axes.get(node.outputs[i] as Value);
      if (g && axis !== undefined) axes.set(g, axis);
    }
    const each = node.op.sampleGradients(node, gs, needs, reachableGradients);
    const own = operandGradients(node, gs, needs);
    for (const [i, value] of node.inputs.entries()) {
      const gradient = own[i];
      if (!value || !gradient || !needs[i]) continue;
      assignScope([gradient, each?.[i]], node.scope);
      if (each?.[i]) known.set(gradient, each[i]);
      for (const [at, found] of reachableGradients([value], [gradient], wrt).entries())
        if (found) ofValue[at]?.push(found);
    }
  };
  propagateBack([losses], [ones([count], losses.dtype)], wrt, {
    rule: (node, gs, needs) => {
      const isShared = node.inputs.map((value) => value !== undefined && !axes.has(value));
      const shared = needs.map((need, i) => need && isShared[i] === true);
      if (shared.some(Boolean)) collect(node, gs, shared);
      const others = needs.map((need, i) => need && isShared[i] !== true);
      const own = others.some(Boolean) ? operandGradients(node, gs, others) : [];
      return node.inputs.map((_, i) => (others[i] ? own[i] : undefined));
    },
  });
  return ofValue.map((gradients) => (gradients.length > 0 ? unsum(gradients, { axes, count, way, known }) : undefined));
}
