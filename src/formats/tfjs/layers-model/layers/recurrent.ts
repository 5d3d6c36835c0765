/** Keras's recurrent layers, SimpleRNN, GRU and LSTM, on ONNX's operators; the weights are kept as Keras has them. */
import { z } from "zod";
import { ShapeError } from "../../../../core/errors.ts";
import { showShape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import { type Attributes, makeNode, type OpDef } from "../../../../graph/op.ts";
import { unknownOp } from "../../../../import/unknown.ts";
import { type Context, glorotUniform, Module, zerosInit } from "../../../../nn/index.ts";
import {
  concat,
  expand,
  flip,
  GRU,
  LSTM,
  RNN,
  reshape,
  slice,
  split,
  transpose,
  unsqueeze,
  zeros,
} from "../../../../ops/index.ts";
import { count, flag } from "../../../families/config-fields.ts";
import { toggle } from "../config.ts";
import { defineLayer, type LayerClass, type LayerClasses, listOf, type OneOrMore, oneOrMore } from "../layer.ts";

/** How one of Keras's cells is an operator of ONNX. */
interface Cell {
  readonly type: string;
  readonly op: OpDef;
  /** Where Keras's gates stand in ONNX's order. */
  readonly gates: readonly number[];
  /** Activations that the operator has, by Keras's names of their settings. */
  readonly activations: Readonly<Record<string, string>>;
  /** A state beside the output. */
  readonly hasMemory: boolean;
}

const rnnCell: Cell = { type: "SimpleRNN", op: RNN, gates: [0], activations: { activation: "tanh" }, hasMemory: false };
const gated = { activation: "tanh", recurrent_activation: "sigmoid" };
// Keras and ONNX have z, r, h.
const gruCell: Cell = { type: "GRU", op: GRU, gates: [0, 1, 2], activations: gated, hasMemory: false };
// Keras has i, f, c, o; ONNX i, o, f, c.
const lstmCell: Cell = { type: "LSTM", op: LSTM, gates: [0, 3, 1, 2], activations: gated, hasMemory: true };

const fields = z.object({
  units: count(),
  use_bias: toggle(true),
  return_sequences: toggle(false),
  return_state: toggle(false),
  go_backwards: toggle(false),
  reset_after: flag().nullish(),
  activation: z.unknown().optional(),
  recurrent_activation: z.unknown().optional(),
});
type Fields = z.output<typeof fields>;

/**
 * One recurrent layer: [N, T, I] → [N, T, units] or the last state [N, units]. It may be given states to begin with, after the
 * sequence, and gives its last states where the config asks for them, [N, units] each. Weights kernel [I, gates · units],
 * recurrent_kernel [units, gates · units], bias [gates · units] or, of a GRU that resets after the product,
 * [2, gates · units]. Keras's dropout of its inputs and states, in training only, is left out.
 */
class Recurrent extends Module<OneOrMore, OneOrMore> {
  override readonly kind = "recurrent";
  override readonly inputs = "tree";
  readonly #cell: Cell;
  readonly #fields: Fields;
  readonly #isKnown: boolean;
  constructor(cell: Cell, own: Fields, isKnown: boolean) {
    super();
    this.#cell = cell;
    this.#fields = own;
    this.#isKnown = isKnown;
  }

  protected call(inputs: OneOrMore, context: Context): OneOrMore {
    const [x, ...states] = listOf(inputs);
    if (x.rank !== 3)
      throw new ShapeError(`input ${showShape(x.shape)} needs three axes; pass [batch, steps, features]`);
    const { return_sequences, return_state, go_backwards } = this.#fields;
    const [y, ...last] = this.#run(transpose(x, [1, 0, 2]), states, context); // y [T, N, H], last [N, H]
    const sequence = transpose(y, [1, 0, 2]);
    // Keras gives the outputs of a layer that goes backwards in the order in which they are computed.
    const outputs = go_backwards && return_sequences ? flip(sequence, 1) : sequence;
    return oneOrMore([return_sequences ? outputs : (last[0] as Value), ...(return_state ? last : [])]);
  }

  /** Outputs of every step [T, N, H] and the last states [N, H] for x [T, N, I]. */
  #run(x: Value, states: readonly Value[], context: Context): readonly [Value, ...Value[]] {
    const { units, go_backwards, reset_after } = this.#fields;
    const [steps = 1, batch = 1] = x.shape;
    const { w, r, b } = this.#weights(x, context);
    const { op, type, hasMemory } = this.#cell;
    if (!this.#isKnown) {
      const own = { dtype: x.dtype, shape: [batch, units] };
      const types = [{ dtype: x.dtype, shape: [steps, batch, units] }, own, ...(hasMemory ? [own] : [])];
      return makeNode(unknownOp(type, "keras", op, types), [x, w, r, b, ...states]).outputs;
    }
    const bias = b && this.#bias(b);
    const attributes: Attributes = {
      hidden_size: units,
      direction: go_backwards ? "reverse" : "forward",
      ...(op === GRU && { linear_before_reset: reset_after ? 1 : 0 }),
    };
    const first = states.map((state) => unsqueeze(state, [0]));
    const begin = first.length > 0 ? [undefined, ...first] : [];
    const [y, ...last] = makeNode(op, [x, this.#rows(w), this.#rows(r), bias, ...begin], attributes).outputs;
    return [reshape(y, [steps, batch, units]), ...last.map((state) => reshape(state, [batch, units]))];
  }

  #weights(x: Value, context: Context) {
    const { units, use_bias, reset_after } = this.#fields;
    const width = this.#cell.gates.length * units;
    const matrix = (name: string, rows: number) =>
      context.parameter(this, name, { shape: [rows, width], initializer: glorotUniform });
    const isDouble = this.#cell === gruCell && reset_after;
    const shape = isDouble ? [2, width] : [width];
    return {
      w: matrix("kernel", x.shape[2] ?? 1),
      r: matrix("recurrent_kernel", units),
      b: use_bias ? context.parameter(this, "bias", { shape, initializer: zerosInit }) : undefined,
    };
  }

  /** A weight [rows, gates · units] as the operator has it, [1, gates · units, rows]. */
  #rows(weight: Value): Value {
    return unsqueeze(this.#ordered(transpose(weight, [1, 0])), [0]);
  }

  /** Biases as the operator has them, [1, 2 · gates · units]: beside the input, and beside the state. */
  #bias(bias: Value): Value {
    const width = this.#cell.gates.length * this.#fields.units;
    const one = (row: number) => reshape(slice(bias, { axis: 0, start: row, end: row + 1 }), [width]);
    const [input, state] = bias.rank === 2 ? [one(0), one(1)] : [bias, expand(zeros([]), [width])];
    return unsqueeze(concat([this.#ordered(input), this.#ordered(state)]), [0]);
  }

  /** Parts of the first axis in ONNX's order of gates. */
  #ordered(value: Value): Value {
    const { gates } = this.#cell;
    const parts = split(
      value,
      gates.map(() => this.#fields.units),
    );
    return gates.length === 1 ? value : concat(gates.map((gate) => parts[gate] as Value));
  }
}

class SimpleRnn extends Recurrent {}
class Gru extends Recurrent {}
class Lstm extends Recurrent {}

const weights = {
  kernel: { name: "kernel" },
  recurrent_kernel: { name: "recurrent_kernel" },
  bias: { name: "bias" },
};

function recurrentClass(Kind: typeof Recurrent, cell: Cell): LayerClass {
  return defineLayer(fields, (own) => {
    const other = Object.entries(cell.activations).find(([setting, name]) => {
      const written = own[setting as "activation" | "recurrent_activation"];
      // None stands for linear; what is not written is the standard.
      return written !== undefined && written !== name;
    });
    const unknown = other && `its ${other[0]} is another than ${other[1]}, the only one that is supported`;
    return { module: new Kind(cell, own, !other), weights, ...(unknown && { unknown }) };
  });
}

export const recurrentClasses: LayerClasses = {
  SimpleRNN: recurrentClass(SimpleRnn, rnnCell),
  GRU: recurrentClass(Gru, gruCell),
  LSTM: recurrentClass(Lstm, lstmCell),
};
