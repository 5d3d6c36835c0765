/** Recurrent layers over sequences: RNN, LSTM and GRU, with PyTorch's parameters. */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { count, flag, fraction, oneOf } from "../../core/option-types.ts";
import { type OptionCheck, type OptionTypes, optionsOf } from "../../core/options.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { type Attributes, makeNode, type OpDef } from "../../graph/op.ts";
import { cast, checkIndices, concat, GRU, LSTM, RNN, reshape, split, stack, transpose } from "../../ops/index.ts";
import { dropout } from "../../ops/random.ts";
import type { Context } from "../context.ts";
import { type Initializer, uniformInit } from "../initializers.ts";
import { Module } from "../module.ts";
import { requireCount } from "../options.ts";

/** Options of `rnn`, `lstm` and `gru`. */
export interface RecurrentOptions {
  /** Layers on top of one another; default 1. */
  readonly layers?: number;
  /** Read each sequence in both directions, which doubles the output; default false. */
  readonly bidirectional?: boolean;
  /**
   * What it gives: the output of every step (default); the state after the last step of the top layer; or all, the outputs and
   * the states of every layer, from which it can go on.
   */
  readonly returns?: "sequence" | "last" | "all";
  /** Rate of dropout between layers while training; default 0. */
  readonly dropout?: number;
  /** Add biases; default true. */
  readonly bias?: boolean;
}

/** States of every layer and direction, [layers · D, N, units] each, as in PyTorch. */
export type RecurrentState = {
  readonly hidden: Value;
  /** The cell of an LSTM. */
  readonly cell?: Value | undefined;
};

/** What a recurrent layer gives that returns all. */
export type RecurrentOutputs = {
  /** Outputs of the top layer at every step, [N, T, D · units]. */
  readonly sequence: Value;
  /** After the last step of each sequence. */
  readonly state: RecurrentState;
};

/** What a recurrent layer takes. */
export type RecurrentInputs = {
  /** Sequences, [N, T, I]. */
  readonly x: Value;
  /**
   * Steps of each sequence, integers [N]; default all. A state passes the steps after them unchanged, outputs are 0 there,
   * and the direction from the end begins at the last step: as of PyTorch's packed sequences.
   */
  readonly lengths?: Value | undefined;
  /** The state before the first step; default 0. */
  readonly initial?: RecurrentState | undefined;
};

const optionTypes: OptionTypes<RecurrentOptions> = {
  layers: count(),
  bidirectional: flag,
  returns: oneOf("sequence", "last", "all"),
  dropout: fraction,
  bias: flag,
};
const checkRnn = optionsOf("rnn", optionTypes);
const checkLstm = optionsOf("lstm", optionTypes);
const checkGru = optionsOf("gru", optionTypes);

/** How an operator of ONNX is one of PyTorch's layers. */
interface Kind {
  readonly name: string;
  readonly checkOptions: OptionCheck<RecurrentOptions>;
  readonly op: OpDef;
  /** Where PyTorch's gates stand in ONNX's order, and how many there are. */
  readonly gates: readonly number[];
  /** Whether it keeps a cell beside its output. */
  readonly hasCell?: boolean;
  readonly attributes?: Attributes;
}

/** What a layer of a stack gives: the outputs of every step [T, N, D · units], and its states [D, N, units]. */
interface LayerOutputs {
  readonly sequence: Value;
  readonly hidden: Value;
  readonly cell: Value | undefined;
}

/** One recurrent layer, or several on top of one another: [N, T, I] → [N, T, D · units], or the last state [N, D · units], or all. */
abstract class Recurrent<O> extends Module<RecurrentInputs, O> {
  override readonly kind = "recurrent";
  override readonly inputs = { x: "required", lengths: "optional", initial: "optional" } as const;
  readonly units: number;
  readonly options: RecurrentOptions;
  readonly #kind: Kind;

  constructor(kind: Kind, units: number, options: RecurrentOptions) {
    super();
    requireCount(kind.name, "units", units);
    this.units = units;
    this.options = kind.checkOptions(options);
    this.#kind = kind;
  }

  /** The gates apart: `4·128·64 + 4·128·128 + 4·128 + 4·128`. */
  override formula(): string {
    const gates = this.#kind.gates.length;
    return [...this.own.values()]
      .map(({ shape: [, ...rest] }) => [...(gates > 1 ? [gates] : []), this.units, ...rest].join("·"))
      .join(" + ");
  }

