/**
 * How recurrent operators take their steps, forwards one by one and backwards through time, whatever their cell computes.
 * Sequences are rows here: [T · N, K], the batch of one step after that of another.
 */
import { UnsupportedError } from "../../core/errors.ts";
import type { Value } from "../../graph/ir.ts";
import { type Attributes, apply } from "../../graph/op.ts";
import { cast } from "../cast.ts";
import { iota, scalar } from "../constant.ts";
import { add, mul, sub } from "../elementwise.ts";
import { ReverseSequence } from "../indexing.ts";
import { less } from "../logic.ts";
import { linear, matmul } from "../matmul.ts";
import { concat, expand, reshape, split, stack, transpose } from "../movement.ts";
import { reduceSum } from "../reduce.ts";
import { flip, slice } from "../slicing.ts";
import { type RecurrentActivation, recurrentActivations } from "./activations.ts";

/** What a cell remembers between steps, [N, H] each; c only with memory. */
export interface State {
  readonly h: Value;
  readonly c: Value | undefined;
}

/** How the gradients of weights are made of rows [T · N, K]: added up over steps and samples, or over steps alone, for each sample. */
export interface Sums {
  /** Σ aᵀ b: [A, B], or [N, A, B]. */
  products(a: Value, b: Value): Value;
  /** Σ a: [A], or [N, A]. */
  totals(a: Value): Value;
}

const sumsOfAll: Sums = {
  products: (a, b) => matmul(a, b, { transA: true }),
  totals: (a) => reduceSum(a, 0),
};

/** Sums for each of N samples. */
function sumsOfSamples(count: number): Sums {
  const samplesOf = (rows: Value) => transpose(reshape(rows, [-1, count, rows.shape[1] ?? 1]), [1, 0, 2]);
  return {
    products: (a, b) => matmul(samplesOf(a), samplesOf(b), { transA: true }),
    totals: (a) => reduceSum(samplesOf(a), 1),
  };
}

/** One direction of an application, in the order in which it takes its steps. */
export interface Direction {
  readonly steps: number;
  /** Inputs, [T · N, I]. */
  readonly x: Value;
  /** [gates · H, I] and [gates · H, H]. */
  readonly w: Value;
  readonly r: Value;
  /** Biases beside w and r, [gates · H]. */
  readonly wb: Value | undefined;
  readonly rb: Value | undefined;
  readonly initial: State;
  /** Those of the gates, in ONNX's order. */
  readonly activations: readonly [RecurrentActivation, ...RecurrentActivation[]];
  /** Weights of the memory in the gates i, o and f, [3 H]. */
  readonly p: Value | undefined;
  /** 1 within a sequence, 0 after its end, [T · N, 1]; none where every sequence has every step. */
  readonly mask: Value | undefined;
}

/** A direction that ran, and the gradients that come back to it. */
export interface RanDirection extends Direction {
  /** How its rule makes the gradients of weights. */
  readonly sums: Sums;
  /** h after each step and before it, [T · N, H]. */
  readonly h: Value;
  readonly before: Value;
  /** Gradients of h after each step, [T · N, H], and of the last state. */
  readonly gH: Value | undefined;
  readonly gLast: Partial<State>;
}

/** What a cell's rule gives; the gradient of x follows from it. */
export interface CellGradients {
  /** Of x wᵀ + wb, [T · N, gates · H]. */
  readonly fromInput: Value;
  /** Of the weights and biases. */
  readonly w: Value;
  readonly r: Value;
  readonly wb: Value;
  readonly rb: Value;
  /** Of the state before the first step. */
  readonly initial: State;
}

export interface Cell {
  readonly type: string;
  readonly gates: number;
  readonly hasMemory: boolean;
  /** The activations of ONNX's defaults. */
  readonly activations: readonly string[];
  /** Operations of a unit and step beside the products. */
  readonly elementwiseFlops: number;
  /** The state after a step, from x wᵀ + wb of the step, [N, gates · H]. */
  step(fromInput: Value, state: State, direction: Direction): State;
  backward(direction: RanDirection): CellGradients;
}

