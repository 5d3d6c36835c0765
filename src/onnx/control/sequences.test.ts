/** Lists of tensors and optional ones, in files and at their borders. */
import { describe, expect, test } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { ShapeError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import { run } from "../../formats/testing/run.ts";
import type { Message } from "../codec.ts";
import { importModel } from "../import.ts";
import { float, graphAttribute, model, node, whole } from "../testing/files.ts";

const tensorType = (...dims: readonly number[]) => ({
  tensor_type: { elem_type: 1, shape: { dim: dims.map((dim_value) => ({ dim_value })) } },
});
const list = (name: string, ...dims: readonly number[]): Message => ({
  name,
  type: { sequence_type: { elem_type: tensorType(...dims) } },
});
const optional = (name: string, ...dims: readonly number[]): Message => ({
  name,
  type: { optional_type: { elem_type: tensorType(...dims) } },
});
const numbers = (name: string, ...values: readonly number[]): Message => ({
  name,
  dims: [values.length],
  data_type: 1,
  float_data: values,
});

describe("lists", () => {
  test("that grow and shrink", async () => {
    const bytes = model({
      input: [float("x", 2)],
      output: [{ name: "first" }, { name: "last" }, { name: "all" }, { name: "count" }],
      node: [
        node("SequenceConstruct", ["x", "a"], ["s0"]), // x, a
        node("SequenceInsert", ["s0", "b", "zero"], ["s1"]), // b, x, a
        node("SequenceInsert", ["s1", "b"], ["s2"]), // b, x, a, b
        node("SequenceErase", ["s2", "minus_two"], ["s3"]), // b, x, b
        node("SequenceErase", ["s3"], ["s4"]), // b, x
        node("SequenceAt", ["s4", "zero"], ["first"]),
        node("SequenceAt", ["s4", "minus_one"], ["last"]),
        node("ConcatFromSequence", ["s3"], ["all"], { attribute: [{ name: "axis", type: 2, i: 0 }] }),
        node("SequenceLength", ["s3"], ["count"]),
      ],
      initializer: [
        numbers("a", 7, 8),
        numbers("b", 1, 2),
        whole("zero", 0),
        whole("minus_one", -1),
        whole("minus_two", -2),
      ],
    });
    const results = await run(modelFromOnnx(bytes), tensor([3, 4]));
    expect(results.map((result) => result.toNumbers())).toEqual([[1, 2], [3, 4], [1, 2, 3, 4, 1, 2], [3]]);
  });

  test("of a tensor's parts, whose last is shorter, each with a graph of its own", async () => {
    const body: Message = {
      input: [float("a", 2)],
      output: [{ name: "b" }],
      node: [node("Neg", ["a"], ["b"])],
    };
    const bytes = model({
      input: [float("x", 5)],
      output: [{ name: "parts", type: list("", 2)["type"] as Message }],
      node: [
        node("SplitToSequence", ["x", "two"], ["s"]),
        node("SequenceMap", ["s"], ["parts"], { attribute: [graphAttribute("body", body)] }),
      ],
      initializer: [whole("two", 2)],
    });
    const results = await run(modelFromOnnx(bytes), tensor([1, 2, 3, 4, 5]));
    expect(results.map((result) => result.toNumbers())).toEqual([[-1, -2], [-3, -4], [-5]]);
  });

  test("as inputs, of any length", async () => {
    const bytes = model({
      input: [list("s", 2)],
      node: [
        node("ConcatFromSequence", ["s"], ["y"], {
          attribute: [
            { name: "axis", type: 2, i: 0 },
            { name: "new_axis", type: 2, i: 1 },
          ],
        }),
      ],
    });
    const loaded = modelFromOnnx(bytes);
    for (const rows of [
      [[1, 2]],
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ]) {
      const [y] = await run(loaded, { s: rows.map((row) => tensor(row)) });
      expect([y?.shape, y?.toNumbers()]).toEqual([[rows.length, 2], rows.flat()]);
    }
    expect(() => importModel(memorySource(bytes))).toThrow(ShapeError);
    expect(() => importModel(memorySource(bytes))).toThrow(
      'input "s" is a list of tensors; pass the shapes that it holds',
    );
  });

  test("where an operator takes a tensor", () => {
    const bytes = model({ node: [node("SequenceConstruct", ["x"], ["s"]), node("Relu", ["s"], ["y"])] });
    const [reason] = importModel(memorySource(bytes)).unknown.values();
    expect(reason?.why).toBe('Relu: its operand "s" is a list of tensors');
  });

  test("a position outside", () => {
    const bytes = model({
      node: [node("SequenceConstruct", ["x"], ["s"]), node("SequenceAt", ["s", "one"], ["y"])],
      initializer: [whole("one", 1)],
    });
    expect(() => importModel(memorySource(bytes))).toThrow('SequenceAt "y": position 1 is outside a sequence of 1');
  });
});

test("an optional input, and what there is without it", async () => {
  const bytes = model({
    input: [optional("bias", 2), float("x", 2)],
    node: [
      node("OptionalHasElement", ["bias"], ["has"]),
      node("If", ["has"], ["y"], {
        attribute: [
          graphAttribute("then_branch", {
            node: [node("OptionalGetElement", ["bias"], ["b"]), node("Add", ["x", "b"], ["with"])],
            output: [{ name: "with" }],
          }),
          graphAttribute("else_branch", { node: [node("Neg", ["x"], ["without"])], output: [{ name: "without" }] }),
        ],
      }),
    ],
  });
  const loaded = modelFromOnnx(bytes);
  expect((await run(loaded, { x: tensor([1, 2]), bias: tensor([10, 20]) })).map((y) => y.toNumbers())).toEqual([
    [11, 22],
  ]);
  expect((await run(loaded, { x: tensor([1, 2]) })).map((y) => y.toNumbers())).toEqual([[-1, -2]]);
});
