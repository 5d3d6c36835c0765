/** Keras's recurrent cells, SimpleRNN, GRU and LSTM: as operators of ONNX, and step by step where those lack an activation. */
import * as z from "zod";
import type { Value } from "../../../../graph/ir.ts";
import type { Attributes, OpDef } from "../../../../graph/op.ts";
import { add, GRU, LSTM, linear, mul, RNN, reshape, slice, split, sub } from "../../../../ops/index.ts";
import { count, flag } from "../../../config-fields.ts";
import { type KerasActivation, kerasActivation } from "../activations.ts";
import { activationName, toggle } from "../config.ts";
import type { KerasVersion } from "../layer.ts";

/** Settings of a cell. */
export const cellFields = z.object({
  units: count(),
  use_bias: toggle(true),
  reset_after: flag().nullish(),
  activation: z.unknown().optional(),
  recurrent_activation: z.unknown().optional(),
});
export type CellFields = z.output<typeof cellFields>;
type ActivationFields = Pick<CellFields, "activation" | "recurrent_activation">;

/** A cell's weights: kernel [I, gates · units], recurrent_kernel [units, gates · units], bias [gates · units] or two of them. */
export interface CellWeights {
  readonly w: Value;
  readonly r: Value;
  readonly b: Value | undefined;
}

/** Activations of the gates and of the candidate. */
export interface CellActivations {
  readonly gate: KerasActivation;
  readonly candidate: KerasActivation;
}

export interface CellKind {
  readonly type: "SimpleRNN" | "GRU" | "LSTM";
  readonly op: OpDef;
  /** Where Keras's gates stand in ONNX's order. */
  readonly gates: readonly number[];
  /** Which settings of Keras's are ONNX's activations, in its order. */
  readonly settings: readonly ("activation" | "recurrent_activation")[];
  /** How many states it keeps. */
  readonly states: number;
  /** The states after a step, the output first, from x · kernel + bias of the step. */
  step(fromInput: Value, states: readonly Value[], weights: CellWeights, own: CellActivations): readonly Value[];
}

const gatesOf = (sums: Value, count: number): readonly Value[] =>
  split(sums, new Array<number>(count).fill((sums.shape.at(-1) ?? 0) / count), -1);

/** Row of a bias [2, width], the first beside the input, the second beside the state. */
export const biasRow = (bias: Value, row: number): Value =>
  reshape(slice(bias, { axis: 0, start: row, end: row + 1 }), [bias.shape[1] ?? 1]);

const product = (h: Value, r: Value, b?: Value): Value => linear(h, r, b, { inFirst: true });

/** h' = φ(x kernel + h recurrent_kernel + b) */
export const simpleCell: CellKind = {
  type: "SimpleRNN",
  op: RNN,
  gates: [0],
  settings: ["activation"],
  states: 1,
  step: (fromInput, [h], { r }, { candidate }) => [candidate(add(fromInput, product(h as Value, r)), -1)],
};

/** z, s = σ(…), n = φ(…): h' = z h + (1 - z) n. Keras and ONNX have z, s, n. */
export const gruCell: CellKind = {
  type: "GRU",
  op: GRU,
  gates: [0, 1, 2],
  settings: ["recurrent_activation", "activation"],
  states: 1,
  step: (fromInput, [state], { r, b }, { gate, candidate }) => {
    const h = state as Value;
    const [xz, xs, xn] = gatesOf(fromInput, 3) as [Value, Value, Value];
    // Of two rows of biases the reset gate comes after the product, of one before it.
    const [hz, hs, hn] = gatesOf(product(h, r, b?.rank === 2 ? biasRow(b, 1) : undefined), 3) as [Value, Value, Value];
    const [z, s] = [gate(add(xz, hz), -1), gate(add(xs, hs), -1)];
    const width = (r.shape[1] ?? 0) / 3;
    const ofCandidate = slice(r, { axis: 1, start: 2 * width, end: 3 * width });
    const n = candidate(add(xn, b?.rank === 2 ? mul(s, hn) : product(mul(s, h), ofCandidate)), -1);
    return [add(mul(z, h), mul(sub(1, z), n))];
  },
};

/** i, f, c, o: c' = σ(f) c + σ(i) φ(c); h' = σ(o) φ(c'). ONNX has i, o, f, c. */
export const lstmCell: CellKind = {
  type: "LSTM",
  op: LSTM,
  gates: [0, 3, 1, 2],
  settings: ["recurrent_activation", "activation", "activation"],
  states: 2,
  step: (fromInput, [h, c], { r }, { gate, candidate }) => {
    const [i, f, g, o] = gatesOf(add(fromInput, product(h as Value, r)), 4) as [Value, Value, Value, Value];
    const memory = add(mul(gate(f, -1), c as Value), mul(gate(i, -1), candidate(g, -1)));
    return [mul(gate(o, -1), candidate(memory, -1)), memory];
  },
};

/** ONNX's names of Keras's activations, with the factors that some take. */
function onnxActivation(
  name: string,
  keras: KerasVersion,
): readonly [name: string, alpha?: number, beta?: number] | undefined {
  const names: Readonly<Record<string, readonly [string, number?, number?]>> = {
    linear: ["Affine", 1, 0],
    relu: ["Relu"],
    tanh: ["Tanh"],
    sigmoid: ["Sigmoid"],
    hardsigmoid: ["HardSigmoid", keras === 3 ? 1 / 6 : 0.2, 0.5],
    elu: ["Elu", 1],
    leakyrelu: ["LeakyRelu", 0.2],
    softsign: ["Softsign"],
    softplus: ["Softplus"],
  };
  const key = name.replaceAll("_", "").toLowerCase();
  return Object.hasOwn(names, key) ? names[key] : undefined;
}

/** What Keras 2 and 3 take for a setting that is not written. */
const standards = { activation: "tanh", recurrent_activation: "sigmoid" } as const;

/** The name of a cell's activation; none stands for linear, and what is not written is the standard. */
const activationOfCell = (fields: ActivationFields, setting: keyof typeof standards): string =>
  fields[setting] === undefined ? standards[setting] : (activationName(fields[setting]) ?? "linear");

/** The attributes of ONNX's operator for a cell's activations, `undefined` where it does not have them. */
export function onnxActivations(kind: CellKind, fields: ActivationFields, keras: KerasVersion): Attributes | undefined {
  const found = kind.settings.map((setting) => onnxActivation(activationOfCell(fields, setting), keras));
  if (!found.every((one) => one !== undefined)) return undefined;
  const names = found.map(([name]) => name);
  if (kind.settings.every((setting, i) => names[i]?.toLowerCase() === standards[setting])) return {};
  return {
    activations: names,
    activation_alpha: found.flatMap(([, alpha]) => alpha ?? []),
    activation_beta: found.flatMap(([, , beta]) => beta ?? []),
  };
}

/** The functions of a cell's activations. Throws UnsupportedError for one that is not supported. */
export const cellActivations = (fields: ActivationFields, keras: KerasVersion): CellActivations => ({
  gate: kerasActivation(activationOfCell(fields, "recurrent_activation"), keras),
  candidate: kerasActivation(activationOfCell(fields, "activation"), keras),
});