interface View {
  /** x [T, N, I], w [D, gates · H, I], r [D, gates · H, H], b [D, 2 gates · H], lengths [N], h and c [D, N, H], p [D, 3 H]. */
  readonly inputs: readonly [Value, Value, Value, Value?, Value?, Value?, Value?, Value?];
  readonly outputs: readonly [Value, ...Value[]];
  readonly attributes: Attributes & { readonly direction?: string };
}

/** Steps that are written out one by one at most: a graph has some ten nodes for each. */
const maxSteps = 1 << 15;

/** The batches of the steps, [N, K] each. Throws UnsupportedError for more steps than a graph can hold. */
export function stepsOf(rows: Value, steps: number): readonly Value[] {
  if (steps === 1) return [rows];
  if (steps > maxSteps)
    throw new UnsupportedError(
      `a recurrent layer takes ${steps} steps, and its gradient writes out ${maxSteps} at most; use shorter sequences`,
    );
  return split(rows, new Array<number>(steps).fill((rows.shape[0] ?? 0) / steps), 0);
}

export const rowsOf = (value: Value): Value => reshape(value, [-1, value.shape.at(-1) ?? 1]);

/** Entry `index` of an axis, without that axis. */
function entryOf(value: Value, axis: number, index: number): Value {
  const one = value.shape[axis] === 1 ? value : slice(value, { axis, start: index, end: index + 1 });
  return reshape(one, value.shape.toSpliced(axis, 1));
}

/** The sum of what there is of the values. */
export const sumOf = (...values: readonly (Value | undefined)[]): Value | undefined =>
  values.reduce((sum, value) => (sum && value ? add(sum, value) : (sum ?? value)));

/** Whether direction `index` runs from the end to the beginning. */
const runsBack = ({ attributes: { direction } }: Pick<View, "attributes">, index: number): boolean =>
  index === 1 || direction === "reverse";

/** A sequence [T, N, …] in the order of a direction's steps, or back from it: within its length, where it has one. */
function turn(view: Omit<View, "outputs">, index: number, sequence: Value): Value {
  if (!runsBack(view, index)) return sequence;
  const lengths = view.inputs[4];
  return lengths
    ? apply(ReverseSequence, [sequence, cast(lengths, "int64")], { time_axis: 0, batch_axis: 1 })
    : flip(sequence, 0);
}

function directionsOf({ type, activations: defaults }: Cell, view: Omit<View, "outputs">): Direction[] {
  const [x, w, r, b, lengths, h, c, p] = view.inputs;
  const [steps = 1, batch = 1] = x.shape;
  const mask =
    lengths &&
    reshape(cast(less(reshape(iota(steps, "int32"), [steps, 1]), cast(lengths, "int32")), x.dtype), [steps * batch, 1]);
  const count = w.shape[0] ?? 1;
  const activations = recurrentActivations(type, defaults, count, view.attributes);
  return Array.from({ length: count }, (_, d) => {
    const bias = b && entryOf(b, 0, d);
    const [wb, rb] = bias
      ? split(
          bias,
          [bias.shape[0] ?? 0, 0].map(() => (bias.shape[0] ?? 0) / 2),
        )
      : [];
    const zero = expand(scalar(0, x.dtype), [batch, r.shape[2] ?? 1]);
    return {
      steps,
      x: rowsOf(turn(view, d, x)),
      w: entryOf(w, 0, d),
      r: entryOf(r, 0, d),
      wb,
      rb,
      initial: { h: h ? entryOf(h, 0, d) : zero, c: c ? entryOf(c, 0, d) : zero },
      activations: activations[d] as Direction["activations"],
      p: p && entryOf(p, 0, d),
      mask,
    };
  });
}

