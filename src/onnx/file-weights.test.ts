/** Weights of files without their shapes: what importing finds, their names, and which are buffers. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { memorySource } from "../core/byte-source.ts";
import { FileError } from "../core/errors.ts";
import { size } from "../core/shape.ts";
import { encodeMessage, type Message } from "./codec.ts";
import { weightsOfFile } from "./file-weights.ts";
import { importFile, refuseExternal } from "./import.ts";
import { readModelFile } from "./model-file.ts";
import { ModelProto } from "./schema.ts";

const read = (bytes: Uint8Array) => readModelFile(memorySource(bytes), refuseExternal);

const node = (op_type: string, inputs: readonly string[], outputs: readonly string[], more: Message = {}): Message => ({
  op_type,
  input: inputs,
  output: outputs,
  ...more,
});
const weight = (name: string, dims: readonly number[]): Message => ({
  name,
  dims,
  data_type: 1,
  raw_data: new Uint8Array(4 * size(dims)),
});
const float = (name: string, ...dims: readonly number[]): Message => ({
  name,
  type: { tensor_type: { elem_type: 1, shape: { dim: dims.map((dim_value) => ({ dim_value })) } } },
});
const model = (graph: Message, more: Message = {}) =>
  read(
    encodeMessage(ModelProto, {
      ir_version: 8,
      opset_import: [{ domain: "", version: 17 }],
      graph: { input: [float("x", 2, 4)], output: [{ name: "y" }], ...graph },
      ...more,
    }),
  );

test.each(["resnet50-narrow", "encoder", "lstm", "gru-bidirectional", "mobile"])(
  "%s: as importing finds them",
  (name) => {
    const file = read(readFileSync(new URL(`../../test/fixtures/onnx/${name}.onnx`, import.meta.url)));
    const extents: Readonly<Record<string, number>> = { batch: 2, sequence: 7, height: 16, width: 24 };
    const { weights } = importFile(file, {
      shapeOf: (declared) => declared.extents?.map((extent) => Number(extents[extent ?? ""] ?? extent)) ?? [],
    });
    const found = weightsOfFile(file);
    const names = (tensors: Iterable<{ readonly name: string }>) => Array.from(tensors, (own) => own.name).sort();
    expect(names(found)).toEqual(names(weights.values()));
    const buffers = found.filter(({ isBuffer }) => isBuffer).map((own) => own.name);
    expect(buffers.every((own) => /running_(mean|var)$/.test(own))).toBe(true);
    expect(buffers.length).toBe({ "resnet50-narrow": 106, mobile: 2 }[name] ?? 0);
  },
);

describe("uses", () => {
  test("thresholds and other numbers of which nothing learns are buffers, weights of composed operators are not", () => {
    const found = weightsOfFile(
      model({
        node: [
          node("Einsum", ["x", "w"], ["a"], {
            attribute: [{ name: "equation", type: 3, s: new TextEncoder().encode("ij,jk->ik") }],
          }),
          node("Greater", ["a", "t"], ["b"]),
          node("Where", ["b", "a", "o"], ["y"]),
        ],
        initializer: [weight("w", [4, 4]), weight("t", [4]), weight("o", [4])],
      }),
    );
    expect(found.map(({ name, isBuffer }) => [name, isBuffer])).toEqual([
      ["w", false],
      ["t", true],
      ["o", false],
    ]);
  });

  const branch = (name: string, tensor: Message): Message => ({
    name,
    type: 5,
    g: { node: [node("MatMul", ["x", "w"], [`${name}_y`])], initializer: [tensor], output: [{ name: `${name}_y` }] },
  });

  test("weights in Constant nodes count where a layer takes them, beside initializers too; single numbers elsewhere do not", () => {
    const constant = (name: string, dims: readonly number[]) =>
      node("Constant", [], [name], { attribute: [{ name: "value", type: 4, t: weight(name, dims) }] });
    const nodes = [
      ...[constant("w", [4, 3]), constant("b", [3]), constant("mean", [3]), constant("half", [1])],
      ...[node("Gemm", ["x", "w", "b"], ["h"]), node("Sub", ["h", "mean"], ["c"]), node("Mul", ["c", "half"], ["s"])],
      node("Mul", ["s", "scale"], ["y"]),
    ];
    const found = (initializer: readonly Message[]) =>
      weightsOfFile(model({ node: nodes, initializer })).map(({ name }) => name);
    expect(found([weight("scale", [1])])).toEqual(["w", "b"]);
    expect(found([weight("scale", [3])])).toEqual(["w", "b", "scale"]);
  });

  test("the one slope of a PRelu is learned, as PyTorch writes it", () => {
    const found = weightsOfFile(model({ node: [node("PRelu", ["x", "a"], ["y"])], initializer: [weight("a", [1])] }));
    expect(found.map(({ name, isBuffer }) => [name, isBuffer])).toEqual([["a", false]]);
  });

  test("both branches of an If count; tensors of one name are numbered", () => {
    const found = weightsOfFile(
      model({
        node: [
          node("If", ["c"], ["y"], {
            attribute: [branch("then_branch", weight("w", [4, 4])), branch("else_branch", weight("w", [4, 4]))],
          }),
        ],
        initializer: [{ name: "c", dims: [], data_type: 9, int32_data: [1] }],
      }),
    );
    expect(found.map(({ name }) => name)).toEqual(["w", "w_1"]);
  });

  test("within functions, in whatever order the nodes stand", () => {
    const scaled = {
      name: "Scaled",
      domain: "mine",
      input: ["a", "k"],
      output: ["b"],
      node: [node("MatMul", ["a", "k"], ["b"])],
    };
    const opset_import = [
      { domain: "", version: 17 },
      { domain: "mine", version: 1 },
    ];
    const constant = node("Constant", [], ["w"], { attribute: [{ name: "value", type: 4, t: weight("", [4, 4]) }] });
    const found = weightsOfFile(
      model(
        { node: [node("Scaled", ["x", "w"], ["y"], { domain: "mine" }), constant] },
        { functions: [scaled], opset_import },
      ),
    );
    expect(found.map(({ name }) => name)).toEqual(["w"]);
  });

  test("functions that call themselves, or one another without end, are refused", () => {
    const opset_import = [{ domain: "mine", version: 1 }];
    const call = (name: string) => node(name, ["a"], ["b"], { domain: "mine" });
    const calling = (name: string, ...called: string[]) => ({
      name,
      domain: "mine",
      input: ["a"],
      output: ["b"],
      node: called.map(call),
    });
    const itself = () =>
      weightsOfFile(model({ node: [call("f0")] }, { functions: [calling("f0", "f0")], opset_import }));
    expect(itself).toThrow(FileError);
    expect(itself).toThrow("nest deeper than 32; a function may not call itself");
    const doubled = Array.from({ length: 30 }, (_, i) => calling(`f${i}`, `f${i + 1}`, `f${i + 1}`));
    expect(() => weightsOfFile(model({ node: [call("f0")] }, { functions: doubled, opset_import }))).toThrow(
      "written out it has more than 65536 nodes, the limit; if you trust the file, raise it: --limit nodes=N",
    );
  });
});
