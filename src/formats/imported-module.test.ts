/** Graphs of files as modules: run, traced at other batch sizes, frozen, trained, and refused where they cannot be. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DTypeError, OptionError, SardonyxError, ShapeError, UnsupportedError } from "../core/errors.ts";
import { float16Bits } from "../core/half.ts";
import { keyOf } from "../core/random.ts";
import { type Shape, size } from "../core/shape.ts";
import { sameTensor, Tensor, tensor } from "../core/tensor.ts";
import { fromTensors } from "../data/pipeline/dataset.ts";
import { graphOf, input, Value } from "../graph/ir.ts";
import { makeNode } from "../graph/op.ts";
import { signed } from "../models/testing/fill.ts";
import { dense, meanSquaredError, sequential } from "../nn/index.ts";
import { expectClose } from "../nn/testing/check-layer.ts";
import { encodeMessage, type Message } from "../onnx/codec.ts";
import { encodeModel } from "../onnx/model.ts";
import { ModelProto } from "../onnx/schema.ts";
import * as ops from "../ops/index.ts";
import { flipBit } from "../storage/testing/damage.ts";
import { fit } from "../train/fit.ts";
import { sgd } from "../train/optimizers/index.ts";
import { predict } from "../train/predict.ts";
import { encodeOnnx } from "./files/export-onnx.ts";
import { modelFromOnnx } from "./onnx-model.ts";
import { classifier, fileOf, runImported, weight } from "./testing/onnx-files.ts";

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../test/fixtures/onnx/${name}`, import.meta.url)));

/** Written by scripts/make-onnx-fixtures.py: PyTorch's outputs for inputs of evenly spaced numbers. */
const recorded = JSON.parse(new TextDecoder().decode(fixture("expected.json"))).models as Readonly<
  Record<string, { readonly input: Shape; readonly outputShape: Shape; readonly output: readonly number[] }>
>;
const limits: Readonly<Record<string, number>> = { encoder: 50, lstm: 20, "gru-bidirectional": 20 };

describe("what PyTorch exported gives what PyTorch gave", () => {
  test.each(Object.entries(recorded))("%s", async (name, { input: shape, outputShape, output }) => {
    const model = modelFromOnnx(fixture(`${name}.onnx`));
    const count = size(shape);
    const limit = limits[name];
    const x = limit
      ? new Tensor(
          "int64",
          shape,
          BigInt64Array.from({ length: count }, (_, i) => BigInt(i % limit)),
        )
      : new Tensor(
          "float32",
          shape,
          Float32Array.from({ length: count }, (_, i) => -1 + (2 * i) / (count - 1)),
        );
    const y = await runImported(model, x);
    expect(y.shape).toEqual(outputShape);
    const first = tensor(y.toNumbers().slice(0, output.length));
    expectClose(first, tensor(output as number[]), "the first outputs");
    // One sample alone gives what it gave among others.
    const [, ...sample] = shape;
    const one = await runImported(model, new Tensor(x.dtype, [1, ...sample], x.data.slice(0, size(sample)) as never));
    expectClose(one, new Tensor("float32", one.shape, y.data.slice(0, one.data.length) as Float32Array), "one sample");
  });
});

describe("parameters", () => {
  const model = modelFromOnnx(fixture("resnet50-narrow.onnx"));

  test("have the file's names and elements before the first trace", () => {
    const parameters = model.parameters();
    expect(parameters.get("layer1.0.conv1.weight")?.shape).toEqual([4, 4, 1, 1]);
    expect([...parameters.values()].every(({ value }) => value?.dtype === "float32")).toBe(true);
    expect(parameters.get("layer1.0.bn1.running_mean")).toMatchObject({ isBuffer: true, trainable: false });
    expect(parameters.get("layer1.0.bn1.weight")).toMatchObject({ isBuffer: false, trainable: true });
    expect(model.formula()).toBe("267 tensors of the file");
  });

  test("get the file's elements again when they are initialized", () => {
    const parameter = model.parameters().get("fc.bias");
    const { value } = parameter ?? {};
    if (!parameter || !value) throw new Error("no fc.bias");
    parameter.value = undefined;
    model.initialize(keyOf(5));
    const again: Tensor | undefined = model.parameters().get("fc.bias")?.value;
    expect(again && sameTensor(again, value)).toBe(true);
  });

  test("are frozen by their paths, and an unknown one is refused", () => {
    expect(model.freeze("layer1")).toBe(3 * 9 + 3);
    expect(model.parameters().get("layer1.0.bn1.running_var")?.frozen).toBe(true);
    expect(() => model.freeze("layer9")).toThrow('unknown parameter "layer9"; did you mean');
  });

  test("the types of its inputs are those of the file, until it is applied to others", () => {
    const own = modelFromOnnx(fixture("resnet50-narrow.onnx"));
    expect(own.inputTypes).toEqual({ input: { dtype: "float32", shape: [1, 3, 64, 64] } });
    own.trace({ dtype: "float32", shape: [2, 3, 64, 64] });
    expect(own.inputTypes).toEqual({ input: { dtype: "float32", shape: [2, 3, 64, 64] } });
    expect(modelFromOnnx(fixture("mobile.onnx")).inputTypes).toBeUndefined();
    const open = modelFromOnnx(fixture("mobile.onnx"), { inputs: [2, 3, 16, 24] });
    expect(open.inputTypes).toEqual({ input: { dtype: "float32", shape: [2, 3, 16, 24] } });
  });
});

