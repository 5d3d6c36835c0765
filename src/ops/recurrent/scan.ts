/** A function applied step by step along an axis, its state carried from one step to the next. */
import { ShapeError } from "../../core/errors.ts";
import { type Shape, sameShape, showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { reshape, split, stack } from "../movement.ts";

/** What a step leaves: the state for the next one, and what it outputs. */
export interface ScanStep {
  readonly state: readonly Value[];
  readonly output: Value;
}

/**
 * h₀ = initial; hₜ, yₜ = step(hₜ₋₁, xₜ) for the slices xₜ of x along its first axis: x [T, …] → the last state and the outputs
 * [T, …]. Each step is traced, so that gradients of any order pass through all of them (back-propagation through time,
 * Werbos 1990); the graph grows with T, for which `rnn`, `gru` and `lstm` have operators of their own. Throws ShapeError when a step
 * changes the shape of the state.
 * @example
 * const { outputs } = scan(([sum], x) => { const next = add(sum, x); return { state: [next], output: next }; }, [zeros([])], x);
 */
export function scan(
  step: (state: readonly Value[], x: Value, t: number) => ScanStep,
  initial: readonly Value[],
  x: Value,
): { readonly state: readonly Value[]; readonly outputs: Value } {
  const [steps = 0, ...rest] = x.shape;
  if (x.rank === 0 || steps === 0)
    throw new ShapeError(`scan: x is ${showShape(x.shape)}; pass [steps, …] with one step at least`);
  const outputs: Value[] = [];
  let state = initial;
  const slices = split(
    x,
    Array.from({ length: steps }, () => 1),
  );
  for (const [t, slice] of slices.entries()) {
    const result = step(state, reshape(slice, rest), t);
    requireSame(initial, result.state, t);
    state = result.state;
    outputs.push(result.output);
  }
  return { state, outputs: stack(outputs) };
}

function requireSame(initial: readonly Value[], state: readonly Value[], t: number): void {
  const show = (values: readonly Value[]) => values.map(({ shape }) => showShape(shape)).join(", ");
  const same = (shape: Shape, i: number) => sameShape(shape, state[i]?.shape ?? []);
  if (initial.length !== state.length || !initial.every(({ shape }, i) => same(shape, i)))
    throw new ShapeError(
      `scan: step ${t} turns a state of ${show(initial)} into ${show(state)}; return a state of the same shapes`,
    );
}
