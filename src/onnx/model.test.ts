/** The bytes of a model load in ONNX Runtime, and say what the graph says. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { Tensor, tensor } from "../core/tensor.ts";
import { graphOf, input, type Value } from "../graph/ir.ts";
import { makeNode } from "../graph/op.ts";
import * as ops from "../ops/index.ts";
import { ConvWeightGradient } from "../ops/windows/convolution.ts";
import { backend } from "../runtime/node.ts";
import { encodeModel, type ModelOptions, opsetVersion } from "./model.ts";
import { type Field, type MessageSchema, ModelProto } from "./schema.ts";

type Decoded = { [field: string]: unknown };

/** A small reader of the wire format, independent of our writer. */
function decode(schema: MessageSchema, bytes: Uint8Array): Decoded {
  const reader = new BinaryReader(bytes);
  const fields = new Map(Object.entries(schema).map(([name, field]) => [field.number, [name, field] as const]));
  const message: Decoded = {};
  const scalar = (from: BinaryReader, { kind }: Field): unknown =>
    kind === "float"
      ? from.float()
      : kind === "string"
        ? from.string()
        : kind === "bytes"
          ? from.bytes()
          : Number(from.int64());
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const [name, field] = fields.get(number) ?? expect.fail(`field ${number} is not in the schema`);
    const packed =
      field.repeated && wire === WireType.LengthDelimited && !["message", "string", "bytes"].includes(field.kind);
    const values: unknown[] = [];
    if (packed) {
      const part = new BinaryReader(reader.bytes());
      while (part.pos < part.len) values.push(scalar(part, field));
    } else values.push(field.message ? decode(field.message(), reader.bytes()) : scalar(reader, field));
    message[name] = field.repeated ? [...((message[name] as unknown[]) ?? []), ...values] : values[0];
  }
  return message;
}

interface DecodedNode extends Decoded {
  readonly op_type: string;
  readonly name: string;
  readonly input?: readonly string[];
  readonly output: readonly string[];
  readonly domain?: string;
  readonly attribute?: readonly Decoded[];
}
interface DecodedGraph extends Decoded {
  readonly node: readonly DecodedNode[];
  readonly initializer?: readonly Decoded[];
  readonly input: readonly Decoded[];
  readonly output: readonly Decoded[];
}
const read = (inputs: readonly Value[], outputs: readonly Value[], options?: ModelOptions) => {
  const model = decode(ModelProto, encodeModel(graphOf(inputs, outputs), options));
  return { model, graph: model["graph"] as DecodedGraph };
};
const run = async (inputs: readonly Value[], outputs: readonly Value[], feeds: readonly Tensor[]) => {
  const session = await backend.compile(encodeModel(graphOf(inputs, outputs)), { threads: 1 });
  return (await session.run(feeds)).map((result) => result.toArray());
};

const x = input("float32", [2, 3], "x");

test("header: IR version, operator sets, producer, metadata", () => {
  const { model } = read([x], [ops.relu(x)], { metadata: { recipe: "lenet", epoch: "3" } });
  expect(model["ir_version"]).toBe(10);
  expect(model["producer_name"]).toBe("sardonyx");
  expect(model["opset_import"]).toEqual([
    { domain: "", version: opsetVersion },
    { domain: "com.microsoft", version: 1 },
  ]);
  expect(model["metadata_props"]).toEqual([
    { key: "recipe", value: "lenet" },
    { key: "epoch", value: "3" },
  ]);
});

test("names of inputs, outputs and nodes", () => {
  const hidden = ops.relu(x);
  if (hidden.producer) hidden.producer.scope = { path: "layers.0" };
  const { graph } = read([x, input("int64", [1])], [ops.neg(hidden), hidden], { outputNames: ["negative", "hidden"] });
  expect(graph.input.map(({ name }) => name)).toEqual(["x", "input_1"]);
  expect(graph.output.map(({ name }) => name)).toEqual(["negative", "hidden"]);
  expect(graph.node.map(({ name, input, output }) => [name, input, output])).toEqual([
    ["layers.0/Relu_0", ["x"], ["hidden"]],
    ["graph/Neg_1", ["hidden"], ["negative"]],
  ]);
  expect(read([x], [hidden], { inputNames: ["pixels"] }).graph.input[0]?.["name"]).toBe("pixels");
});

