/** Reading ONNX models: what we wrote ourselves, what PyTorch's exporter wrote, hand-made oddities, and hostile files. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memorySource } from "../core/byte-source.ts";
import { FileError, SardonyxError, ShapeError } from "../core/errors.ts";
import { size } from "../core/shape.ts";
import { tensor } from "../core/tensor.ts";
import { constantOf, graphOf, input } from "../graph/ir.ts";
import { printGraph } from "../graph/print.ts";
import { verify } from "../graph/verify.ts";
import { declaredShape } from "../import/declared.ts";
import { dense, sequential } from "../nn/index.ts";
import * as ops from "../ops/index.ts";
import { checkDamage, flipBit } from "../storage/testing/damage.ts";
import { encodeMessage, type Message } from "./codec.ts";
import { type ImportOptions, importFile, importModel, refuseExternal } from "./import.ts";
import { encodeModel } from "./model.ts";
import { readModelFile } from "./model-file.ts";
import { ModelProto } from "./schema.ts";
import { float, model, node, weight } from "./testing/files.ts";

const read = (bytes: Uint8Array, options?: ImportOptions) => importModel(memorySource(bytes), options);

const fixture = (name: string) => readFileSync(new URL(`../../test/fixtures/onnx/${name}`, import.meta.url));

test("what we wrote comes back as it was", () => {
  const x = input("float32", [2, 3], "x");
  const w = ops.constant(tensor([[1, 2, 3]]));
  const graph = graphOf([x], [ops.relu(ops.add(ops.linear(x, w), 1)), ops.softmax(x, -2)]);
  const { graph: back } = read(encodeModel(graph));
  // The weight has become an input, whose elements stay in the file.
  expect(printGraph(back)).toBe(
    [
      "(%0: float32[2, 3], %1: float32[1, 3]) -> %5, %6",
      "  %2 = Gemm(%0, %1, transB=1) : float32[2, 1]",
      "  %3 = Constant(value=float32[] 1)",
      "  %4 = Add(%2, %3) : float32[2, 1]",
      "  %5 = Relu(%4) : float32[2, 1]",
      "  %6 = Softmax(%0, axis=-2) : float32[2, 3]",
    ].join("\n"),
  );
  verify(back);
});

test("a layer's nodes carry its path, and the weights their elements", () => {
  const model = sequential([dense(3), dense(2)]);
  const traced = model.trace({ dtype: "float32", shape: [1, 4] }, { bind: ({ shape }) => ops.full(shape, 0.5) });
  const { graph, weights } = read(encodeModel(graphOf(traced.inputs, [traced.output])));
  expect(graph.nodes.map(({ op, scope }) => [op.type, scope?.path])).toEqual([
    ["Gemm", "layers.0"],
    ["Gemm", "layers.1"],
  ]);
  expect([...weights.values()].map(({ shape }) => shape)).toEqual([[3, 4], [3], [2, 3], [2]]);
  expect([...weights.values()][3]?.read().toNumbers()).toEqual([0.5, 0.5]);
});

describe("PyTorch's exporter", () => {
  test("every layer is found by its module path", () => {
    const { graph, weights, producer, unknown } = read(fixture("resnet50-narrow.onnx"), {
      shapeOf: ({ extents }) => extents?.map((extent) => (typeof extent === "number" ? extent : 2)) ?? [],
    });
    expect(producer).toBe("pytorch 1.13.0");
    expect(unknown.size).toBe(0);
    expect(graph.outputs.map(String)).toEqual(["float32[2, 10]"]);
    const { models } = JSON.parse(fixture("expected.json").toString());
    const { parameters, buffers } = models["resnet50-narrow"];
    expect([...weights.values()].reduce((sum, { shape }) => sum + size(shape), 0)).toBe(parameters + buffers);
    const paths = new Set(graph.nodes.map(({ scope }) => scope?.path));
    for (const path of ["conv1", "layer1.0.conv1", "layer2.0.downsample.0", "layer4.2.bn3", "fc"])
      expect(paths).toContain(path);
  });

  test("an open extent is reported, unless a shape is given", () => {
    expect(() => read(fixture("mobile.onnx"))).toThrow(
      'the shape of input "input" is [batch, 3, height, width]; pass the shape to use',
    );
    expect(() => read(fixture("mobile.onnx"), { shapeOf: () => [1, 4, 16, 16] })).toThrow(
      'input "input" has 3 along axis 1, got [1, 4, 16, 16]; pass 3',
    );
    expect(() => read(fixture("mobile.onnx"), { shapeOf: () => [1, 3] })).toThrow("has 4 axes, got [1, 3]");
  });
});

test("an operator that is not known is named, and what it declares is believed", () => {
  const bytes = model({
    node: [
      node("Whatever", ["x", "w"], ["a"], { domain: "com.example" }),
      node("Relu", ["a"], ["b"]),
      node("Mystery", ["b"], ["c"]),
      node("Conv", ["c", "k"], ["y"]),
    ],
    initializer: [weight("w", [5, 4]), weight("k", [2, 3, 1, 1])],
    value_info: [float("a", 2, 5)],
  });
  const { graph, unknown, unshaped, weights } = read(bytes);
  expect(graph.nodes.map(({ op, outputs: [y] }) => [op.type, op.domain, unshaped.has(y) ? "?" : String(y)])).toEqual([
    ["Whatever", "com.example", "float32[2, 5]"],
    ["Relu", "", "float32[2, 5]"],
    ["Mystery", "", "?"],
    ["Conv", "", "?"],
  ]);
  expect([...unknown.values()]).toEqual([
    { kind: "operator", why: "com.example.Whatever is not supported" },
    { kind: "operator", why: "Mystery is not supported" },
    { kind: "shape", why: 'the shape of its operand "c" is not known' },
  ]);
  const [whatever, , , conv] = graph.nodes;
  expect(whatever?.op.differentiable).toBe(false);
  expect(conv?.op.contracts).toBe(true);
  expect(weights.size).toBe(2);
});

test("an attribute of another version is no reason to compute something else", () => {
  const bytes = model({
    node: [node("Relu", ["x"], ["y"], { attribute: [{ name: "consumed_inputs", type: 7, ints: [0] }] })],
  });
  expect([...read(bytes).unknown.values()][0]?.why).toBe("its attribute consumed_inputs is not supported");
});

test("a whole number that the engine would cut to 32 bits is refused, with the node and the attribute", () => {
  const gemm = (transB: number) =>
    model({
      node: [node("Gemm", ["x", "w"], ["y"], { attribute: [{ name: "transB", type: 2, i: transB }] })],
      initializer: [weight("w", [5, 4])],
    });
  expect(() => read(gemm(-(2 ** 53)))).toThrow(
    /Gemm "y".*its attribute transB is -9007199254740992, expected a whole number from -2147483647 to 2147483647/,
  );
});

test("nodes in any order, and a cycle", () => {
  const nodes = [node("Neg", ["a"], ["y"]), node("Exp", ["x"], ["a"])];
  expect(read(model({ node: nodes })).graph.nodes.map(({ op }) => op.type)).toEqual(["Exp", "Neg"]);
  expect(() => read(model({ node: [node("Add", ["x", "y"], ["a"]), node("Neg", ["a"], ["y"])] }))).toThrow(
    /the graph is cyclic: (Neg "y"|Add "a") needs its own output "[ay]"; a model must be without cycles/,
  );
});

test("shapes that a file computes are constants", () => {
  const bytes = model({
    node: [
      node("Add", ["two", "two"], ["four"], {}),
      node("Reshape", ["x", "shape"], ["a"]),
      node("Mul", ["a", "scale"], ["y"]),
    ],
    initializer: [
      { name: "two", dims: [1], data_type: 7, int64_data: [2] },
      { name: "shape", dims: [2], data_type: 7, int64_data: [8, -1] },
      { name: "scale", dims: [], data_type: 1, float_data: [0.5] },
    ],
  });
  const { graph, weights } = read(bytes);
  expect(weights.size).toBe(0);
  expect(graph.outputs.map(String)).toEqual(["float32[8, 1]"]);
});

describe("control", () => {
  const branch = (name: string, type: string): Message => ({
    name,
    type: 5,
    g: { node: [node(type, ["x"], [`${name}_y`])], output: [{ name: `${name}_y` }] },
  });
  const choice = (condition: Message) =>
    model({
      node: [node("If", ["c"], ["y"], { attribute: [branch("then_branch", "Exp"), branch("else_branch", "Neg")] })],
      ...condition,
    });

  test("both branches of an If, and a choice between them", () => {
    const { graph } = read(
      choice({ input: [float("x", 2, 4), { name: "c", type: { tensor_type: { elem_type: 9, shape: { dim: [] } } } }] }),
    );
    expect(graph.nodes.map(({ op }) => op.type)).toEqual(["Exp", "Neg", "Where"]);
  });

  test("of a constant condition, one", () => {
    const condition = { name: "c", dims: [], data_type: 9, int32_data: [0] };
    expect(read(choice({ initializer: [condition] })).graph.nodes.map(({ op }) => op.type)).toEqual(["Neg"]);
  });

  test("what a loop's body holds is counted", () => {
    const body = { node: [node("MatMul", ["h", "w"], ["h2"])], input: [float("h", 2, 4)], output: [{ name: "h2" }] };
    const { graph, weights } = read(
      model({
        node: [node("Loop", ["", "", "x"], ["y"], { attribute: [{ name: "body", type: 5, g: body }] })],
        initializer: [weight("w", [4, 4])],
      }),
    );
    expect(graph.nodes.map(({ op }) => op.type)).toEqual(["Loop"]);
    expect([...weights.values()].map(({ name }) => name)).toEqual(["w"]);
  });

  const scaled = {
    name: "Scaled",
    domain: "mine",
    input: ["a"],
    output: ["b"],
    node: [node("LeakyRelu", ["a"], ["b"], { attribute: [{ name: "alpha", type: 1, ref_attr_name: "slope" }] })],
  };
  const opset_import = [
    { domain: "", version: 17 },
    { domain: "mine", version: 1 },
  ];

  test("a function of the model is its body", () => {
    const call = node("Scaled", ["x"], ["y"], { domain: "mine", attribute: [{ name: "slope", type: 1, f: 0.25 }] });
    const { graph } = read(model({ node: [call] }, { functions: [scaled], opset_import }));
    expect(graph.nodes.map(({ op, attributes }) => [op.type, attributes])).toEqual([["LeakyRelu", { alpha: 0.25 }]]);
  });

  test("a function that calls itself is refused", () => {
    const itself = { ...scaled, node: [node("Scaled", ["a"], ["b"], { domain: "mine" })] };
    const call = node("Scaled", ["x"], ["y"], { domain: "mine" });
    expect(() => read(model({ node: [call] }, { functions: [itself], opset_import }))).toThrow(
      "functions or branches nest deeper than 32; a function may not call itself",
    );
  });
});

describe("which tensors are weights", () => {
  test("settings, scalars and, beside initializers, constant nodes are not", () => {
    const constant = node("Constant", [], ["k"], { attribute: [{ name: "value", type: 4, t: weight("", [4]) }] });
    const bytes = model({
      node: [
        constant,
        node("Gemm", ["x", "w", "b"], ["a"]),
        node("Mul", ["a", "s"], ["m"]),
        node("Add", ["m", "k"], ["y"]),
      ],
      initializer: [weight("w", [4, 4]), weight("b", [4]), weight("s", [])],
    });
    expect([...read(bytes).weights.values()].map(({ name }) => name)).toEqual(["w", "b"]);
  });

  test("in a file without initializers the constant nodes are", () => {
    const constant = node("Constant", [], ["w_0"], { attribute: [{ name: "value", type: 4, t: weight("", [4, 4]) }] });
    const { weights, graph } = read(model({ node: [constant, node("MatMul", ["x", "w_0"], ["y"])] }));
    expect([...weights.values()].map(({ name }) => name)).toEqual(["w_0"]);
    expect(graph.inputs).toHaveLength(2);
  });
});

test("weights, their values and what stands for others may be given by whoever reads", () => {
  const file = readModelFile(
    memorySource(
      model({
        node: [node("Gemm", ["x", "w", "b"], ["a"]), node("Mul", ["a", "s"], ["y"])],
        initializer: [weight("w", [4, 4]), weight("b", [4]), weight("s", [4])],
      }),
    ),
    refuseExternal,
  );
  const bound: string[] = [];
  const { graph, weights } = importFile(file, {
    isWeight: ({ name }) => name !== "s",
    bind: ({ name, shape }) => {
      bound.push(name);
      return ops.neg(input("float32", shape, `my ${name}`));
    },
    read: ({ shape }) => tensor([1, 2, 3, 4], { shape }),
  });
  expect(bound).toEqual(["w", "b"]);
  expect([...weights.values()].map(({ name }) => name)).toEqual(["w", "b"]);
  expect(graph.nodes.map(({ op }) => op.type)).toEqual(["Neg", "Neg", "Gemm", "Constant", "Mul"]);
  expect(constantOf(graph.nodes.at(-1)?.inputs[1])?.toArray()).toEqual([1, 2, 3, 4]);
});

describe("tensors beside the model", () => {
  const outside = (location: string, offset = 0): Message => ({
    name: "w",
    dims: [4, 4],
    data_type: 1,
    data_location: 1,
    external_data: [
      { key: "location", value: location },
      { key: "offset", value: String(offset) },
      { key: "length", value: "64" },
    ],
  });
  const bytes = (tensorProto: Message) =>
    model({ node: [node("MatMul", ["x", "w"], ["y"])], initializer: [tensorProto] });

  test("are read on demand", () => {
    const data = new Uint8Array(new Float32Array(20).fill(3).buffer);
    const { weights } = read(bytes(outside("w.bin", 16)), { external: () => memorySource(data) });
    expect([...weights.values()][0]?.read().toNumbers()).toEqual(new Array(16).fill(3));
  });

  test("past the end, or without the file, are reported", () => {
    const short = { external: () => memorySource(new Uint8Array(64)) };
    expect(() => read(bytes(outside("w.bin", 16)), short)).toThrow(
      'tensor "w" in w.bin lies at bytes 16 to 80, the file has 64',
    );
    expect(() => read(bytes(outside("w.bin")))).toThrow('a tensor lies in "w.bin" beside the model');
  });
});

describe("damage", () => {
  const whole = fixture("mobile.onnx");
  const shapes = { shapeOf: () => [1, 3, 16, 24] };

  test("cut off or with a bit turned over", async () => {
    await checkDamage(new Uint8Array(whole), (bytes) => read(bytes, shapes));
  });

  test("many bits turned over", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length * 8 - 1), { minLength: 1, maxLength: 20 }), (bits) => {
        try {
          read(bits.reduce(flipBit, new Uint8Array(whole)), shapes);
        } catch (error) {
          if (!(error instanceof SardonyxError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each<[string, Uint8Array, string]>([
    ["an empty file", new Uint8Array(0), "onnx: the file has no graph"],
    ["text", new TextEncoder().encode("just some words"), "onnx: "],
    [
      "a length past the end",
      Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f),
      "a part says it has 4294967295 bytes, 0 are left at byte 1",
    ],
    ["an endless number", new Uint8Array(12).fill(0xff), "a number has more than ten bytes"],
    ["no operator set", encodeMessage(ModelProto, { ir_version: 8, graph: {} }), "names no operator set"],
    [
      "a name computed twice",
      model({ node: [node("Exp", ["x"], ["y"]), node("Neg", ["x"], ["y"])] }),
      '"y" is computed twice',
    ],
    [
      "a name computed nowhere",
      model({ node: [node("Add", ["x", "z"], ["y"])] }),
      'Add "y" reads "z", which is no input and computed nowhere',
    ],
    ["an output computed nowhere", model({ node: [node("Exp", ["x"], ["a"])] }), 'output "y" reads "y"'],
    ["more outputs than there are", model({ node: [node("Exp", ["x"], ["y", "z"])] }), 'Exp "y" has no output 1'],
    [
      "a tensor larger than its bytes",
      model({
        node: [node("MatMul", ["x", "w"], ["y"])],
        initializer: [{ ...weight("w", [4, 4]), dims: [4, 2 ** 40] }],
      }),
      'tensor "w" of shape [4, 1099511627776] and type float32 needs 17592186044416 bytes, the file has 64',
    ],
    [
      "a list shorter than its tensor",
      model({
        node: [node("MatMul", ["x", "w"], ["y"])],
        initializer: [{ name: "w", dims: [4, 2 ** 30], data_type: 1, float_data: [1] }],
      }),
      'tensor "w" of shape [4, 1073741824] needs 4294967296 elements, the file has at most 1',
    ],
    [
      "a negative extent",
      model({ node: [node("MatMul", ["x", "w"], ["y"])], initializer: [{ ...weight("w", [1]), dims: [-1] }] }),
      'tensor "w" has shape [-1]; extents must be whole numbers from 0',
    ],
    [
      "text as a tensor",
      model({ node: [node("MatMul", ["x", "w"], ["y"])], initializer: [{ name: "w", dims: [1], data_type: 8 }] }),
      'tensor "w" has element type 8, which is no number',
    ],
  ])("%s", (_, bytes, message) => {
    expect(() => read(bytes)).toThrow(FileError);
    expect(() => read(bytes)).toThrow(message);
  });

  test("messages within messages without end", () => {
    // A graph in an attribute of a node of a graph …, 40 deep.
    let graph: Message = { node: [node("Exp", ["x"], ["y"])], output: [{ name: "y" }] };
    for (let i = 0; i < 40; i++)
      graph = {
        node: [node("Loop", [], ["y"], { attribute: [{ name: "body", type: 5, g: graph }] })],
        output: [{ name: "y" }],
      };
    expect(() => read(model({ ...graph, input: [] }))).toThrow("messages nest deeper than 64");
  });

  test("shapes that do not fit name the node", () => {
    const bytes = model({
      node: [node("MatMul", ["x", "w"], ["y"], { name: "fc" })],
      initializer: [weight("w", [5, 4])],
    });
    expect(() => read(bytes)).toThrow(ShapeError);
    expect(() => read(bytes)).toThrow('MatMul "fc": matmul: inner extents differ, 4 in [2, 4] and 5 in [5, 4]');
  });
});

test("the declared shape is the default", () => {
  expect(declaredShape({ name: "x", type: undefined, extents: [1, 2] })).toEqual([1, 2]);
  expect(() => declaredShape({ name: "x", type: undefined, extents: undefined })).toThrow("unknown, even its rank");
});
