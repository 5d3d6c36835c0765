/**
 * The cells of recurrent operators: one step, and the rule of their gradient. The rule recomputes the gates of all steps
 * by one large product from the outputs, walks back through elementwise factors, and gives the weights' gradients by
 * one product each. It is made of differentiable operators, so that it has derivatives itself.
 */
import type { Value } from "../../graph/ir.ts";
import { scalar } from "../constant.ts";
import { add, mul, sub, where } from "../elementwise.ts";
import { greater } from "../logic.ts";
import { linear, matmul } from "../matmul.ts";
import { concat, expand, split } from "../movement.ts";
import type { RecurrentActivation } from "./activations.ts";
import { type Cell, type CellGradients, type RanDirection, type State, stepsOf, sumOf } from "./steps.ts";

/** Equal parts along the last axis. */
const gatesOf = (rows: Value, count: number): readonly Value[] =>
  split(rows, new Array<number>(count).fill((rows.shape.at(-1) ?? 0) / count), -1);

/** What a step reads, its input and the state before it, side by side: one large product is faster than two. */
const readBy = ({ x, before }: RanDirection): Value => concat([x, before], -1);

/** x wᵀ + h rᵀ with both biases, of all steps. */
function preactivations(direction: RanDirection): Value {
  const { w, r, wb, rb } = direction;
  return linear(readBy(direction), concat([w, r], -1), wb && rb && add(wb, rb));
}

/** Gradients of a cell whose gates add what comes from the input and from the state, by those of the sums of each step. */
function gradientsBySums(direction: RanDirection, sums: readonly Value[], initial: State): CellGradients {
  const all = concat(sums);
  const both = direction.sums.products(all, readBy(direction));
  const [w, r] = split(both, [direction.w.shape[1] ?? 0, direction.r.shape[1] ?? 0], -1);
  const bias = direction.sums.totals(all);
  return { fromInput: all, w, r, wb: bias, rb: bias, initial };
}

/** Nothing passes a step after its sequence's end: the factor is 0 there. */
const insideOnly = (rows: Value, { mask }: RanDirection): Value => (mask ? mul(rows, mask) : rows);
/** Behind its sequence's end a state passes unchanged: the factor is 1 there. */
const oneOutside = (rows: Value, { mask }: RanDirection): Value => (mask ? where(greater(mask, 0), rows, 1) : rows);

const zerosLike = (value: Value): Value => expand(scalar(0, value.dtype), value.shape);

/**
 * Walks back over the steps. `step` gets the gradient of the state after step t, complete, and gives that of the state
 * before it; returns the gradient of the initial state.
 */
function walkBack(
  { steps, gH, gLast, initial }: RanDirection,
  step: (t: number, g: State) => { readonly h: Value; readonly c?: Value },
): State {
  const arriving = gH && stepsOf(gH, steps);
  let carried = gLast;
  for (let t = steps - 1; t >= 0; t--) {
    const h = sumOf(arriving?.[t], carried.h) ?? zerosLike(initial.h);
    carried = step(t, { h, c: carried.c });
  }
  return { h: carried.h ?? zerosLike(initial.h), c: carried.c };
}

/** h' = f(a) with a = x wᵀ + h rᵀ + b: da = f'(a) dh'. */
export const rnnCell: Cell = {
  type: "RNN",
  gates: 1,
  hasMemory: false,
  activations: ["tanh"],
  elementwiseFlops: 2,
  step: (fromInput, { h }, { r, rb, activations: [f] }) => ({
    h: f.apply(add(fromInput, linear(h, r, rb))),
    c: undefined,
  }),
  backward: (direction) => {
    const { steps, r, h, mask, activations } = direction;
    const [f] = activations;
    const slopes = stepsOf(
      insideOnly(
        f.slope(() => preactivations(direction), h),
        direction,
      ),
      steps,
    );
    const outside = mask && stepsOf(sub(1, mask), steps);
    const sums: Value[] = [];
    const initial = walkBack(direction, (t, g) => {
      const da = mul(g.h, slopes[t] as Value);
      sums[t] = da;
      const back = matmul(da, r);
      return { h: outside ? add(back, mul(g.h, outside[t] as Value)) : back };
    });
    return gradientsBySums(direction, sums, initial);
  },
};

