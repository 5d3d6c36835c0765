/** Networks from ONNX files that PyTorch wrote: counts, layers, depth and cost as of the models that they are. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { keyOf } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { fileOf, weight } from "../../formats/testing/onnx-files.ts";
import { input } from "../../graph/ir.ts";
import { makeNode } from "../../graph/op.ts";
import { dense, sequential } from "../../nn/index.ts";
import type { Message } from "../../onnx/codec.ts";
import { importModel } from "../../onnx/import.ts";
import { fileOfGraph, node, stored, typed, zeros } from "../../onnx/testing/build-file.ts";
import { LSTM } from "../../ops/index.ts";
import { inspectionOf, presetNetwork } from "../testing/networks.ts";
import { moduleNetwork } from "./module-network.ts";
import type { Network } from "./network.ts";
import { onnxNetwork } from "./onnx-network.ts";

const folder = new URL("../../../test/fixtures/onnx/", import.meta.url);

/** Written by scripts/make-onnx-fixtures.py. */
const expected = JSON.parse(readFileSync(new URL("expected.json", folder), "utf8")).models as Readonly<
  Record<
    string,
    {
      readonly parameters: number;
      readonly buffers: number;
      readonly input: readonly number[];
      readonly outputShape: readonly number[];
    }
  >
>;

function networkOf(name: string): Network {
  const source = memorySource(readFileSync(new URL(`${name}.onnx`, folder)));
  return onnxNetwork(name, importModel(source, { shapeOf: () => expected[name]?.input ?? [] }));
}

test.each(Object.entries(expected))("%s: every parameter and buffer that PyTorch counts", (name, model) => {
  const { parameters, layers, cost, notes } = inspectionOf(networkOf(name));
  expect([parameters.total, parameters.buffers]).toEqual([model.parameters, model.buffers]);
  expect(layers.reduce((sum, layer) => sum + layer.parameters, 0)).toBe(model.parameters);
  expect(layers.at(-1)?.outputShape).toEqual(model.outputShape);
  expect(cost.macs).toBeGreaterThan(0);
  expect(cost.backwardFlops).toBeGreaterThan(0);
  expect(notes).toEqual([]);
});

describe("depth", () => {
  test("of ResNet-50 is that of the architecture, whatever its width", () => {
    const { depth } = inspectionOf(networkOf("resnet50-narrow"));
    expect(depth).toEqual(inspectionOf(presetNetwork("resnet50")).depth);
  });

  test("of an encoder", () => {
    // In each of two layers a projection to queries, keys or values and one back, two dense layers; then the words.
    expect(inspectionOf(networkOf("encoder")).depth).toMatchObject({ weighted: 9, blocks: 2 });
  });

  test("of recurrent networks, folded and unrolled", () => {
    // Two LSTM layers and a dense one; seven steps.
    expect(inspectionOf(networkOf("lstm")).depth).toMatchObject({
      weighted: 3,
      recurrent: { perStep: 1, feedforward: 3, steps: 7, unrolled: 9 },
    });
    // Forwards and backwards side by side: the last step of either has seen all.
    expect(inspectionOf(networkOf("gru-bidirectional")).depth).toMatchObject({
      weighted: 2,
      recurrent: { perStep: 1, feedforward: 2, steps: 7, unrolled: 8 },
    });
  });
});

test("a recurrent layer with gates that Keras calls hard costs what it does with others", () => {
  const x = input("float32", [4, 2, 3], "x");
  const activations = { activations: ["HardSigmoid", "Tanh", "Tanh"], activation_alpha: [0.2], activation_beta: [0.5] };
  const operands = [x, weight("w", [1, 20, 3]), weight("r", [1, 20, 5])];
  const [y] = makeNode(LSTM, operands, { hidden_size: 5, ...activations }).outputs;
  const model = importModel(memorySource(fileOf([x], [y])), { shapeOf: () => [4, 2, 3] });
  const { cost, notes } = inspectionOf(onnxNetwork("hard", model));
  // 4 steps of 2 samples: 4 gates of 5 units over 3 inputs and 5 states.
  expect(cost.macs).toBe(4 * 2 * 20 * (3 + 5));
  expect(cost.backwardFlops).toBeGreaterThan(0);
  expect(notes).toEqual([]);
});

