/** Cases of the recurrent operators. FLOPs by hand: steps · batch · directions · units · (2 · gates · (inputs + units) + elementwise work). */
import type { Value } from "../graph/ir.ts";
import { type Attributes, makeNode, type OpDef } from "../graph/op.ts";
import { given, normal, opCase, small } from "./define.cases.ts";
import { GRU, LSTM, RNN } from "./recurrent.ts";

const [steps, batch, inputs, units] = [3, 2, 3, 2];
const x = normal([steps, batch, inputs]);
/** Operands of `gates` in one direction or two. */
const weights = (gates: number, directions = 1) => ({
  w: small([directions, gates * units, inputs]),
  r: small([directions, gates * units, units]),
  b: small([directions, 2 * gates * units]),
});
const state = (directions = 1) => normal([directions, batch, units]);
const flops = (gates: number, elementwise: number, directions = 1) =>
  steps * batch * directions * units * (2 * gates * (inputs + units) + elementwise);

const outputsOf = (op: OpDef, operands: readonly (Value | undefined)[], attributes: Attributes = {}) =>
  makeNode(op, operands, { hidden_size: units, ...attributes }).outputs;

const rnnCases = [
  opCase(RNN, "sequence and last state", {
    inputs: { x, ...weights(1) },
    build: ({ x, w, r, b }) => outputsOf(RNN, [x, w, r, b]),
    torch: "recurrent(rnn_step, x, w, r, b)[:2]",
    flops: flops(1, 2),
  }),
  opCase(RNN, "both directions, initial state, sequences of different lengths", {
    inputs: { x, ...weights(1, 2), h: state(2), lengths: given([3, 1], [2], "int32") },
    build: ({ x, w, r, b, h, lengths }) => outputsOf(RNN, [x, w, r, b, lengths, h], { direction: "bidirectional" }),
    torch: "recurrent(rnn_step, x, w, r, b, h, lengths=lengths, directions=('forward', 'reverse'))[:2]",
    flops: flops(1, 2, 2),
  }),
  opCase(RNN, "one step, without biases, the state alone", {
    inputs: { x: normal([1, batch, inputs]), w: small([1, units, inputs]), r: small([1, units, units]) },
    build: ({ x, w, r }) => outputsOf(RNN, [x, w, r]).slice(1),
    torch: "recurrent(rnn_step, x, w, r)[1]",
    flops: flops(1, 2) / steps,
  }),
];

const lstmCases = [
  opCase(LSTM, "sequence and both states", {
    inputs: { x, ...weights(4), h: state(), c: state() },
    build: ({ x, w, r, b, h, c }) => outputsOf(LSTM, [x, w, r, b, undefined, h, c]),
    torch: "recurrent(lstm_step, x, w, r, b, h, c)",
    flops: flops(4, 13),
  }),
  opCase(LSTM, "last state alone, without biases", {
    inputs: { x, w: weights(4).w, r: weights(4).r },
    build: ({ x, w, r }) => outputsOf(LSTM, [x, w, r]).slice(1, 2),
    torch: "recurrent(lstm_step, x, w, r)[1]",
    flops: flops(4, 13),
  }),
  opCase(LSTM, "memory alone, backwards", {
    inputs: { x, ...weights(4) },
    build: ({ x, w, r, b }) => outputsOf(LSTM, [x, w, r, b], { direction: "reverse" }).slice(2),
    torch: "recurrent(lstm_step, x, w, r, b, directions=('reverse',))[2]",
    flops: flops(4, 13),
  }),
  opCase(LSTM, "both directions, initial states, sequences of different lengths", {
    inputs: { x, ...weights(4, 2), h: state(2), c: state(2), lengths: given([2, 3], [2], "int32") },
    build: ({ x, w, r, b, h, c, lengths }) =>
      outputsOf(LSTM, [x, w, r, b, lengths, h, c], { direction: "bidirectional" }),
    torch: "recurrent(lstm_step, x, w, r, b, h, c, lengths, ('forward', 'reverse'))",
    flops: flops(4, 13, 2),
  }),
];

const gruCases = [
  opCase(GRU, "reset before the product", {
    inputs: { x, ...weights(3), h: state() },
    build: ({ x, w, r, b, h }) => outputsOf(GRU, [x, w, r, b, undefined, h]),
    torch: "recurrent(gru_step, x, w, r, b, h)[:2]",
    flops: flops(3, 11),
  }),
  opCase(GRU, "reset after the product", {
    inputs: { x, ...weights(3), h: state() },
    build: ({ x, w, r, b, h }) => outputsOf(GRU, [x, w, r, b, undefined, h], { linear_before_reset: 1 }),
    torch: "recurrent(gru_after_step, x, w, r, b, h)[:2]",
    flops: flops(3, 11),
  }),
  opCase(GRU, "reset before the product, backwards, without biases, the state alone", {
    inputs: { x, w: weights(3).w, r: weights(3).r },
    build: ({ x, w, r }) => outputsOf(GRU, [x, w, r], { direction: "reverse" }).slice(1),
    torch: "recurrent(gru_step, x, w, r, directions=('reverse',))[1]",
    flops: flops(3, 11),
  }),
  opCase(GRU, "reset before the product, both directions, sequences of different lengths", {
    inputs: { x, ...weights(3, 2), lengths: given([1, 3], [2], "int32") },
    build: ({ x, w, r, b, lengths }) => outputsOf(GRU, [x, w, r, b, lengths], { direction: "bidirectional" }),
    torch: "recurrent(gru_step, x, w, r, b, lengths=lengths, directions=('forward', 'reverse'))[:2]",
    flops: flops(3, 11, 2),
  }),
  opCase(GRU, "reset after the product, both directions, sequences of different lengths", {
    inputs: { x, ...weights(3, 2), h: state(2), lengths: given([3, 2], [2], "int32") },
    build: ({ x, w, r, b, h, lengths }) =>
      outputsOf(GRU, [x, w, r, b, lengths, h], { direction: "bidirectional", linear_before_reset: 1 }),
    torch: "recurrent(gru_after_step, x, w, r, b, h, lengths=lengths, directions=('forward', 'reverse'))[:2]",
    flops: flops(3, 11, 2),
  }),
];

export const recurrentCases = [...rnnCases, ...lstmCases, ...gruCases];
