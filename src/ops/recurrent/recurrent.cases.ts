/** Cases of the recurrent operators. FLOPs by hand: steps · batch · directions · units · (2 · gates · (inputs + units) + elementwise work). */
import type { Value } from "../../graph/ir.ts";
import { type Attributes, makeNode, type OpDef } from "../../graph/op.ts";
import { given, normal, opCase, small } from "../define.cases.ts";
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

/** Every activation that ONNX has for them, with the factors that some take. */
const squashes: readonly (readonly [name: string, torch: string, alpha?: number, beta?: number])[] = [
  ["Relu", "F.relu"],
  ["Sigmoid", "torch.sigmoid"],
  ["Affine", "lambda x: 0.5 * x + 0.1", 0.5, 0.1],
  ["LeakyRelu", "lambda x: F.leaky_relu(x, 0.2)", 0.2],
  ["ThresholdedRelu", "lambda x: F.threshold(x, 0.3, 0)", 0.3],
  ["ScaledTanh", "lambda x: 1.2 * torch.tanh(0.7 * x)", 1.2, 0.7],
  ["HardSigmoid", "hard_sigmoid(0.3, 0.4)", 0.3, 0.4],
  ["Elu", "lambda x: F.elu(x, 0.6)", 0.6],
  ["Softsign", "F.softsign"],
  ["Softplus", "F.softplus"],
];
const hardGates = { activation_alpha: [0.2], activation_beta: [0.5] };

const activationCases = [
  ...squashes.map(([name, torch, alpha, beta]) =>
    opCase(RNN, `with ${name}`, {
      inputs: { x, ...weights(1), h: state() },
      build: ({ x, w, r, b, h }) =>
        outputsOf(RNN, [x, w, r, b, undefined, h], {
          activations: [name],
          ...(alpha !== undefined && { activation_alpha: [alpha] }),
          ...(beta !== undefined && { activation_beta: [beta] }),
        }),
      torch: `recurrent(partial(rnn_step, squash=${torch}), x, w, r, b, h)[:2]`,
      flops: flops(1, 2),
    }),
  ),
  opCase(LSTM, "with hard gates and other activations, both directions", {
    inputs: { x, ...weights(4, 2), h: state(2), c: state(2) },
    build: ({ x, w, r, b, h, c }) =>
      outputsOf(LSTM, [x, w, r, b, undefined, h, c], {
        direction: "bidirectional",
        activations: ["HardSigmoid", "Softsign", "Elu", "HardSigmoid", "Softsign", "Elu"],
        activation_alpha: [0.2, 0.7, 0.2, 0.7],
        activation_beta: [0.5, 0.5],
      }),
    torch:
      "recurrent(partial(lstm_step, gate=hard_sigmoid(0.2, 0.5), squash=F.softsign, output=lambda x: F.elu(x, 0.7)), x, w, r, b, h, c, directions=('forward', 'reverse'))",
    flops: flops(4, 13, 2),
  }),
  opCase(GRU, "with hard gates and relu, reset before the product", {
    inputs: { x, ...weights(3), h: state() },
    build: ({ x, w, r, b, h }) =>
      outputsOf(GRU, [x, w, r, b, undefined, h], { activations: ["HardSigmoid", "Relu"], ...hardGates }),
    torch: "recurrent(partial(gru_step, gate=hard_sigmoid(0.2, 0.5), squash=F.relu), x, w, r, b, h)[:2]",
    flops: flops(3, 11),
  }),
  opCase(GRU, "with hard gates, reset after the product, sequences of different lengths", {
    inputs: { x, ...weights(3), lengths: given([3, 2], [2], "int32") },
    build: ({ x, w, r, b, lengths }) =>
      outputsOf(GRU, [x, w, r, b, lengths], {
        activations: ["HardSigmoid", "Tanh"],
        ...hardGates,
        linear_before_reset: 1,
      }),
    torch: "recurrent(partial(gru_after_step, gate=hard_sigmoid(0.2, 0.5)), x, w, r, b, lengths=lengths)[:2]",
    flops: flops(3, 11),
  }),
];

export const recurrentCases = [...rnnCases, ...lstmCases, ...gruCases, ...activationCases];