describe("layers", () => {
  test("have their module paths, kinds, formulas and roles", () => {
    const { layers, byKind } = inspectionOf(networkOf("resnet50-narrow"));
    const layerNamed = (name: string) => layers.find((layer) => layer.name === name);
    expect(layerNamed("conv1")).toMatchObject({ kind: "convolution", role: "input", formula: "7·7·3·4 = 588" });
    expect(layerNamed("layer2.0.downsample.1")).toMatchObject({ kind: "normalization", parameters: 64 });
    expect(layerNamed("fc")).toMatchObject({
      kind: "dense",
      role: "output",
      formula: "10·128 + 10 = 1,290",
      macs: 2 * 1280,
    });
    expect(byKind.slice(0, 3).map(({ kind }) => kind)).toEqual(["convolution", "normalization", "dense"]);
  });

  test("attention's products are a layer without parameters", () => {
    const { layers, parameters } = inspectionOf(networkOf("encoder"));
    // Two sequences of eight tokens, scores and their use in each of eight by eight places, sixteen features.
    expect(layers.find(({ name }) => name === "layer.0.attention")).toMatchObject({
      kind: "attention",
      parameters: 0,
      macs: 2 * 2 * 8 * 8 * 16,
    });
    expect(layers.find(({ name }) => name === "layer.0.norm1")).toMatchObject({
      kind: "normalization",
      parameters: 32,
    });
    // The output layer reads the words' embedding, transposed.
    expect(parameters.shared.map(({ name }) => name)).toEqual(["word.weight"]);
  });

  test("recurrent layers: gates times (inputs + state), twice a bias", () => {
    const { layers } = inspectionOf(networkOf("lstm"));
    const recurrent = layers.filter(({ kind }) => kind === "recurrent");
    expect(recurrent.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(
      4 * 5 * (6 + 5 + 2) + 4 * 5 * (5 + 5 + 2),
    );
    // Seven steps of two sequences.
    expect(recurrent.reduce((sum, { macs }) => sum + (macs ?? 0), 0)).toBe(7 * 2 * 4 * 5 * (6 + 5 + 5 + 5));
  });
});

describe("files made to do harm", () => {
  const read = (bytes: Uint8Array) => onnxNetwork("test", importModel(memorySource(bytes)));

  test("functions that double, each in the next, are counted without writing them out", () => {
    const functions = Array.from({ length: 28 }, (_, i) => ({
      name: `F${i}`,
      domain: "local",
      input: ["a"],
      output: ["c"],
      node: [["a", "b"] as const, ["b", "c"] as const].map(([from, to]) =>
        node(i === 27 ? "Relu" : `local.F${i + 1}`, [from], [to]),
      ),
    }));
    const graph = {
      input: [typed("x", "float32", 2, 4)],
      node: [node("local.F0", ["x"], ["y"])],
      output: [typed("y", "float32", 2, 4)],
    };
    expect(() => read(fileOfGraph(graph, 17, { functions }))).toThrow(
      "with its functions written out it has more than 65536 nodes, the limit",
    );
  });

  /** Loops within loops, each of `trips` steps. */
  const loops = (depth: number, trips: number) => {
    const body = (level: number): { readonly graph: Message } => ({
      graph: {
        input: [typed(`i${level}`, "int64"), typed(`c${level}`, "bool"), typed(`v${level}`, "float32", 1, 2)],
        node: [
          level === 1
            ? node("Relu", ["v1"], ["r1"])
            : node("Loop", ["trips", "", `v${level}`], [`r${level}`], { body: body(level - 1) }),
          node("Identity", [`c${level}`], [`d${level}`]),
        ],
        output: [typed(`d${level}`, "bool"), typed(`r${level}`, "float32", 1, 2)],
      },
    });
    return fileOfGraph({
      input: [typed("x", "float32", 1, 2)],
      node: [node("Loop", ["trips", "", "x"], ["y"], { body: body(depth) })],
      output: [typed("y", "float32", 1, 2)],
      initializer: [stored("trips", new Tensor("int64", [], BigInt64Array.of(BigInt(trips))))],
    });
  };

  test("loops within loops end at the limit of nodes, which may be raised", () => {
    const limit = /its functions and loops written out it has more than 65536 nodes, the limit/;
    expect(() => read(loops(4, 1000))).toThrow(limit);
    expect(() => read(loops(2, 200))).toThrow(limit);
    const raised = importModel(memorySource(loops(2, 200)), { limits: { nodes: 200_000 } });
    expect(raised.graph.nodes.length).toBe(40_000);
  }, 60_000);

  /** x W + x, so many times. */
  const residual = (times: number) =>
    fileOfGraph({
      input: [typed("x0", "float32", 1, 2)],
      node: Array.from({ length: times }, (_, i) => [
        node("MatMul", [`x${i}`, `w${i}`], [`m${i}`]),
        node("Add", [`x${i}`, `m${i}`], [`x${i + 1}`]),
      ]).flat(),
      output: [typed(`x${times}`, "float32", 1, 2)],
      initializer: Array.from({ length: times }, (_, i) => zeros(`w${i}`, 2, 2)),
    });

  test("3,000 residual layers are inspected in time that grows with them alone", () => {
    const begin = performance.now();
    const { depth, cost } = inspectionOf(read(residual(3000)));
    expect(performance.now() - begin).toBeLessThan(60_000);
    expect(depth.weighted).toBe(3000);
    expect(depth.paths).toMatchObject({ count: (2n ** 3000n).toString(), min: 0, max: 3000, mean: 1500 });
    expect(cost.macs).toBe(3000 * 4);
    expect(cost.backwardFlops).toBeGreaterThan(0);
  }, 120_000);

  test("what training costs is left out of a network that is larger, and a note says so", () => {
    const { cost, notes } = inspectionOf(
      onnxNetwork("test", importModel(memorySource(residual(60))), { trainingNodes: 50 }),
    );
    expect([cost.macs, cost.backwardFlops, cost.trainingBytes]).toEqual([240, null, null]);
    expect(notes.join()).toMatch(/graph of a step has more than 50 nodes, the limit trainingNodes; raise it: --limit/);
  });

  test.each([
    [
      "a long name of a node",
      { ...node("Relu", ["x"], ["y"]), name: "n".repeat(5000) },
      /a node has a name of 5000 char/,
    ],
    [
      "a long name of a value",
      node("Relu", ["x".repeat(5000)], ["y"]),
      /a node has a name of 5000 characters that begins/,
    ],
    [
      "many operands",
      node("Sum", new Array(20_000).fill("x"), ["y"]),
      /Sum has 20000 operands or outputs; 16384 is the/,
    ],
  ])("%s", (_, own, message) => {
    const file = fileOfGraph({ input: [typed("x", "float32", 2)], node: [own], output: [typed("y", "float32", 2)] });
    expect(() => read(file)).toThrow(message);
  });

  test("inputs of many axes", () => {
    const file = fileOfGraph({
      input: [typed("x", "float32", ...new Array<number>(100_000).fill(1))],
      node: [node("Relu", ["x"], ["y"])],
      output: [typed("y", "float32")],
    });
    expect(() => read(file)).toThrow('"x" has 100000 axes; 64 is the limit rank');
  });

  test("an LSTM of 10^9 steps costs what it would, without its gradient", () => {
    const { cost, notes } = inspectionOf(
      read(
        fileOfGraph({
          input: [typed("x", "float32", 1e9, 2, 3)],
          node: [node("LSTM", ["x", "w", "r"], ["y"], { hidden_size: 4 })],
          output: [typed("y", "float32")],
          initializer: [zeros("w", 1, 16, 3), zeros("r", 1, 16, 4)],
        }),
      ),
    );
    // Steps, samples, gates of four units, inputs and state.
    expect(cost.macs).toBe(1e9 * 2 * 16 * (3 + 4));
    expect(notes[0]).toBe("No gradient passes LSTM: what lies before it gets none.");
  });
});

describe("of an If one branch runs", () => {
  /** A dense layer from x to an output, in a branch of its own. */
  const dense = (weight: string, output: string) => ({
    graph: {
      node: [node("MatMul", ["x", weight], [output])],
      output: [typed(output, "float32", 2, 6)],
    },
  });
  const choice = (then_branch: { graph: object }, else_branch: { graph: object }) => ({
    input: [typed("x", "float32", 2, 6), typed("past", "float32", 2, 9, 6), typed("use_cache", "bool", 1)],
    node: [node("If", ["use_cache"], ["y"], { then_branch, else_branch } as Parameters<typeof node>[3])],
    output: [typed("y", "float32")],
    initializer: [zeros("a", 6, 6), zeros("b", 6, 6)],
  });
  const inspected = (graph: Parameters<typeof fileOfGraph>[0]) =>
    inspectionOf(onnxNetwork("test", importModel(memorySource(fileOfGraph(graph)), { choices: "costlier" })));

  test("two layers alike: one costs, both have parameters", () => {
    const { cost, parameters, layers, notes } = inspected(choice(dense("a", "p"), dense("b", "q")));
    expect([cost.macs, parameters.total]).toEqual([2 * 6 * 6, 72]);
    expect(layers.map(({ parameters: own, macs }) => [own, macs])).toEqual([
      [36, 72],
      [36, 0],
    ]);
    expect(notes[0]).toBe(
      'If "y" runs one of its branches: the then_branch is counted (72 multiply-adds), the else_branch (72) is not. The parameters of both are.',
    );
  });

  test("a branch that cannot take inputs of these shapes is not counted", () => {
    const other = {
      graph: {
        node: [node("MatMul", ["past", "narrow"], ["q"])],
        initializer: [zeros("narrow", 5, 6)],
        output: [{ name: "q" }],
      },
    };
    const { cost, parameters, notes } = inspected(choice(dense("a", "p"), other));
    expect([cost.macs, parameters.total]).toEqual([72, 36]);
    expect(notes).toEqual([
      'If "y" runs one of its branches: the then_branch is counted (72 multiply-adds), the else_branch does not take inputs of these shapes, and is not.',
    ]);
  });

  test("a decoder that is merged with the one that reads a cache: the branch that costs more, of outputs of another shape", () => {
    const cached = {
      graph: {
        node: [
          node("Unsqueeze", ["x", "axis"], ["x3"]),
          node("Concat", ["past", "x3"], ["all"], { axis: 1 }),
          node("MatMul", ["all", "a"], ["q"]),
        ],
        initializer: [stored("axis", tensor([1], { dtype: "int64" }))],
        output: [typed("q", "float32", "batch", "time", 6)],
      },
    };
    const { cost, parameters, layers } = inspected(choice(dense("a", "p"), cached));
    // Ten rows of each of two samples.
    expect([cost.macs, parameters.total]).toEqual([2 * 10 * 6 * 6, 36]);
    expect(layers.at(-1)?.outputShape).toEqual([2, 10, 6]);
  });
});

test("parameters that are 0 are counted, where their elements are at hand", () => {
  const inputs = { dtype: "float32", shape: [1, 5] } as const;
  const model = sequential([dense(4), dense(2)]);
  model.initialize(keyOf(0), inputs);
  for (const [path, parameter] of model.parameters())
    if (path === "layers.0.weight" && parameter.value) (parameter.value.data as Float32Array).fill(0, 0, 15);
  const { bytes } = encodeOnnx(model, { inputs, dynamicBatch: false });
  const file = onnxNetwork("sparse", importModel(memorySource(bytes)));
  // Biases begin at 0: 6 of them.
  for (const network of [file, moduleNetwork({ name: "sparse", source: "", model, inputs })])
    expect(inspectionOf(network).parameters).toMatchObject({ total: 34, effective: 34 - 15 - 6 });
  // A preset has no values.
  expect(inspectionOf(presetNetwork("lenet5")).parameters.effective).toBeNull();
});