  protected call({ x, lengths, initial }: RecurrentInputs, context: Context): O {
    if (x.rank !== 3)
      throw new ShapeError(`input ${showShape(x.shape)} needs three axes; pass [batch, steps, features]`);
    const { layers = 1, returns = "sequence", dropout: rate = 0 } = this.options;
    const [, steps = 0] = x.shape;
    if (lengths)
      checkIndices(lengths, "length", { count: steps + 1, mend: `the sequences have ${steps} steps: correct the row` });
    const begin = this.#initial(initial, x.shape[0] ?? 1);
    let sequence = transpose(x, [1, 0, 2]); // [T, N, I]
    const ends: LayerOutputs[] = [];
    for (let layer = 0; layer < layers; layer++) {
      if (layer > 0 && rate > 0 && context.training) sequence = dropout(sequence, rate, context.randomKey());
      const end = this.#layer(sequence, layer, context, { lengths, initial: begin[layer] });
      sequence = end.sequence;
      ends.push(end);
    }
    // The options say which of the three it is; the factories' types hold them to O.
    return this.#given(returns, sequence, ends) as O;
  }

  #given(returns: "sequence" | "last" | "all", sequence: Value, ends: readonly LayerOutputs[]) {
    const last = ends.at(-1)?.hidden ?? sequence;
    if (returns === "last") {
      const [directions = 1, batch = 1, units = 1] = last.shape;
      return reshape(transpose(last, [1, 0, 2]), [batch, directions * units]);
    }
    const whole = transpose(sequence, [1, 0, 2]);
    if (returns === "sequence") return whole;
    const all = (values: readonly Value[]) => (values.length === 1 ? (values[0] as Value) : concat(values));
    const cells = ends.flatMap(({ cell }) => cell ?? []);
    const state = { hidden: all(ends.map(({ hidden }) => hidden)), ...(cells.length > 0 && { cell: all(cells) }) };
    return { sequence: whole, state };
  }

  /** The states that each layer begins with. Throws ShapeError where they do not fit. */
  #initial(initial: RecurrentState | undefined, batch: number): readonly (RecurrentState | undefined)[] {
    const { layers = 1, bidirectional = false } = this.options;
    if (!initial) return [];
    const directions = bidirectional ? 2 : 1;
    const shape = [layers * directions, batch, this.units];
    const parts = (name: "hidden" | "cell") => {
      const value = initial[name];
      if (value && !sameShape(value.shape, shape))
        throw new ShapeError(
          `initial.${name} is ${showShape(value.shape)}, its layers need [layers · directions, batch, units]: pass ${showShape(shape)}`,
        );
      return value && split(value, new Array<number>(layers).fill(directions));
    };
    const [hidden, cell] = [parts("hidden"), parts("cell")];
    if (!hidden) throw new ShapeError(`initial has no hidden state; pass { hidden: ${showShape(shape)} }`);
    if (cell && !this.#kind.hasCell)
      throw new OptionError(`initial has a cell, which a ${this.#kind.name} has not; pass { hidden } alone`);
    return hidden.map((own, i) => ({ hidden: own, cell: cell?.[i] }));
  }

  #layer(
    x: Value,
    layer: number,
    context: Context,
    { lengths, initial }: { readonly lengths: Value | undefined; readonly initial: RecurrentState | undefined },
  ): LayerOutputs {
    const { bidirectional = false, bias = true } = this.options;
    const { op, attributes, hasCell } = this.#kind;
    const suffixes = bidirectional ? ["", "_reverse"] : [""];
    const weights = suffixes.map((suffix) => {
      const parameter = (name: string, ...columns: number[]) =>
        this.#parameter(context, `${name}_l${layer}${suffix}`, columns);
      const [w, r] = [parameter("weight_ih", x.shape[2] ?? 1), parameter("weight_hh", this.units)];
      return { w, r, b: bias ? concat([parameter("bias_ih"), parameter("bias_hh")]) : undefined };
    });
    const both = (part: (one: (typeof weights)[number]) => Value | undefined) =>
      stack(weights.flatMap((one) => part(one) ?? []));
    const parameters = [both(({ w }) => w), both(({ r }) => r), bias ? both(({ b }) => b) : undefined];
    const states = [initial?.hidden, ...(hasCell ? [initial?.cell] : [])];
    const operands = [x, ...parameters, lengths && cast(lengths, "int32"), ...states];
    const [y, hidden, cell] = makeNode(op, operands, {
      ...attributes,
      hidden_size: this.units,
      direction: bidirectional ? "bidirectional" : "forward",
    }).outputs as readonly [Value, Value, Value?];
    const [steps = 1, directions = 1, batch = 1] = y.shape;
    return {
      sequence: reshape(transpose(y, [0, 2, 1, 3]), [steps, batch, directions * this.units]),
      hidden,
      cell: hasCell ? cell : undefined,
    };
  }

  /** A parameter [gates · units, …columns], its gates in ONNX's order. */
  #parameter(context: Context, name: string, columns: readonly number[]): Value {
    const { gates } = this.#kind;
    const own = context.parameter(this, name, {
      shape: [gates.length * this.units, ...columns],
      initializer: uniformBelow(this.units),
    });
    const parts = split(
      own,
      gates.map(() => this.units),
    );
    return gates.length === 1 ? own : concat(gates.map((gate) => parts[gate] as Value));
  }
}