/** The outputs by one step after another for floats other than float32, which ONNX Runtime's kernels do not have. */
export const runOtherFloats = (cell: Cell, view: View): readonly Value[] | undefined =>
  view.inputs[0].dtype === "float32" ? undefined : runUnrolled(cell, view);

/** The outputs by one step after another. */
export function runUnrolled(cell: Cell, view: Omit<View, "outputs">): readonly Value[] {
  const ran = directionsOf(cell, view).map((direction, d) => {
    const { steps, w, wb, mask, initial } = direction;
    const inputs = stepsOf(linear(direction.x, w, wb), steps);
    const masks = mask && stepsOf(mask, steps);
    let state = initial;
    const outputs = inputs.map((fromInput, t) => {
      const next = cell.step(fromInput, state, direction);
      const inside = masks?.[t];
      const passed = (before: Value, after: Value) => (inside ? add(before, mul(inside, sub(after, before))) : after);
      state = {
        h: passed(state.h, next.h),
        c: state.c && next.c && passed(state.c, next.c),
      };
      return inside ? mul(inside, next.h) : next.h;
    });
    return { outputs: turn(view, d, stack(outputs)), state };
  });
  const last = (part: (state: State) => Value | undefined) => stack(ran.flatMap(({ state }) => part(state) ?? []));
  return [
    stack(
      ran.map(({ outputs }) => outputs),
      1,
    ),
    last(({ h }) => h),
    ...(cell.hasMemory ? [last(({ c }) => c)] : []),
  ];
}

interface GradientView extends View {
  readonly gs: readonly (Value | undefined)[];
  readonly needs: readonly boolean[];
}

/** Gradients of w, r and b for each sample, [N, …operand]. */
export const runSampleGradients = (cell: Cell, view: GradientView): readonly (Value | undefined)[] =>
  runGradient(cell, view, sumsOfSamples(view.inputs[0].shape[1] ?? 1)).slice(0, 4);

/** Gradients of x, w, r, b and the initial state from those of the outputs. */
export function runGradient(cell: Cell, view: GradientView, sums = sumsOfAll): readonly (Value | undefined)[] {
  const { inputs, outputs, gs, needs } = view;
  const [x, , , b] = inputs;
  const batch = x.shape[1] ?? 1;
  const [gY, gH, gC] = gs;
  const parts = directionsOf(cell, view).map((direction, d) => {
    const { steps, mask, w, initial } = direction;
    const h = rowsOf(turn(view, d, entryOf(outputs[0], 1, d)));
    const g = gY && rowsOf(turn(view, d, entryOf(gY, 1, d)));
    const found = cell.backward({
      ...direction,
      sums,
      h,
      before: steps === 1 ? initial.h : concat([initial.h, slice(h, { axis: 0, start: 0, end: -batch })]),
      gH: g && mask ? mul(g, mask) : g,
      gLast: { h: gH && entryOf(gH, 0, d), c: gC && entryOf(gC, 0, d) },
    });
    return {
      ...found,
      x: needs[0] ? turn(view, d, reshape(matmul(found.fromInput, w), x.shape)) : undefined,
      b: concat([found.wb, found.rb], -1),
    };
  });
  const perDirection = (
    needed: boolean | undefined,
    part: (found: (typeof parts)[number]) => Value | undefined,
    axis = 0,
  ) =>
    needed
      ? stack(
          parts.flatMap((found) => part(found) ?? []),
          axis,
        )
      : undefined;
  // Behind the samples, where there are gradients for each.
  const axis = sums === sumsOfAll ? 0 : 1;
  return [
    sumOf(...parts.map((found) => found.x)),
    perDirection(needs[1], (found) => found.w, axis),
    perDirection(needs[2], (found) => found.r, axis),
    perDirection(b && needs[3], (found) => found.b, axis),
    undefined,
    perDirection(needs[5], ({ initial }) => initial.h),
    perDirection(needs[6], ({ initial }) => initial.c),
  ];
}
