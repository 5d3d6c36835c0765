/** Recurrent layers over sequences: RNN, LSTM and GRU, with PyTorch's parameters. */
import { OptionError, ShapeError } from "../core/errors.ts";
import { requireKnown } from "../core/options.ts";
import { sameShape, showShape } from "../core/shape.ts";
import type { Value } from "../graph/ir.ts";
import { type Attributes, makeNode, type OpDef } from "../graph/op.ts";
import { cast, concat, GRU, LSTM, RNN, reshape, split, stack, transpose } from "../ops/index.ts";
import { dropout } from "../ops/random.ts";
import type { Context } from "./context.ts";
import { type Initializer, uniformInit } from "./initializers.ts";
import { Module } from "./module.ts";
import { requireCount } from "./options.ts";

export interface RecurrentOptions {
  /** Layers on top of one another; default 1. */
  readonly layers?: number;
  /** Read each sequence in both directions, which doubles the output; default false. */
  readonly bidirectional?: boolean;
  /** Give the output of every step, or only the state after the last; default true. */
  readonly returnSequences?: boolean;
  /** Rate of dropout between layers while training; default 0. */
  readonly dropout?: number;
  /** Add biases; default true. */
  readonly bias?: boolean;
}

/** What a recurrent layer takes beside its sequences. */
export type RecurrentInputs = {
  /**
   * Steps of each sequence, integers [N]; default all. A state passes the steps behind them unchanged, outputs are 0 there,
   * and the direction from the end begins at the last step: as of PyTorch's packed sequences.
   */
  readonly lengths?: Value | undefined;
  /** The state h before the first step, [layers · D, N, units] as in PyTorch; default 0. */
  readonly initial?: Value | undefined;
};

/** How an operator of ONNX is one of PyTorch's layers. */
interface Kind {
  readonly name: string;
  readonly op: OpDef;
  /** Where PyTorch's gates stand in ONNX's order, and how many there are. */
  readonly gates: readonly number[];
  readonly attributes?: Attributes;
}

/** One recurrent layer, or several on top of one another: [N, T, I] → [N, T, D · units], or the last state [N, D · units]. */
abstract class Recurrent extends Module<RecurrentInputs> {
  readonly kind = "recurrent";
  readonly units: number;
  readonly options: RecurrentOptions;
  readonly #kind: Kind;

  constructor(kind: Kind, units: number, options: RecurrentOptions) {
    super();
    const { layers = 1, dropout: rate = 0 } = options;
    requireCount(kind.name, "units", units);
    requireCount(kind.name, "layers", layers);
    requireKnown(kind.name, options, {
      layers: true,
      bidirectional: true,
      returnSequences: true,
      dropout: true,
      bias: true,
    });
    if (!(rate >= 0 && rate < 1)) throw new OptionError(`${kind.name}: dropout is ${rate}; pass a number in [0, 1)`);
    this.units = units;
    this.options = options;
    this.#kind = kind;
  }

  /** The gates apart: `4·128·64 + 4·128·128 + 4·128 + 4·128`. */
  override formula(): string {
    const gates = this.#kind.gates.length;
    return [...this.own.values()]
      .map(({ shape: [, ...rest] }) => [...(gates > 1 ? [gates] : []), this.units, ...rest].join("·"))
      .join(" + ");
  }

  protected call(x: Value, context: Context, { lengths, initial }: RecurrentInputs): Value {
    if (x.rank !== 3)
      throw new ShapeError(`input ${showShape(x.shape)} needs three axes; pass [batch, steps, features]`);
    const { layers = 1, bidirectional = false, returnSequences = true, dropout: rate = 0 } = this.options;
    const directions = bidirectional ? 2 : 1;
    const states = [layers * directions, x.shape[0] ?? 1, this.units];
    if (initial && !sameShape(initial.shape, states))
      throw new ShapeError(
        `initial is ${showShape(initial.shape)}, its layers need [layers · directions, batch, units]: pass ${showShape(states)}`,
      );
    const ofLayers = initial && split(initial, new Array<number>(layers).fill(directions));
    let sequence = transpose(x, [1, 0, 2]); // [T, N, I]
    let state = sequence;
    for (let layer = 0; layer < layers; layer++) {
      if (layer > 0 && rate > 0 && context.training) sequence = dropout(sequence, rate, context.randomKey());
      [sequence, state] = this.#layer(sequence, layer, context, { lengths, initial: ofLayers?.[layer] });
    }
    return returnSequences ? transpose(sequence, [1, 0, 2]) : state;
  }

  /** Outputs of every step [T, N, D · units], and the last state [N, D · units]. */
  #layer(x: Value, layer: number, context: Context, { lengths, initial }: RecurrentInputs): [Value, Value] {
    const { bidirectional = false, bias = true } = this.options;
    const { op, attributes } = this.#kind;
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
    const [y, last] = makeNode(op, [x, ...parameters, lengths && cast(lengths, "int32"), initial], {
      ...attributes,
      hidden_size: this.units,
      direction: bidirectional ? "bidirectional" : "forward",
    }).outputs as readonly [Value, Value];
    const [steps = 1, directions = 1, batch = 1] = y.shape;
    const width = directions * this.units;
    return [
      reshape(transpose(y, [0, 2, 1, 3]), [steps, batch, width]),
      reshape(transpose(last, [1, 0, 2]), [batch, width]),
    ];
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

export class Rnn extends Recurrent {
  constructor(units: number, options: RecurrentOptions = {}) {
    super({ name: "rnn", op: RNN, gates: [0] }, units, options);
  }
}

export class Lstm extends Recurrent {
  constructor(units: number, options: RecurrentOptions = {}) {
    // PyTorch has i, f, g, o; ONNX i, o, f, g.
    super({ name: "lstm", op: LSTM, gates: [0, 3, 1, 2] }, units, options);
  }
}

export class Gru extends Recurrent {
  constructor(units: number, options: RecurrentOptions = {}) {
    // PyTorch has r, z, n; ONNX z, r, n.
    super({ name: "gru", op: GRU, gates: [1, 0, 2], attributes: { linear_before_reset: 1 } }, units, options);
  }
}

/** Elman's recurrent network with tanh (Elman 1990): h' = tanh(W x + b + W' h + b'). */
export const rnn = (units: number, options?: RecurrentOptions): Rnn => new Rnn(units, options);

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).
 * @example lstm(128, { returnSequences: false }) // [N, T, I] → [N, 128]
 */
export const lstm = (units: number, options?: RecurrentOptions): Lstm => new Lstm(units, options);

/** Gated recurrent unit (Cho et al. 2014), the reset gate after the product as in PyTorch. */
export const gru = (units: number, options?: RecurrentOptions): Gru => new Gru(units, options);
