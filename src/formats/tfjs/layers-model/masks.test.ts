/** Steps that masks leave out, by hand: where Keras passes masks on, what reads them, and where they end. */
import { expect, test } from "vitest";
import { gradients } from "../../../autodiff/gradients.ts";
import { Tensor, tensor } from "../../../core/tensor.ts";
import { input, type Value } from "../../../graph/ir.ts";
import { compile } from "../../../jit/compile.ts";
import { Context } from "../../../nn/index.ts";
import { expectClose } from "../../../nn/testing/check-layer.ts";
import { constant, ones, reduceSum, square } from "../../../ops/index.ts";
import { run } from "../../testing/run.ts";
import { type LayersDocument, readDocument } from "../document.ts";
import { importLayersModel } from "./import.ts";

type Layer = readonly [className: string, name: string, config: object, taken: readonly unknown[], keywords?: object];

const reference = (name: string) => ({
  class_name: "__keras_tensor__",
  config: { keras_history: [name, 0, 0] },
});
const named = (item: unknown): unknown => (typeof item === "string" ? reference(item) : item);

const functional = (inputs: Readonly<Record<string, readonly number[]>>, layers: readonly Layer[], output: string) => ({
  layers: [
    ...Object.entries(inputs).map(([name, shape]) => ({
      class_name: "InputLayer",
      config: { name, batch_shape: [null, ...shape] },
    })),
    ...layers.map(([class_name, name, config, taken, keywords = {}]) => ({
      class_name,
      config: { name, ...config },
      inbound_nodes: [
        {
          args: taken.length > 1 ? [taken.map(named)] : taken.map(named),
          kwargs: Object.fromEntries(Object.entries(keywords).map(([key, own]) => [key, named(own)])),
        },
      ],
    })),
  ],
  input_layers: Object.keys(inputs).map((name) => [name, 0, 0]),
  output_layers: [[output, 0, 0]],
});

/** Steps [1, 0, 3] of one feature, of which the second is masked. */
const x = tensor([[[1], [0], [3]]]);
const masking: Layer = ["Masking", "masking", {}, ["x"]];
const mean = (...taken: readonly string[]): Layer => ["GlobalAveragePooling1D", "mean", {}, taken];

function documentOf(layers: readonly Layer[], output: string): LayersDocument {
  const config = functional({ x: [3, 1] }, layers, output);
  const modelTopology = { keras_version: "3.9.2", class_name: "Functional", config };
  return readDocument({ modelTopology, weightsManifest: [] }) as LayersDocument;
}

async function outputOf(layers: readonly Layer[], output = "mean", weights: Readonly<Record<string, number>> = {}) {
  const { traced, unknown } = importLayersModel(documentOf(layers, output), () => [1, 3, 1]);
  expect(unknown).toEqual([]);
  if (!traced) throw new Error("no model");
  for (const [path, parameter] of traced.module.parameters())
    parameter.value = new Tensor(
      "float32",
      parameter.shape,
      new Float32Array(1).fill(weights[path.split(".").slice(-2).join(".")] ?? 0),
    );
  return (await run(traced.module, x))[0] as Tensor;
}

test.each<[string, readonly Layer[], number]>([
  ["leave their steps out of a mean", [masking, mean("masking")], 2],
  [
    "pass dropout, activations and normalization",
    [masking, ["Dropout", "drop", { rate: 0.5 }, ["masking"]], ["ReLU", "relu", {}, ["drop"]], mean("relu")],
    2,
  ],
  [
    "end where a layer reshapes",
    [masking, ["Reshape", "shape", { target_shape: [3, 1] }, ["masking"]], mean("shape")],
    4 / 3,
  ],
  ["meet in a sum", [masking, ["ReLU", "other", {}, ["x"]], ["Add", "sum", {}, ["masking", "other"]], mean("sum")], 4],
  [
    "stand behind one another along the steps",
    [masking, ["ReLU", "other", {}, ["x"]], ["Concatenate", "all", { axis: 1 }, ["masking", "other"]], mean("all")],
    8 / 5,
  ],
])("masks %s", async (_, layers, expected) => {
  expectClose(await outputOf(layers), tensor([[expected]]), "output");
});

