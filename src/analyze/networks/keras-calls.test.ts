/** Keras models as versions of Keras write their calls: keywords, dicts, states, masks; and what of their layers is not trained. */
import { describe, expect, test } from "vitest";
import { inspectionOf } from "../testing/networks.ts";
import { tfjsNetwork } from "./tfjs-network.ts";

type Listed = readonly [name: string, shape: readonly number[], dtype?: string];
type Layer = readonly [className: string, name: string, config: object, nodes: readonly unknown[]];

const shapeOf = ({ extents = [] }: { readonly extents?: readonly (number | string | undefined)[] | undefined }) =>
  extents.map((extent) => (typeof extent === "number" ? extent : 1));

/** A tensor as Keras 3 writes it. */
const tensor = (layer: string, output = 0) => ({
  class_name: "__keras_tensor__",
  config: { shape: [null], dtype: "float32", keras_history: [layer, 0, output] },
});
const call = (args: readonly unknown[], kwargs: object = {}) => ({ args, kwargs });

const inputLayer = (name: string, ...shape: readonly (number | null)[]): Layer => [
  "InputLayer",
  name,
  { batch_shape: shape },
  [],
];

function network(keras: string, layers: readonly Layer[], ends: object, weights: readonly Listed[] = []) {
  const document = {
    modelTopology: {
      keras_version: keras,
      model_config: {
        class_name: "Functional",
        config: {
          layers: layers.map(([class_name, name, config, inbound_nodes]) => ({
            class_name,
            name,
            config: { name, ...config },
            inbound_nodes,
          })),
          ...ends,
        },
      },
    },
    weightsManifest: [
      { paths: ["w.bin"], weights: weights.map(([name, shape, dtype = "float32"]) => ({ name, shape, dtype })) },
    ],
  };
  return inspectionOf(tfjsNetwork("test", document, { shapeOf }));
}

const lstmWeights = (name: string): readonly Listed[] => [
  [`${name}/lstm_cell/kernel`, [3, 16]],
  [`${name}/lstm_cell/recurrent_kernel`, [4, 16]],
  [`${name}/lstm_cell/bias`, [16]],
];

describe("a decoder that begins with the state of an encoder", () => {
  const ends = {
    input_layers: [
      ["words", 0, 0],
      ["answer", 0, 0],
    ],
    output_layers: [["scores", 0, 0]],
  };
  const weights = [
    ...lstmWeights("encoder"),
    ...lstmWeights("decoder"),
    ["scores/kernel", [4, 7]],
    ["scores/bias", [7]],
  ];
  const model = (keras: string, encoder: unknown, decoder: unknown, scores: unknown) =>
    network(
      keras,
      [
        inputLayer("words", null, 6, 3),
        inputLayer("answer", null, 5, 3),
        ["LSTM", "encoder", { units: 4, return_state: true }, [encoder]],
        ["LSTM", "decoder", { units: 4, return_sequences: true }, [decoder]],
        ["Dense", "scores", { units: 7 }, [scores]],
      ],
      ends,
      weights as readonly Listed[],
    );
  const states = [tensor("encoder", 1), tensor("encoder", 2)];
  const keras2 = model(
    "2.11.0",
    [["words", 0, 0, {}]],
    [
      [
        "answer",
        0,
        0,
        {
          initial_state: [
            ["encoder", 0, 1],
            ["encoder", 0, 2],
          ],
        },
      ],
    ],
    [["decoder", 0, 0, {}]],
  );

  // 16 rows of gates over 3 inputs and 4 states, of 6 steps and of 5; 5 steps of 4 by 7.
  const macs = 16 * 7 * (6 + 5) + 5 * 4 * 7;

  test.each([
    ["as its second tensor", call([[tensor("answer"), ...states]])],
    ["as a keyword", call([tensor("answer")], { initial_state: states, training: false, mask: null })],
    ["by its place", call([tensor("answer"), states])],
    ["with all by keywords", call([], { sequence: tensor("answer"), initial_state: states })],
  ])("%s, is connected", (_, decoder) => {
    const keras3 = model("3.3.3", call([tensor("words")]), decoder, call([tensor("decoder")]));
    expect(keras3.notes).toEqual([]);
    expect(keras3.cost.macs).toBe(macs);
    expect(keras3.depth).toEqual(keras2.depth);
    expect(keras2.cost.macs).toBe(macs);
    expect(keras3.depth.recurrent?.unrolled).toBe(6 + 5 + 1);
  });

  test("is not understood where it takes what its class does not", () => {
    const { notes, cost } = model(
      "3.3.3",
      call([tensor("words")]),
      call([tensor("answer")], { context: states[0] }),
      call([tensor("decoder")]),
    );
    expect(notes[0]).toContain("its argument context is not supported");
    expect(cost.macs).not.toBe(macs);
  });
});

test("outputs in a dict are named by its keys, in the order of the keys", () => {
  const layers: readonly Layer[] = [
    inputLayer("x", null, 8),
    ["Dense", "b", { units: 3 }, [call([tensor("x")])]],
    ["Dense", "a", { units: 2 }, [call([tensor("x")])]],
  ];
  const weights: readonly Listed[] = [
    ["a/kernel", [8, 2]],
    ["a/bias", [2]],
    ["b/kernel", [8, 3]],
    ["b/bias", [3]],
  ];
  const { parameters, cost } = network(
    "3.3.3",
    layers,
    { input_layers: { features: ["x", 0, 0] }, output_layers: { q: ["b", 0, 0], p: ["a", 0, 0] } },
    weights,
  );
  expect([parameters.total, cost.macs]).toEqual([45, 40]);
});

test("statistics that a Normalization took of data are not trained", () => {
  const { parameters, notes } = network(
    "2.11.0",
    [
      inputLayer("x", null, 9),
      ["Normalization", "norm", { axis: [-1] }, [[["x", 0, 0, {}]]]],
      ["Dense", "d", { units: 1 }, [[["norm", 0, 0, {}]]]],
    ],
    { input_layers: [["x", 0, 0]], output_layers: [["d", 0, 0]] },
    [
      ["norm/mean", [9]],
      ["norm/variance", [9]],
      ["norm/count", [], "int32"],
      ["d/kernel", [9, 1]],
      ["d/bias", [1]],
    ],
  );
  expect([parameters.total, parameters.buffers]).toEqual([10, 19]);
  expect(notes).toEqual([]);
});

test("recurrent layers with hard gates, as TensorFlow.js makes them, cost what others do", () => {
  const costOf = (className: string, gates: number) => {
    const weights: readonly Listed[] = [
      ["cell/kernel", [5, 8 * gates]],
      ["cell/recurrent_kernel", [8, 8 * gates]],
      ["cell/bias", [8 * gates]],
      ["d/kernel", [8, 1]],
      ["d/bias", [1]],
    ];
    const { cost, notes } = network(
      "tfjs-layers 4.22.0",
      [
        inputLayer("x", null, 10, 5),
        [className, "cell", { units: 8, recurrent_activation: "hard_sigmoid" }, [[["x", 0, 0, {}]]]],
        ["Dense", "d", { units: 1 }, [[["cell", 0, 0, {}]]]],
      ],
      { input_layers: [["x", 0, 0]], output_layers: [["d", 0, 0]] },
      weights,
    );
    expect(notes).toEqual([]);
    return cost.macs;
  };
  // 10 steps of 8 units, each gate over 5 inputs and 8 states, and 8 products behind them.
  expect(costOf("LSTM", 4)).toBe(10 * 8 * 4 * (5 + 8) + 8);
  expect(costOf("GRU", 3)).toBe(10 * 8 * 3 * (5 + 8) + 8);
});