/** i, o, f = σ(…), g = φ(…) of x wᵀ + h rᵀ + b; c' = f c + i g; h' = o ψ(c'), σ being a sigmoid, φ and ψ tanh unless named. */
export const lstmCell: Cell = {
  type: "LSTM",
  gates: 4,
  hasMemory: true,
  activations: ["sigmoid", "tanh", "tanh"],
  elementwiseFlops: 13,
  step: (fromInput, { h, c }, { r, rb, initial, p, activations }) => {
    const [i, o, f, g] = gatesOf(add(fromInput, linear(h, r, rb)), 4) as [Value, Value, Value, Value];
    const [gate, input, output] = activations as [RecurrentActivation, RecurrentActivation, RecurrentActivation];
    const before = c ?? zerosLike(initial.h);
    // Peepholes (Gers and Schmidhuber 2000): the gates see the memory too.
    const [ofI, ofO, ofF] = p ? gatesOf(p, 3) : [];
    const seeing = (own: Value, weight: Value | undefined, memory: Value) =>
      gate.apply(weight ? add(own, mul(weight, memory)) : own);
    const memory = add(mul(seeing(f, ofF, before), before), mul(seeing(i, ofI, before), input.apply(g)));
    return { h: mul(seeing(o, ofO, memory), output.apply(memory)), c: memory };
  },
  backward: (direction) => {
    const { steps, r, initial, mask, activations } = direction;
    const [gate, input, output] = activations as [RecurrentActivation, RecurrentActivation, RecurrentActivation];
    const hidden = r.shape[1] ?? 1;
    const [three, candidate] = split(preactivations(direction), [3 * hidden, hidden], -1);
    const [gates, g] = [gate.apply(three), input.apply(candidate)];
    const [i, o, f] = gatesOf(gates, 3) as [Value, Value, Value];
    const forget = stepsOf(oneOutside(f, direction), steps);
    const memories = [initial.c ?? zerosLike(initial.h)];
    for (const [t, added] of stepsOf(insideOnly(mul(i, g), direction), steps).entries())
      memories.push(add(mul(forget[t] as Value, memories[t] as Value), added));
    const after = concat(memories.slice(1));
    const squashed = output.apply(after);
    // dc = o ψ'(c) dh + what comes from the next step
    const intoMemory = stepsOf(
      insideOnly(
        mul(
          o,
          output.slope(() => after, squashed),
        ),
        direction,
      ),
      steps,
    );
    // The preactivations of i, o, f, g get these times dc, dh, dc, dc.
    const slopes = gate.slope(() => three, gates);
    const into = mul(concat([g, squashed, concat(memories.slice(0, -1))], -1), slopes);
    const ofCandidate = mul(
      i,
      input.slope(() => candidate, g),
    );
    const factors = stepsOf(insideOnly(concat([into, ofCandidate], -1), direction), steps);
    const outside = mask && stepsOf(sub(1, mask), steps);
    const sums: Value[] = [];
    const first = walkBack(direction, (t, { h, c }) => {
      const dc = sumOf(c, mul(h, intoMemory[t] as Value)) as Value;
      const da = mul(concat([dc, h, dc, dc], -1), factors[t] as Value);
      sums[t] = da;
      const back = matmul(da, r);
      return { h: outside ? add(back, mul(h, outside[t] as Value)) : back, c: mul(forget[t] as Value, dc) };
    });
    return gradientsBySums(direction, sums, first);
  },
};

/** Gradients of w and its bias, where they are apart from those of the state's. */
const ofInput = ({ x, sums }: RanDirection, fromInput: Value) => ({
  fromInput,
  w: sums.products(fromInput, x),
  wb: sums.totals(fromInput),
});

const gru = {
  type: "GRU",
  gates: 3,
  hasMemory: false,
  activations: ["sigmoid", "tanh"],
  elementwiseFlops: 11,
} as const;

/** Rows of z and r, and of the candidate: [2 H, …] and [H, …] of [3 H, …]. */
const apart = (value: Value, axis: number): readonly [Value, Value] => {
  const hidden = (value.shape.at(axis) ?? 0) / 3;
  return split(value, [2 * hidden, hidden], axis);
};

/** h' = (1 - z) n + z h. */
const gruState = (z: Value, n: Value, h: Value): State => ({ h: add(n, mul(z, sub(h, n))), c: undefined });

/**
 * z, s = σ(x wᵀ + h rᵀ + b); n = φ(x wᵀ + s (h rᵀ + b)), σ being a sigmoid and φ tanh unless named, the reset gate s after the product, as in cuDNN and PyTorch:
 * of dh', the candidate's preactivation gets (1 - z) n', z gets h - n, s gets the candidate's times its product.
 */