/** Uniform in ±1 / √units, as PyTorch has it for every parameter of these layers. */
const uniformBelow = (units: number): Initializer => uniformInit(-1 / Math.sqrt(units), 1 / Math.sqrt(units));

/** Elman's recurrent layer: [N, T, I] → [N, T, D · units], D directions. Make one with `rnn`. */
export class Rnn<O = Value> extends Recurrent<O> {
  constructor(units: number, options: RecurrentOptions = {}) {
    super({ name: "rnn", checkOptions: checkRnn, op: RNN, gates: [0] }, units, options);
  }
}

/** Long short-term memory as a layer: [N, T, I] → [N, T, D · units], D directions. Make one with `lstm`. */
export class Lstm<O = Value> extends Recurrent<O> {
  constructor(units: number, options: RecurrentOptions = {}) {
    // PyTorch has i, f, g, o; ONNX i, o, f, g.
    const gates = [0, 3, 1, 2];
    super({ name: "lstm", checkOptions: checkLstm, op: LSTM, gates, hasCell: true }, units, options);
  }
}

/** The gated recurrent unit as a layer: [N, T, I] → [N, T, D · units], D directions. Make one with `gru`. */
export class Gru<O = Value> extends Recurrent<O> {
  constructor(units: number, options: RecurrentOptions = {}) {
    // PyTorch has r, z, n; ONNX z, r, n.
    const attributes = { linear_before_reset: 1 };
    super({ name: "gru", checkOptions: checkGru, op: GRU, gates: [1, 0, 2], attributes }, units, options);
  }
}

/** Options of a layer that gives its sequence and its states. */
type ReturningAll = RecurrentOptions & { readonly returns: "all" };
/** Options of a layer that gives one tensor. */
type ReturningOne = RecurrentOptions & { readonly returns?: "sequence" | "last" };

/**
 * Elman's recurrent network with tanh (Elman 1990), h' = tanh(W x + b + W' h + b'): [N, T, I] → [N, T, D · units], with
 * D = 2 directions where it is bidirectional, else 1; or the last state, or all, as `returns` says. Parameters are
 * those of PyTorch's nn.RNN.
 * @example rnn(64, { returns: "last" }) // [N, T, I] → [N, 64]
 */
export function rnn(units: number, options: ReturningAll): Rnn<RecurrentOutputs>;
export function rnn(units: number, options?: ReturningOne): Rnn;
export function rnn(units: number, options?: RecurrentOptions): Rnn<Value | RecurrentOutputs> {
  return new Rnn(units, options);
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000): [N, T, I] → [N,
 * T, D · units], with D = 2 directions where it is bidirectional, else 1; or the last state, or all, as `returns` says.
 * Parameters are those of PyTorch's nn.LSTM.
 * @example lstm(128, { returns: "last" }) // [N, T, I] → [N, 128]
 */
export function lstm(units: number, options: ReturningAll): Lstm<RecurrentOutputs>;
export function lstm(units: number, options?: ReturningOne): Lstm;
export function lstm(units: number, options?: RecurrentOptions): Lstm<Value | RecurrentOutputs> {
  return new Lstm(units, options);
}

/**
 * Gated recurrent unit (Cho et al. 2014), the reset gate after the product as in PyTorch: [N, T, I] → [N, T, D ·
 * units], with D = 2 directions where it is bidirectional, else 1; or the last state, or all, as `returns` says.
 * Parameters are those of PyTorch's nn.GRU.
 * @example gru(64, { bidirectional: true }) // [N, T, I] → [N, T, 128]
 */
export function gru(units: number, options: ReturningAll): Gru<RecurrentOutputs>;
export function gru(units: number, options?: ReturningOne): Gru;
export function gru(units: number, options?: RecurrentOptions): Gru<Value | RecurrentOutputs> {
  return new Gru(units, options);
}