describe("inputs and outputs by name", () => {
  const [a, b] = [input("float32", [2, 3], "a"), input("float32", [2, 3], "b")];
  const file = fileOf([a, b], [ops.sub(a, b), ops.mul(a, weight("factor", [3]))], { outputNames: ["less", "scaled"] });
  const values = { a: signed("input 1", [2, 3]), b: signed("input 2", [2, 3]) };

  test("two of each, in any order", async () => {
    const model = modelFromOnnx(file);
    const { less, scaled } = (await predict(model, { b: values.b, a: values.a })) as Readonly<Record<string, Tensor>>;
    const factor = model.parameters().get("factor")?.value?.toNumbers() ?? [];
    const [x, y] = [values.a.toNumbers(), values.b.toNumbers()];
    expect(less?.toNumbers()).toEqual(x.map((element, i) => Math.fround(element - (y[i] ?? 0))));
    expect(scaled?.toNumbers()).toEqual(x.map((element, i) => Math.fround(element * (factor[i % 3] ?? 0))));
  });

  test("one that lacks, one too many, and one of another dtype are refused", () => {
    const model = modelFromOnnx(file);
    const type = { dtype: "float32", shape: [2, 3] } as const;
    expect(() => model.trace({ a: type })).toThrow('lacks its input "b", got { a }; pass { a, b }');
    expect(() => model.trace({ a: type, b: type, c: type })).toThrow('unknown input "c"');
    expect(() => model.trace({ a: type, b: { dtype: "int64", shape: [2, 3] } })).toThrow(DTypeError);
    expect(() => model.trace({ a: type, b: { dtype: "int64", shape: [2, 3] } })).toThrow(
      'input "b" is float32, got int64[2, 3]; make the tensor float32',
    );
  });

  test("an only input is taken alone, under its name, and as x", async () => {
    const model = classifier();
    const image = signed("input 3", [1, 1, 6, 6]);
    const alone = await runImported(model, image);
    for (const given of [{ image }, { x: image }] as Record<string, Tensor>[])
      expect(sameTensor(await runImported(model, given), alone)).toBe(true);
  });

  test("types that the file does not have are refused when it is read", () => {
    const read = (inputs: Parameters<typeof modelFromOnnx>[1]) => () => modelFromOnnx(file, inputs);
    expect(read({ inputs: { q: [2, 3] } })).toThrow(OptionError);
    expect(read({ inputs: { q: [2, 3] } })).toThrow('unknown input "q"');
    expect(read({ inputs: [2, 3] })).toThrow("inputs is one type, and the file has a, b; pass types by name");
    expect(read({ inputs: { a: [2, 4] } })).toThrow(ShapeError);
    expect(read({ inputs: { a: [2, 4] } })).toThrow("inputs.a is [2, 4], the file has [2, 3]; pass a shape that fits");
    expect(read({ inputs: { a: { dtype: "int32", shape: [2, 3] } } })).toThrow(
      "inputs.a is int32, the file has float32",
    );
  });
});

