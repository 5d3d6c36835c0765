/** Keras's recurrent layers, SimpleRNN, GRU, LSTM and RNN around cells, on ONNX's operators; the weights are kept as Keras has them. */
import * as z from "zod";
import { ShapeError, UnsupportedError } from "../../../../core/errors.ts";
import { append } from "../../../../core/lists.ts";
import { showShape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import { makeNode } from "../../../../graph/op.ts";
import { unknownOp } from "../../../../import/unknown.ts";
import { type Context, glorotUniform, valuesOf, zerosInit } from "../../../../nn/index.ts";
import {
  concat,
  expand,
  flip,
  linear,
  reshape,
  slice,
  split,
  transpose,
  unsqueeze,
  zeros,
} from "../../../../ops/index.ts";
import { object, readPart } from "../../fields.ts";
import type { LayerCall, MaskRule } from "../calls.ts";
import { toggle } from "../config.ts";
import {
  type BuiltLayer,
  CallLayer,
  defineLayer,
  type KerasVersion,
  type LayerClass,
  type LayerClasses,
  type OneOrMore,
  oneOrMore,
  type StoredAs,
} from "../layer.ts";
import { snakeCase } from "../weights.ts";
import {
  biasRow,
  type CellFields,
  type CellKind,
  type CellWeights,
  cellActivations,
  cellFields,
  gruCell,
  lstmCell,
  onnxActivations,
  simpleCell,
} from "./recurrent-cells.ts";
import { packSteps, type Reading, readSteps, timeFirst } from "./steps.ts";

/** Settings of how a layer reads its sequence, and what it gives. */
export const readingFields = z.object({
  return_sequences: toggle(false),
  return_state: toggle(false),
  go_backwards: toggle(false),
  stateful: toggle(false),
  zero_output_for_mask: toggle(false),
});
export type ReadingFields = z.output<typeof readingFields>;

/** What recurrent layers are called with. */
export const recurrentParameters = ["sequences", "initial_state", "mask", "training"] as const;

/** A mask goes along with outputs of every step, not with the last one, nor with states. */
export const sequenceMask =
  ({ return_sequences }: ReadingFields): MaskRule =>
  ({ masks }) =>
    return_sequences ? [masks[0]] : [];

/** What is read by a layer that may go backwards: its sequence in the order of reading, and its states. */
export function readingOf({ inputs, named, masks }: LayerCall, fields: ReadingFields): Reading {
  const [x, ...more] = inputs;
  if (!x || x.rank < 3)
    throw new ShapeError(`input ${x && showShape(x.shape)} needs three axes; pass [batch, steps, features]`);
  const turned = (value: Value) => (fields.go_backwards ? flip(value, 1) : value);
  return {
    x: turned(x),
    // Keras 2 lists the states behind the sequence.
    states: more.length > 0 ? more : valuesOf(named["initial_state"]),
    mask: masks[0] && turned(masks[0]),
    zeroForMask: fields.zero_output_for_mask,
  };
}

/** A sequence that was read: outputs of every step [N, T, …] and the states after the last one, the output first. */
export interface Read {
  readonly outputs: Value;
  readonly states: readonly Value[];
}

/** What a layer gives of a sequence that was read. */
export function resultsOf(
  { outputs, states }: Read,
  { mask }: Reading,
  { return_sequences, return_state }: ReadingFields,
): OneOrMore {
  const [state] = states;
  const steps = outputs.shape[1] ?? 1;
  // The last output is the last state, unless there may be steps that do not count.
  const last = () =>
    state && !mask
      ? state
      : reshape(slice(outputs, { axis: 1, start: steps - 1, end: steps }), outputs.shape.toSpliced(1, 1));
  return oneOrMore([return_sequences ? outputs : last(), ...(return_state ? states : [])]);
}

/**
 * One recurrent cell over a sequence: [N, T, I] and states [N, units] → the outputs of every step and the last states. Weights kernel
 * [I, gates · units], recurrent_kernel [units, gates · units], bias [gates · units] or, of a GRU that resets after the product,
 * [2, gates · units]. Keras's dropout of its inputs and states, in training only, is left out.
 */
abstract class Recurrent extends CallLayer {
  override readonly kind = "recurrent";
  readonly #cell: CellKind;
  readonly #fields: CellFields;
  readonly #reading: ReadingFields;
  readonly #keras: KerasVersion;
  readonly #isKnown: boolean;
  constructor(cell: CellKind, own: CellFields, reading: ReadingFields, keras: KerasVersion, isKnown: boolean) {
    super();
    this.#cell = cell;
    this.#fields = own;
    this.#reading = reading;
    this.#keras = keras;
    this.#isKnown = isKnown;
  }

  protected call(call: LayerCall, context: Context): OneOrMore {
    const reading = readingOf(call, this.#reading);
    if (reading.x.rank !== 3)
      throw new ShapeError(`input ${showShape(reading.x.shape)} needs three axes; pass [batch, steps, features]`);
    return resultsOf(this.#read(reading, context), reading, this.#reading);
  }

  #read(reading: Reading, context: Context): Read {
    const weights = this.#weights(reading.x, context);
    if (!this.#isKnown) return this.#unknown(reading, weights);
    const attributes = onnxActivations(this.#cell, this.#fields, this.#keras);
    if (!attributes) return this.#readSteps(reading, weights);
    const { x, mask, states, zeroForMask } = reading;
    const packed = mask && packSteps(x, mask, zeroForMask);
    const { op, states: count } = this.#cell;
    const { units } = this.#fields;
    const { w, r, b } = weights;
    const [steps = 1, batch = 1] = [x.shape[1], x.shape[0]];
    const given = states.map((state) => unsqueeze(state, [0]));
    const first = given.length > 0 ? given : new Array<undefined>(count).fill(undefined);
    const operands = [
      timeFirst(packed?.x ?? x),
      this.#rows(w),
      this.#rows(r),
      b && this.#bias(b),
      packed?.lengths,
      ...first,
    ];
    const [y, ...last] = makeNode(op, operands, {
      hidden_size: units,
      ...attributes,
      ...(this.#cell === gruCell && { linear_before_reset: b?.rank === 2 || this.#fields.reset_after ? 1 : 0 }),
    }).outputs;
    const outputs = timeFirst(reshape(y, [steps, batch, units]));
    return {
      outputs: packed ? packed.spread(outputs) : outputs,
      states: last.map((state) => reshape(state, [batch, units])),
    };
  }

  /** Step by step, with activations that ONNX's operators do not have. */
  #readSteps(reading: Reading, weights: CellWeights) {
    const { x, states } = reading;
    const { units } = this.#fields;
    const own = cellActivations(this.#fields, this.#keras);
    const none = expand(zeros([], x.dtype), [1, units]); // for every sample
    const { w, b } = weights;
    const fromInput = linear(x, w, b?.rank === 2 ? biasRow(b, 0) : b, { inFirst: true });
    const first = states.length > 0 ? states : Array.from({ length: this.#cell.states }, () => none);
    return readSteps((sums, state) => this.#cell.step(sums, state, weights, own) as readonly [Value, ...Value[]], {
      ...reading,
      x: fromInput,
      states: first,
    });
  }

  /** Of a cell that is not understood the weights and the steps are known. */
  #unknown({ x, states }: Reading, { w, r, b }: CellWeights) {
    const [batch = 1, steps = 1] = x.shape;
    const state = { dtype: x.dtype, shape: [batch, this.#fields.units] };
    const types = [
      { dtype: x.dtype, shape: [steps, ...state.shape] },
      ...Array.from({ length: this.#cell.states }, () => state),
    ];
    const op = unknownOp(this.#cell.type, "keras", this.#cell.op, types);
    const [y, ...last] = makeNode(op, [timeFirst(x), w, r, b, ...states]).outputs;
    return { outputs: timeFirst(y), states: last };
  }

  #weights(x: Value, context: Context): CellWeights {
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
    const [input, state] = bias.rank === 2 ? [biasRow(bias, 0), biasRow(bias, 1)] : [bias, expand(zeros([]), [width])];
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

type Kind = new (...rest: ConstructorParameters<typeof Recurrent>) => Recurrent;

/** Cells by the class of the layer, and by that of the cell. */
const cells = {
  SimpleRNN: [SimpleRnn, simpleCell],
  GRU: [Gru, gruCell],
  LSTM: [Lstm, lstmCell],
} as const satisfies Record<string, readonly [Kind, CellKind]>;
type CellName = keyof typeof cells;

/** Why a cell is not understood, `undefined` when it is. */
function unknownCell(fields: CellFields, keras: KerasVersion): string | undefined {
  try {
    cellActivations(fields, keras);
    return undefined;
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return error.message;
  }
}

export const stateNote = "keeps its state from batch to batch, which begins with none here";

function recurrentClass(name: CellName): LayerClass {
  const [Layer, cell] = cells[name];
  const stored = (own: string): StoredAs => ({ name: own, part: "cell" });
  const build = (
    { own, reading }: { readonly own: CellFields; readonly reading: ReadingFields },
    keras: KerasVersion,
  ): BuiltLayer => {
    const unknown = unknownCell(own, keras);
    return {
      module: new Layer(cell, own, reading, keras, unknown === undefined),
      weights: {
        kernel: stored("kernel"),
        recurrent_kernel: stored("recurrent_kernel"),
        bias: stored("bias"),
      },
      masks: sequenceMask(reading),
      ...(unknown && { unknown }),
      ...(reading.stateful && { note: stateNote }),
    };
  };
  const schema = z.object({ ...cellFields.shape, ...readingFields.shape });
  return defineLayer(
    schema,
    (fields, { keras }) => build({ own: fields, reading: fields }, keras),
    recurrentParameters,
  );
}

/** Cells on top of one another, the outputs of each read by the next at the same step. */
class RecurrentStack extends CallLayer {
  readonly cells: readonly Recurrent[];
  readonly #reading: ReadingFields;
  readonly #counts: readonly number[];
  constructor(own: readonly Recurrent[], counts: readonly number[], reading: ReadingFields) {
    super();
    this.cells = own;
    this.#counts = counts;
    this.#reading = reading;
  }
  protected call(call: LayerCall, context: Context): OneOrMore {
    const reading = readingOf(call, this.#reading);
    const masks = [reading.mask];
    const last: Value[] = [];
    let outputs = reading.x;
    let begin = 0;
    for (const [i, cell] of this.cells.entries()) {
      const count = this.#counts[i] ?? 1;
      const states = reading.states.slice(begin, begin + count);
      begin += count;
      const given = cell.apply({ inputs: [outputs, ...states], named: {}, masks }, context);
      const [y, ...own] = valuesOf(given) as [Value, ...Value[]];
      outputs = y;
      append(last, own);
    }
    return resultsOf(
      { outputs, states: [last.at(-1 * (this.#counts.at(-1) ?? 1)) as Value, ...last] },
      reading,
      this.#reading,
    );
  }
}

const cellObject = z.object({ class_name: z.string(), config: object("the cell's settings") });
const stackObject = z.object({ cells: z.array(cellObject).min(1) });

/** The cells of an RNN, each with the part of the layer that owns it in Keras 3. */
function cellsOf(cell: z.output<typeof cellObject>): readonly { cell: z.output<typeof cellObject>; part: string }[] {
  if (cell.class_name !== "StackedRNNCells") return [{ cell, part: "cell" }];
  const counts = new Map<string, number>();
  return readPart("config of StackedRNNCells", stackObject, cell.config).cells.map((own) => {
    const name = snakeCase(own.class_name);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return { cell: own, part: `cell/cells/${name}${count === 0 ? "" : `_${count}`}` };
  });
}

const RNN: LayerClass = defineLayer(
  z.object({ ...readingFields.shape, cell: cellObject }),
  ({ cell, ...reading }, { keras }): BuiltLayer => {
    const weights: Record<string, StoredAs> = {};
    const every = { ...reading, return_sequences: true, return_state: true, go_backwards: false };
    const counts: number[] = [];
    const modules = cellsOf(cell).map(({ cell: { class_name: className, config }, part }, i) => {
      const name = className.replace(/Cell$/, "");
      if (!Object.hasOwn(cells, name))
        throw new UnsupportedError(`it runs a cell ${className}, which is not supported`);
      const [Layer, kind] = cells[name as CellName];
      const own = readPart(`config of ${className}`, cellFields, config);
      const unknown = unknownCell(own, keras);
      if (unknown) throw new UnsupportedError(unknown);
      for (const weight of ["kernel", "recurrent_kernel", "bias"])
        weights[`cells.${i}.${weight}`] = { name: [`${config["name"]}/${weight}`, weight], part };
      counts.push(kind.states);
      return new Layer(kind, own, every, keras, true);
    });
    const module = new RecurrentStack(modules, counts, reading);
    return { module, weights, masks: sequenceMask(reading), ...(reading.stateful && { note: stateNote }) };
  },
  recurrentParameters,
);

export const recurrentClasses: LayerClasses = {
  SimpleRNN: recurrentClass("SimpleRNN"),
  GRU: recurrentClass("GRU"),
  LSTM: recurrentClass("LSTM"),
  RNN,
};
