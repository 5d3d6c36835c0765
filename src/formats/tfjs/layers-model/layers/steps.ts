/** Sequences that are read step by step as Keras reads them: masks, outputs of steps that are left out, states. */
import { ShapeError } from "../../../../core/errors.ts";
import { tensor } from "../../../../core/tensor.ts";
import type { Value } from "../../../../graph/ir.ts";
import {
  add,
  cast,
  constant,
  cumulativeSum,
  expand,
  gatherElements,
  greater,
  maximum,
  mul,
  reshape,
  slice,
  split,
  stack,
  sub,
  swapAxes,
  topK,
  unsqueeze,
  where,
} from "../../../../ops/index.ts";

/** More steps than this are not traced one by one. */
const maxSteps = 4096;

/** A sequence [N, T, …] that is read, and which of its steps count, [N, T]. */
export interface Reading {
  readonly x: Value;
  readonly states: readonly Value[];
  readonly mask: Value | undefined;
  /** What a step that does not count gives: 0, or what the step before it gave. */
  readonly zeroForMask: boolean;
}

/** [N] beside a value [N, …], to broadcast over it. */
const beside = (value: Value, like: Value): Value =>
  reshape(value, [value.shape[0] ?? 1, ...new Array<number>(like.rank - 1).fill(1)]);

/**
 * Outputs of every step [N, T, …] and the states after the last one, of a step that is traced once for each. States that are given may
 * have one row for all samples. A step that does not count leaves states and output as they were; before the first that counts the
 * output is 0.
 */
export function readSteps(
  step: (x: Value, states: readonly Value[]) => readonly [Value, ...Value[]],
  { x, states: initial, mask, zeroForMask }: Reading,
): { readonly outputs: Value; readonly states: readonly Value[] } {
  const steps = x.shape[1] ?? 0;
  if (steps > maxSteps)
    throw new ShapeError(`it reads ${steps} steps one by one, expected ${maxSteps} at most; pass shorter sequences`);
  const stepsOf = (value: Value): readonly Value[] =>
    split(value, new Array<number>(steps).fill(1), 1).map((part) => reshape(part, part.shape.toSpliced(1, 1)));
  const counts = mask && stepsOf(mask);
  const outputs: Value[] = [];
  let states = initial;
  let shown: Value | undefined;
  for (const [t, own] of stepsOf(x).entries()) {
    const after = step(own, states);
    const isCounted = counts?.[t];
    const kept = (next: Value, old: Value | undefined) =>
      isCounted ? where(beside(isCounted, next), next, old ?? 0) : next;
    const output = kept(after[0], shown);
    outputs.push(isCounted && zeroForMask ? kept(after[0], undefined) : output);
    states = after.map((next, i) => kept(next, states[i]));
    shown = output;
  }
  return { outputs: stack(outputs, 1), states };
}

/** [N, T, …] as [T, N, …], and back. */
export const timeFirst = (value: Value): Value => swapAxes(value, 0, 1);

/** Sequences with the steps that count in front, and how to spread what is made of them. */
export interface Packed {
  /** [N, T, …], the steps that count first and in their order. */
  readonly x: Value;
  /** How many count, int32 [N]. */
  readonly lengths: Value;
  /** Outputs [N, T, …] of the packed steps at the places of the steps that they are of, repeated where none counts. */
  spread(outputs: Value): Value;
}

/** Packs sequences [N, T, I] by a mask [N, T], so that an operator that knows lengths alone can read them. */
export function packSteps(x: Value, mask: Value, zeroForMask: boolean): Packed {
  const [batch = 1, steps = 1] = mask.shape;
  const counts = cast(mask, "int32");
  const numbers = cumulativeSum(counts, 1); // how many have counted up to each step
  // Steps that count rank before all others, earlier ones before later ones.
  const rank = constant(tensor(Array.from({ length: steps }, (_, t) => steps - t)));
  const { indices } = topK(add(rank, mul(cast(mask, "float32"), steps)), steps, 1);
  const along = (value: Value, places: Value) =>
    gatherElements(value, expand(unsqueeze(places, [2]), [batch, steps, value.shape[2] ?? 1]), 1);
  return {
    x: along(x, indices),
    lengths: reshape(slice(numbers, { axis: 1, start: steps - 1, end: steps }), [batch]),
    spread(outputs) {
      const last = along(outputs, cast(maximum(sub(numbers, 1), 0), "int64"));
      const hasBegun = greater(numbers, 0);
      const shown = zeroForMask ? mask : hasBegun;
      return mul(last, unsqueeze(cast(shown, last.dtype), [2]));
    },
  };
}