describe("a file that is written for one sample", () => {
  test("runs three, each as alone", async () => {
    const model = classifier();
    const images = Array.from({ length: 3 }, (_, i) => signed(`input ${i}`, [1, 1, 6, 6]));
    const whole = await runImported(
      model,
      new Tensor("float32", [3, 1, 6, 6], Float32Array.from(images.flatMap((t) => [...t.data]))),
    );
    const alone = await Promise.all(images.map((image) => runImported(model, image)));
    expect(whole.shape).toEqual([3, 3]);
    // Exported, it takes any batch.
    expect(encodeOnnx(model).obstacle).toBeUndefined();
    expectClose(
      whole,
      tensor(
        alone.flatMap((y) => y.toNumbers()),
        { dtype: "float32", shape: [3, 3] },
      ),
      "three images",
    );
  });

  test("is refused, with the node, where samples would be mixed", () => {
    const x = input("float32", [1, 4], "x");
    const model = modelFromOnnx(fileOf([x], [ops.sub(x, ops.reduceMean(ops.mul(x, weight("w", [4]))))]));
    expect(() => model.trace({ dtype: "float32", shape: [1, 4] })).not.toThrow();
    const traced = () => model.trace({ dtype: "float32", shape: [3, 4] });
    expect(traced).toThrow(UnsupportedError);
    expect(traced).toThrow("the file is written for a batch of 1, got 3: ReduceMean [] ");
  });

  test("of which another extent differs is refused with what the file has", () => {
    const traced = () => classifier().trace({ dtype: "float32", shape: [1, 1, 8, 8] });
    expect(traced).toThrow(ShapeError);
    expect(traced).toThrow('input "image" has 6 along axis 2, got [1, 1, 8, 8]; pass 6');
  });

  test("within, though its border leaves the batch open", async () => {
    const x = input("float32", [1, 4, 6], "x");
    const y = ops.linear(ops.reshape(ops.transpose(x, [0, 2, 1]), [1, 24]), weight("w", [2, 24]));
    const file = fileOf([x], [y], { symbols: (_, axis) => (axis === 0 ? "batch" : undefined) });
    const model = modelFromOnnx(file);
    const [one, two] = [signed("input 1", [1, 4, 6]), signed("input 2", [1, 4, 6])];
    const both = await runImported(
      model,
      new Tensor("float32", [2, 4, 6], Float32Array.from([...one.data, ...two.data])),
    );
    const alone = [await runImported(model, one), await runImported(model, two)].flatMap((t) => t.toNumbers());
    expectClose(both, tensor(alone, { dtype: "float32", shape: [2, 2] }), "two samples");
  });
});

describe("elements of other types", () => {
  test("half floats become float32 parameters, which are cast where the file computes in half", async () => {
    const half = (numbers: readonly number[], shape: Shape) =>
      new Tensor("float16", shape, Uint16Array.from(numbers, float16Bits));
    const [x, w] = [input("float16", [2, 2], "x"), input("float16", [2, 2], "w")];
    const y = ops.cast(ops.matmul(x, w), "float32");
    const file = encodeModel(graphOf([x, w], [y]), { initializers: new Map([[w, half([1, 2, 0.5, -1], [2, 2])]]) });
    const model = modelFromOnnx(file);
    expect(model.parameters().get("w")?.value).toEqual(
      tensor([
        [1, 2],
        [0.5, -1],
      ]),
    );
    // A float32 input is cast too.
    const exact = tensor([
      [2, 0],
      [0, 4],
    ]);
    expect((await runImported(model, exact)).toArray()).toEqual([
      [2, 4],
      [2, -4],
    ]);
    expect((await runImported(model, half([2, 0, 0, 4], [2, 2]))).toArray()).toEqual([
      [2, 4],
      [2, -4],
    ]);
    const data = fromTensors({
      x: exact,
      y: tensor([
        [0, 0],
        [0, 0],
      ]),
    }).batch(2);
    await fit(model, data, { loss: meanSquaredError(), optimizer: sgd({ learningRate: 0.01 }), epochs: 1 });
    expect(model.parameters().get("w")?.value?.toNumbers()).not.toEqual([1, 2, 0.5, -1]);
  });

  test("doubles are cast too, and bfloat16 is computed in float32", async () => {
    const [x, w] = [input("float64", [1, 2], "x"), input("float64", [2, 1], "w")];
    const third = new Tensor("float64", [2, 1], Float64Array.of(1 / 3, 2));
    const file = encodeModel(graphOf([x, w], [ops.matmul(x, w)]), { initializers: new Map([[w, third]]) });
    const y = await runImported(modelFromOnnx(file), tensor([[3, 1]]));
    expect([y.dtype, y.item()]).toEqual(["float64", Math.fround(1 / 3) * 3 + 2]);
    const narrow = encodeMessage(ModelProto, {
      ir_version: 8,
      opset_import: [{ domain: "", version: 17 }],
      graph: {
        input: [{ name: "x", type: { tensor_type: { elem_type: 1, shape: { dim: [{ dim_value: 2 }] } } } }],
        output: [{ name: "y" }],
        node: [{ op_type: "Mul", input: ["x", "w"], output: ["y"] }],
        // The upper halves of the float32 1.5 and 2.
        initializer: [{ name: "w", dims: [2], data_type: 16, raw_data: Uint8Array.of(0xc0, 0x3f, 0x00, 0x40) }],
      },
    });
    const model = modelFromOnnx(narrow);
    expect(model.parameters().get("w")?.value).toEqual(tensor([1.5, 2]));
    expect((await runImported(model, tensor([4, 1]))).toArray()).toEqual([6, 2]);
  });

  test("quantized weights are constants of the graph", async () => {
    const x = input("float32", [1, 2], "x");
    const stored = ops.constant(new Tensor("int8", [2, 2], Int8Array.of(2, -4, 6, 8)));
    const w = makeNode(ops.DequantizeLinear, [stored, ops.scalar(0.5)]).outputs[0];
    const y = ops.add(ops.matmul(x, w), weight("bias", [2]));
    const model = modelFromOnnx(fileOf([x], [y]));
    expect([...model.parameters().keys()]).toEqual(["bias"]);
    const bias = model.parameters().get("bias")?.value?.toNumbers() ?? [];
    // The engine may multiply in the quantized numbers.
    const expected = tensor([[1, -2].map((element, i) => element + (bias[i] ?? 0))]);
    expectClose(await runImported(model, tensor([[1, 0]])), expected, "scores");
  });
});