test("generated names stay clear of given ones", async () => {
  const inputs = ["v2", "v3", "output_0"].map((name) => input("float32", [1], name));
  const [a, b, c] = inputs as [Value, Value, Value];
  const outputs = [ops.add(ops.mul(ops.exp(a), 2), ops.mul(b, c)), c];
  const feeds = [0, 2, 3].map((element) => tensor([element]));
  expect(await run(inputs, outputs, feeds)).toEqual([[8], [3]]);
});

test("every kind of attribute", () => {
  const image = input("float32", [1, 1, 4, 4]);
  const w = input("float32", [1, 1, 2, 2]);
  const { graph } = read(
    [image, w],
    [
      ops.conv(image, w, { strides: [2, 1] }),
      ops.leakyRelu(image, 0.25),
      ops.gelu(image, "tanh"),
      ops.softmax(image, -2),
    ],
  );
  const attributes = Object.fromEntries(graph.node.map((node) => [node.op_type, node.attribute]));
  // Type numbers of onnx.proto: FLOAT 1, INT 2, STRING 3, INTS 7.
  expect(attributes["Conv"]).toEqual([
    { name: "kernel_shape", type: 7, ints: [2, 2] },
    { name: "strides", type: 7, ints: [2, 1] },
    { name: "dilations", type: 7, ints: [1, 1] },
    { name: "pads", type: 7, ints: [0, 0, 0, 0] },
    { name: "group", type: 2, i: 1 },
  ]);
  expect(attributes["LeakyRelu"]).toEqual([{ name: "alpha", type: 1, f: 0.25 }]);
  expect(attributes["Gelu"]).toEqual([{ name: "approximate", type: 3, s: new TextEncoder().encode("tanh") }]);
  // -2 is written as the 64-bit two's complement, as protobuf has negative int64.
  expect(attributes["Softmax"]).toEqual([{ name: "axis", type: 2, i: -2 }]);
});

test("a contributed operator carries its domain; one of our own, or of a newer set, must be lowered first", () => {
  const { graph } = read([x], [ops.matmul(x, x, { transB: true })]);
  expect(graph.node[0]).toMatchObject({ op_type: "FusedMatMul", domain: "com.microsoft" });
  const operands = [input("float32", [1, 1, 3]), input("float32", [1, 1, 2])];
  const own = makeNode(ConvWeightGradient, operands, { kernel_shape: [2] });
  expect(() => encodeModel(graphOf(operands, own.outputs))).toThrow(/^internal: /);
  expect(() => encodeModel(graphOf([], own.outputs))).toThrow("which is not among its inputs");
  // RMSNormalization is of operator set 23.
  const newer = ops.rmsNorm(input("float32", [2, 3]), input("float32", [3]));
  expect(() => encodeModel(graphOf(newer.producer?.inputs as Value[], [newer]))).toThrow(
    "internal: RMSNormalization reached the ONNX writer without lowering",
  );
});

test("constants become initializers with their raw bytes, of every dtype", async () => {
  const constants = [
    tensor([1.5, -2]),
    tensor([1.5, -2], { dtype: "float64" }),
    tensor([2n ** 40n, -1n]),
    tensor([3, -4], { dtype: "int32" }),
    tensor([true, false]),
    tensor([255, 0], { dtype: "uint8" }),
    new Tensor("uint32", [2], Uint32Array.of(2 ** 32 - 1, 0)),
  ];
  const { graph } = read([], constants.map(ops.constant));
  // Type numbers of TensorProto.DataType.
  expect(graph.initializer?.map((item) => item["data_type"])).toEqual([1, 11, 7, 6, 9, 2, 12]);
  expect(graph.initializer?.map((item) => item["dims"])).toEqual(new Array(7).fill([2]));
  expect(await run([], constants.map(ops.constant), [])).toEqual(constants.map((item) => item.toArray()));
});