const gruResetAfter: Cell = {
  ...gru,
  step: (fromInput, { h }, { r, rb, activations }) => {
    const [gate, squash] = activations as [RecurrentActivation, RecurrentActivation];
    const [fromX, candidateX] = apart(fromInput, -1);
    const [fromH, candidateH] = apart(linear(h, r, rb), -1);
    const [z, s] = gatesOf(gate.apply(add(fromX, fromH)), 2) as [Value, Value];
    return gruState(z, squash.apply(add(candidateX, mul(s, candidateH))), h);
  },
  backward: (direction) => {
    const { steps, x, w, wb, r, rb, before, activations } = direction;
    const [gate, squash] = activations as [RecurrentActivation, RecurrentActivation];
    const [fromX, candidateX] = apart(linear(x, w, wb), -1);
    const [fromH, candidateH] = apart(linear(before, r, rb), -1);
    const gateSum = add(fromX, fromH);
    const gates = gate.apply(gateSum);
    const [z, s] = gatesOf(gates, 2) as [Value, Value];
    const candidateSum = add(candidateX, mul(s, candidateH));
    const n = squash.apply(candidateSum);
    const candidate = mul(
      sub(1, z),
      squash.slope(() => candidateSum, n),
    );
    const both = mul(
      concat([sub(before, n), mul(candidate, candidateH)], -1),
      gate.slope(() => gateSum, gates),
    );
    const intoInput = insideOnly(concat([both, candidate], -1), direction);
    const intoState = stepsOf(insideOnly(concat([both, mul(candidate, s)], -1), direction), steps);
    const kept = stepsOf(oneOutside(z, direction), steps);
    const [arrived, sums]: [Value[], Value[]] = [[], []];
    const initial = walkBack(direction, (t, { h }) => {
      arrived[t] = h;
      const da = mul(concat([h, h, h], -1), intoState[t] as Value);
      sums[t] = da;
      return { h: add(matmul(da, r), mul(h, kept[t] as Value)) };
    });
    const g = concat(arrived);
    const fromState = concat(sums);
    const fromInput = mul(concat([g, g, g], -1), intoInput);
    return {
      ...ofInput(direction, fromInput),
      r: direction.sums.products(fromState, before),
      rb: direction.sums.totals(fromState),
      initial,
    };
  },
};

/** z, s as above; n = φ(x wᵀ + (s h) rᵀ + b), the reset gate before the product, as published. */
const gruResetBefore: Cell = {
  ...gru,
  step: (fromInput, { h }, { r, rb, activations }) => {
    const [gate, squash] = activations as [RecurrentActivation, RecurrentActivation];
    const [fromX, candidateX] = apart(fromInput, -1);
    const [[gatesR, candidateR], [gatesB, candidateB]] = [apart(r, 0), rb ? apart(rb, 0) : []];
    const [z, s] = gatesOf(gate.apply(add(fromX, linear(h, gatesR, gatesB))), 2) as [Value, Value];
    return gruState(z, squash.apply(add(candidateX, linear(mul(s, h), candidateR, candidateB))), h);
  },
  backward: (direction) => {
    const { steps, x, w, wb, r, rb, before, activations } = direction;
    const [gate, squash] = activations as [RecurrentActivation, RecurrentActivation];
    const [fromX, candidateX] = apart(linear(x, w, wb), -1);
    const [[gatesR, candidateR], [gatesB, candidateB]] = [apart(r, 0), rb ? apart(rb, 0) : []];
    const gateSum = add(fromX, linear(before, gatesR, gatesB));
    const gates = gate.apply(gateSum);
    const [z, s] = gatesOf(gates, 2) as [Value, Value];
    const [ofZ, ofS] = gatesOf(
      gate.slope(() => gateSum, gates),
      2,
    ) as [Value, Value];
    const resetState = mul(s, before);
    const candidateSum = add(candidateX, linear(resetState, candidateR, candidateB));
    const n = squash.apply(candidateSum);
    const intoCandidate = stepsOf(
      insideOnly(
        mul(
          sub(1, z),
          squash.slope(() => candidateSum, n),
        ),
        direction,
      ),
      steps,
    );
    const intoZ = stepsOf(insideOnly(mul(sub(before, n), ofZ), direction), steps);
    const intoReset = stepsOf(mul(before, ofS), steps);
    const [resets, kept] = [stepsOf(s, steps), stepsOf(oneOutside(z, direction), steps)];
    const [gateSums, candidateSums]: [Value[], Value[]] = [[], []];
    const initial = walkBack(direction, (t, { h }) => {
      const dn = mul(h, intoCandidate[t] as Value);
      const through = matmul(dn, candidateR); // of s h
      const da = concat([mul(h, intoZ[t] as Value), mul(through, intoReset[t] as Value)], -1);
      candidateSums[t] = dn;
      gateSums[t] = da;
      const state = add(mul(through, resets[t] as Value), mul(h, kept[t] as Value));
      return { h: add(matmul(da, gatesR), state) };
    });
    const [ofGates, ofCandidate] = [concat(gateSums), concat(candidateSums)];
    const fromInput = concat([ofGates, ofCandidate], -1);
    const ofBoth = ofInput(direction, fromInput);
    return {
      ...ofBoth,
      r: concat([direction.sums.products(ofGates, before), direction.sums.products(ofCandidate, resetState)], -2),
      rb: ofBoth.wb,
      initial,
    };
  },
};

/** The cell of GRU's attribute `linear_before_reset`. */
export const gruCell = ({ linear_before_reset }: { readonly linear_before_reset?: number }): Cell =>
  linear_before_reset ? gruResetAfter : gruResetBefore;