describe("operators that are not known", () => {
  const float = (name: string, ...dims: readonly number[]): Message => ({
    name,
    type: { tensor_type: { elem_type: 1, shape: { dim: dims.map((dim_value) => ({ dim_value })) } } },
  });
  const node = (op_type: string, inputs: readonly string[], output: string): Message => ({
    op_type,
    input: inputs,
    output: [output],
  });
  const file = (...nodes: readonly Message[]) =>
    encodeMessage(ModelProto, {
      ir_version: 8,
      opset_import: [{ domain: "", version: 17 }],
      graph: {
        input: [float("x", 2, 4)],
        output: [float("y", 2, 4)],
        node: nodes,
        initializer: [{ name: "w", dims: [4, 4], data_type: 1, raw_data: new Uint8Array(64) }],
      },
    });

  test("are listed when the model is traced; its weights are loaded", () => {
    const model = modelFromOnnx(
      file(
        node("MatMul", ["x", "w"], "a"),
        node("Whirl", ["a"], "b"),
        node("Whirl", ["b"], "c"),
        node("Twist", ["c"], "y"),
      ),
    );
    expect(model.parameters().get("w")?.value?.shape).toEqual([4, 4]);
    const traced = () => model.trace({ dtype: "float32", shape: [2, 4] });
    expect(traced).toThrow(UnsupportedError);
    expect(traced).toThrow(
      "the file computes what is not supported: Whirl is not supported (2 nodes); Twist is not supported. Its weights are loaded",
    );
  });

  test("are no matter where no output needs them", () => {
    const model = modelFromOnnx(file(node("MatMul", ["x", "w"], "y"), node("Whirl", ["x"], "b")));
    expect(() => model.trace({ dtype: "float32", shape: [2, 4] })).not.toThrow();
  });
});

test("a module is what the graph computes: a network of ours comes back the same", async () => {
  const own = sequential([dense(5, { activation: "tanh" }), dense(2)]);
  own.trace({ dtype: "float32", shape: [3, 4] });
  own.initialize(keyOf(2));
  const { inputs, output } = own.trace(
    { dtype: "float32", shape: [3, 4] },
    { bind: ({ value }) => ops.constant(value as Tensor) },
  );
  const model = modelFromOnnx(encodeModel(graphOf(inputs, [output])));
  const x = signed("input 9", [3, 4]);
  expect(sameTensor(await runImported(model, x), await predict(own, x))).toBe(true);
  expect(model.trace({ dtype: "float32", shape: [3, 4] }).output).toBeInstanceOf(Value);
});

test("files with bits turned over are refused with an error of ours, or read", () => {
  const whole = fixture("mobile.onnx");
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length * 8 - 1), { minLength: 1, maxLength: 10 }), (bits) => {
      try {
        modelFromOnnx(bits.reduce(flipBit, whole)).trace({ dtype: "float32", shape: [2, 3, 16, 24] });
      } catch (error) {
        if (!(error instanceof SardonyxError)) throw error;
      }
    }),
    { numRuns: 300 },
  );
});
