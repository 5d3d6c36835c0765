/** The recurrent layers against PyTorch's nn.RNN, nn.LSTM and nn.GRU. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { concat, constant, reshape, split, stack } from "../../ops/index.ts";
import { predict } from "../../train/predict.ts";
import type { Context } from "../context.ts";
import { Module } from "../module.ts";
import { checkLayer, checkRecorded, expectClose, randomTensor, runLayer } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { gru, lstm, type RecurrentInputs, type RecurrentOutputs, rnn } from "./recurrent.ts";

const recorded = fixture("recurrent");

test("rnn, every step", () =>
  checkLayer(rnn(4), {
    expected: {
      outputShape: [2, 5, 4],
      parameters: 4 * 3 + 4 * 4 + 2 * 4,
      formula: "4·3 + 4·4 + 4 + 4",
      recorded: recorded("rnn"),
      refuses: [
        [
          { dtype: "float32", shape: [2, 3] },
          /rnn "": input \[2, 3\] needs three axes; pass \[batch, steps, features\]/,
        ],
        [{ dtype: "int64", shape: [2, 5, 3] }, /RNN takes floats, got int64/],
      ],
    },
  }));

test("rnn, last state of both directions without biases", () =>
  checkLayer(rnn(3, { bidirectional: true, returns: "last", bias: false }), {
    expected: { outputShape: [2, 6], parameters: 2 * (3 * 2 + 3 * 3), recorded: recorded("rnnBothLast") },
  }));

test("lstm, every step", () =>
  checkLayer(lstm(4), {
    expected: {
      outputShape: [2, 5, 4],
      parameters: 4 * 4 * (3 + 4 + 2),
      formula: "4·4·3 + 4·4·4 + 4·4 + 4·4",
      recorded: recorded("lstm"),
    },
  }));

test("lstm, last state", () =>
  checkLayer(lstm(3, { returns: "last" }), {
    expected: { outputShape: [3, 3], parameters: 4 * 3 * (2 + 3 + 2), recorded: recorded("lstmLast") },
  }));

test("lstm, two layers in both directions", () =>
  checkLayer(lstm(2, { layers: 2, bidirectional: true }), {
    expected: {
      outputShape: [2, 4, 4],
      // The second layer reads both directions of the first.
      parameters: 2 * 4 * 2 * (3 + 2 + 2) + 2 * 4 * 2 * (4 + 2 + 2),
      recorded: recorded("lstmDeep"),
    },
  }));

test("gru, every step", () =>
  checkLayer(gru(4), {
    expected: {
      outputShape: [2, 5, 4],
      parameters: 3 * 4 * (3 + 4 + 2),
      formula: "3·4·3 + 3·4·4 + 3·4 + 3·4",
      recorded: recorded("gru"),
    },
  }));

test("gru, last state of two layers", () =>
  checkLayer(gru(3, { layers: 2, returns: "last" }), {
    expected: {
      outputShape: [2, 3],
      parameters: 3 * 3 * (2 + 3 + 2) + 3 * 3 * (3 + 3 + 2),
      recorded: recorded("gruLast"),
    },
  }));

/** A layer with the lengths of its sequences as an input, and optionally an initial state. */
class Packed extends Module {
  readonly layer: Module<RecurrentInputs>;
  readonly #lengths: readonly number[];
  readonly #hidden: Tensor | undefined;
  constructor(layer: Module<RecurrentInputs>, lengths: readonly number[], hidden?: Tensor) {
    super();
    this.layer = layer;
    this.#lengths = lengths;
    this.#hidden = hidden;
  }
  protected call(x: Value, context: Context): Value {
    const lengths = constant(tensor(this.#lengths, { dtype: "int32" }));
    const initial = this.#hidden && { hidden: constant(this.#hidden) };
    return this.layer.apply({ x, lengths, initial }, context);
  }
}

describe("sequences of their own lengths, as PyTorch packs them", () => {
  const twelfths = tensor(
    Array.from({ length: 12 }, (_, i) => i / 12),
    { shape: [2, 2, 3] },
  );
  test.each([
    ["rnnPacked", new Packed(rnn(3, { returns: "last" }), [4, 2, 3])],
    ["lstmPacked", new Packed(lstm(2, { layers: 2, bidirectional: true }), [3, 5, 1])],
    ["lstmPackedLast", new Packed(lstm(3, { bidirectional: true, returns: "last" }), [2, 4, 1])],
    ["gruPacked", new Packed(gru(3, { layers: 2 }), [4, 3], twelfths)],
  ])("%s", async (name, layer) => {
    await checkRecorded(layer, recorded(name));
  });

  test("a state of another shape is refused", () => {
    const layer = new Packed(gru(3), [4, 3], twelfths);
    expect(() => layer.trace({ dtype: "float32", shape: [2, 4, 2] })).toThrow(
      /gru "layer": initial.hidden is \[2, 2, 3\], its layers need .* pass \[1, 2, 3\]/,
    );
  });
});

/** Reads a sequence at once, and in two parts of which the second goes on from the first one's state: [2, all that they give]. */
class Resumed extends Module {
  readonly layer = lstm(3, { layers: 2, returns: "all" });
  protected call(x: Value, context: Context): Value {
    const all = ({ sequence, state: { hidden, cell } }: RecurrentOutputs) =>
      concat([sequence, hidden, ...(cell ? [cell] : [])].map((value) => reshape(value, [-1])));
    const [first, rest] = split(x, [2, 3], 1);
    const begun = this.layer.apply(first, context);
    const { sequence, state } = this.layer.apply({ x: rest, initial: begun.state }, context);
    const parts = { sequence: concat([begun.sequence, sequence], 1), state };
    return stack([all(this.layer.apply(x, context)), all(parts)]);
  }
}

describe("the sequence and the states of every layer", () => {
  const type = { dtype: "float32", shape: [2, 5, 3] } as const;
  test("have PyTorch's shapes", () => {
    const { sequence, state } = lstm(4, { layers: 3, bidirectional: true, returns: "all" }).trace(type).output;
    expect([sequence, state.hidden, state.cell].map((value) => value?.shape)).toEqual([
      [2, 5, 8],
      [6, 2, 4],
      [6, 2, 4],
    ]);
    expect(Object.keys(gru(4, { returns: "all" }).trace(type).output.state)).toEqual(["hidden"]);
  });

  test("go on from where they ended", async () => {
    const model = new Resumed();
    model.trace(type);
    model.initialize(keyOf(6));
    const { output } = await runLayer(model, randomTensor(type.shape, 3));
    const [whole, parts] = output.toArray() as [number[], number[]];
    expect(whole).toHaveLength(2 * 5 * 3 + 2 * (2 * 2 * 3));
    expectClose(tensor(parts), tensor(whole), "outputs and states");
    // The top layer's hidden state is its output at the last step.
    const hidden = whole.slice(30, 42);
    expect(hidden.slice(6)).toEqual([...whole.slice(12, 15), ...whole.slice(27, 30)]);
  });

  test("a state that does not fit is refused", () => {
    const [x, state] = [type, { dtype: "float32", shape: [1, 2, 4] } as const];
    const cell = { dtype: "float32", shape: [1, 2, 3] } as const;
    expect(() => lstm(4).trace({ x, initial: { hidden: state, cell } })).toThrow(
      'lstm "": initial.cell is [1, 2, 3], its layers need [layers · directions, batch, units]: pass [1, 2, 4]',
    );
    expect(() => gru(4).trace({ x, initial: { hidden: state, cell: state } })).toThrow(
      'gru "": initial has a cell, which a gru has not; pass { hidden } alone',
    );
    expect(() => rnn(4).trace({ x, initial: {} })).toThrow("initial has no hidden state");
  });
});

test("initial values lie within 1 / √units", () => {
  const layer = lstm(16);
  layer.trace({ dtype: "float32", shape: [1, 2, 3] });
  layer.initialize(keyOf(1));
  for (const { value } of layer.parameters().values()) {
    const largest = Math.max(...(value?.toNumbers() ?? []).map(Math.abs));
    expect(largest).toBeLessThanOrEqual(0.25);
    // Of 64 draws and more the largest lies in the upper fifth but for once in a million times.
    expect(largest).toBeGreaterThan(0.2);
  }
});

test("dropout acts between layers, while training", async () => {
  const x = randomTensor([2, 3, 4], 1);
  const layer = gru(8, { layers: 2, dropout: 0.5 });
  layer.trace(x);
  layer.initialize(keyOf(2));
  const evaluated = (await runLayer(layer, x)).output.data;
  expect((await runLayer(layer, x, { training: true })).output.data).not.toEqual(evaluated);
  expect((await runLayer(layer, x)).output.data).toEqual(evaluated);
});

test.each([6, -1])("a length of %i in five steps is refused with its row", async (length) => {
  const layer = lstm(4, { returns: "last" });
  const x = randomTensor([2, 5, 3], 1);
  const of = (...values: number[]) => ({ x, lengths: tensor(values, { dtype: "int32" }) });
  layer.initialize(keyOf(0), of(5, 2));
  expect((await predict(layer, of(5, 0))).toNumbers().slice(4)).toEqual([0, 0, 0, 0]);
  await expect(predict(layer, of(5, length))).rejects.toThrow(
    `the length of row 1 is ${length}, expected a whole number from 0 to 5; the sequences have 5 steps`,
  );
});

test("options that make no sense are reported", () => {
  expect(() => lstm(0)).toThrow("lstm: units is 0; pass a whole number from 1");
  expect(() => gru(2, { layers: 1.5 })).toThrow(OptionError);
  expect(() => lstm(2, { returns: "states" as "all" })).toThrow(
    'lstm: returns is "states"; pass "sequence", "last" or "all"',
  );
  expect(() => rnn(2, { dropout: 1 })).toThrow("rnn: dropout is 1; pass a number in [0, 1)");
});