test("a model within a model passes masks in and out", async () => {
  const inner = functional({ y: [3, 1] }, [["ReLU", "relu", {}, ["y"]]], "relu");
  const within: Layer = ["Functional", "inner", inner, ["masking"]];
  expectClose(await outputOf([masking, within, mean("inner")]), tensor([[2]]), "output");
});

test("a recurrent layer repeats its output for a masked step, or gives 0 where it is told to", async () => {
  // Sums of what it has read.
  const sums = { "rnn.kernel": 1, "rnn.recurrent_kernel": 1 };
  const rnn = (config: object): Layer => [
    "SimpleRNN",
    "rnn",
    { units: 1, activation: "linear", use_bias: false, return_sequences: true, ...config },
    ["masking"],
  ];
  expectClose(await outputOf([masking, rnn({})], "rnn", sums), tensor([[[1], [1], [4]]]), "repeated");
  expectClose(
    await outputOf([masking, rnn({ zero_output_for_mask: true })], "rnn", sums),
    tensor([[[1], [0], [4]]]),
    "0",
  );
  expectClose(
    await outputOf([masking, rnn({ go_backwards: true })], "rnn", sums),
    tensor([[[3], [3], [4]]]),
    "backwards",
  );
  // swish(x), step by step: x / (1 + exp(-x)).
  const stepwise = rnn({ activation: "swish", zero_output_for_mask: true });
  const swish = (v: number) => v / (1 + Math.exp(-v));
  const expected = tensor([[[swish(1)], [0], [swish(swish(1) + 3)]]]);
  expectClose(await outputOf([masking, stepwise], "rnn", sums), expected, "step by step");
});

test("attention sees no masked value, and gives 0 for a masked query", async () => {
  // Without scale the scores of 1 and 3 for the query q are q and 3 q; that of the masked 0 does not count.
  const weighted = (q: number) => (Math.exp(q) + 3 * Math.exp(3 * q)) / (Math.exp(q) + Math.exp(3 * q));
  const own: Layer = ["Attention", "own", {}, ["masking", "masking"]];
  expectClose(await outputOf([masking, own], "own"), tensor([[[weighted(1)], [0], [weighted(3)]]]), "output");
});

test("heads see no masked key", async () => {
  // Queries and keys of 0 weigh all values alike.
  const own: Layer = ["MultiHeadAttention", "own", { num_heads: 1, key_dim: 1 }, ["masking"], { value: "masking" }];
  const weights = { "value.kernel": 1, "output.kernel": 1 };
  expectClose(await outputOf([masking, own], "own", weights), tensor([[[2], [2], [2]]]), "output");
});

test("gradients pass the steps that count, and no others", async () => {
  const layers: readonly Layer[] = [
    masking,
    ["SimpleRNN", "rnn", { units: 1, use_bias: false, return_sequences: true }, ["masking"]],
  ];
  const { traced } = importLayersModel(documentOf(layers, "rnn"), () => [1, 3, 1]);
  if (!traced) throw new Error("no model");
  const kernel = input("float32", [1, 1], "kernel");
  const given = input("float32", [1, 3, 1], "x");
  const context = new Context(traced.module, {
    bind: ({ name }) => (name === "kernel" ? kernel : constant(tensor([[0.5]]))),
  });
  const loss = reduceSum(square(traced.module.apply({ x: given }, context) as Value));
  const executable = await compile([given, kernel], [loss, ...gradients([loss], [ones([])], [given, kernel])]);
  const lossAt = async (k: number) =>
    (await executable.run([x, tensor([[k]])])).map((own) => own.toNumbers()) as number[][];
  const [, ofInput = [], [ofKernel = 0] = []] = await lossAt(0.3);
  const [[above = 0] = []] = await lossAt(0.301);
  const [[below = 0] = []] = await lossAt(0.299);
  await executable.session.release();
  // A central difference over 0.002 errs by some 1e-6 of the third derivative, and by the rounding of float32, 1e-7 / 2e-3.
  expect(Math.abs(ofKernel - (above - below) / 0.002)).toBeLessThan(1e-3);
  expect(ofInput[1]).toBe(0);
  expect(ofInput[0]).not.toBe(0);
});
