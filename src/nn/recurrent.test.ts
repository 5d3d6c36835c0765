/** The recurrent layers against PyTorch's nn.RNN, nn.LSTM and nn.GRU. */
import { expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { keyOf } from "../core/random.ts";
import { gru, lstm, rnn } from "./recurrent.ts";
import { checkLayer, randomTensor, runLayer } from "./testing/check-layer.ts";
import { fixture } from "./testing/fixture.node.ts";

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
  checkLayer(rnn(3, { bidirectional: true, returnSequences: false, bias: false }), {
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
  checkLayer(lstm(3, { returnSequences: false }), {
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
  checkLayer(gru(3, { layers: 2, returnSequences: false }), {
    expected: {
      outputShape: [2, 3],
      parameters: 3 * 3 * (2 + 3 + 2) + 3 * 3 * (3 + 3 + 2),
      recorded: recorded("gruLast"),
    },
  }));

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

test("options that make no sense are told", () => {
  expect(() => lstm(0)).toThrow("lstm: units is 0; pass a whole number from 1");
  expect(() => gru(2, { layers: 1.5 })).toThrow(OptionError);
  expect(() => rnn(2, { dropout: 1 })).toThrow("rnn: dropout is 1; pass a number in [0, 1)");
});