test("inputs that become initializers keep their names, and constants are nodes beside them", async () => {
  const [w, scale] = [input("float32", [1, 3], "layers.0.weight"), input("float32", [], "y")];
  const y = ops.mul(ops.linear(x, w), ops.add(scale, 1));
  const initializers = new Map<Value, Tensor>([
    [w, tensor([[1, 2, 3]])],
    [scale, tensor(9)],
  ]);
  const { graph } = read([x, w, scale], [y], { initializers, outputNames: ["y"] });
  expect(graph.input.map(({ name }) => name)).toEqual(["x"]);
  // The name of an output is taken before.
  expect(graph.initializer?.map((item) => [item["name"], item["dims"]])).toEqual([
    ["layers.0.weight", [1, 3]],
    ["y_1", undefined],
  ]);
  expect(graph.node.map((node) => node.op_type)).toEqual(["Gemm", "Constant", "Add", "Mul"]);
  const session = await backend.compile(encodeModel(graphOf([x, w, scale], [y]), { initializers }), { threads: 1 });
  expect(
    (
      await session.run([
        tensor([
          [1, 0, 0],
          [0, 0, 1],
        ]),
      ])
    )[0]?.toArray(),
  ).toEqual([[10], [30]]);
});

test("an initializer of another type than its input is refused", () => {
  const w = input("float32", [3], "w");
  const encode = (held: Tensor) => encodeModel(graphOf([w], [ops.neg(w)]), { initializers: new Map([[w, held]]) });
  expect(() => encode(tensor([1, 2]))).toThrow(
    'the initializer "w" is float32[2] and its input float32[3]; pass a tensor of the input\'s type',
  );
  expect(() => encode(tensor([1n, 2n, 3n]))).toThrow("is int64[3] and its input float32[3]");
});

test("a constant that is a view into a larger buffer writes its own part", async () => {
  const buffer = Float32Array.of(9, 1, 2, 9);
  expect(await run([], [ops.constant(tensor(buffer.subarray(1, 3)))], [])).toEqual([[1, 2]]);
});

test("a left-out operand is an empty name, an unread optional output is left out, a required one is named", () => {
  const { graph } = read([x], [ops.clip(x, undefined, 1)]);
  expect(graph.node[0]?.input).toEqual(["x", "", "v1"]);
  const image = input("float32", [1, 1, 2, 2]);
  expect(read([image], [ops.maxPool(image, [2, 2])]).graph.node[0]?.output).toHaveLength(1);
  for (const part of ops.split(x, [1, 2], 1)) expect(read([x], [part]).graph.node[0]?.output).toHaveLength(2);
});

test.each<[string, readonly Value[], unknown]>([
  [
    "an input",
    [x],
    [
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
  ],
  ["a constant", [ops.constant(tensor([7, 8]))], [[7, 8]]],
  ["the same value twice", new Array<Value>(2).fill(ops.neg(ops.reduceSum(x))), [-21, -21]],
  [
    "an input twice",
    [x, x],
    new Array(2).fill([
      [1, 2, 3],
      [4, 5, 6],
    ]),
  ],
])("an output that is %s", async (_, outputs, expected) => {
  expect(
    await run([x], outputs, [
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    ]),
  ).toEqual(expected);
});

test("an input that nothing reads is still taken", async () => {
  expect(
    await run(
      [x, input("float32", [])],
      [ops.reduceSum(x)],
      [
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ]),
        tensor(0),
      ],
    ),
  ).toEqual([21]);
});

test("the second output alone", async () => {
  const [, positions] = Object.values(ops.topK(x, 1));
  expect(
    await run(
      [x],
      [positions as Value],
      [
        tensor([
          [1, 3, 2],
          [6, 5, 4],
        ]),
      ],
    ),
  ).toEqual([[[1], [0]]]);
});

test("symbolic extents: one model for every batch size", async () => {
  const w = ops.constant(tensor([[1, 1, 1]]));
  const bytes = encodeModel(graphOf([x], [ops.linear(x, w)]), {
    symbols: (_, axis) => (axis === 0 ? "batch" : undefined),
  });
  const session = await ort.InferenceSession.create(bytes);
  expect(session.inputMetadata[0]).toMatchObject({ name: "x", type: "float32", shape: ["batch", 3] });
  expect(session.outputMetadata[0]).toMatchObject({ shape: ["batch", 1] });
  const five = await session.run({ x: new ort.Tensor("float32", new Float32Array(15).fill(2), [5, 3]) });
  expect(Array.from(five["output_0"]?.data as Float32Array)).toEqual([6, 6, 6, 6, 6]);
});
