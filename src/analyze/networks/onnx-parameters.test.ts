/** Which tensors of ONNX files are parameters, which are buffers, and what packed ones stand for. */
import { describe, expect, test } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { size } from "../../core/shape.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { Message } from "../../onnx/codec.ts";
import { importModel } from "../../onnx/import.ts";
import { expectAsRuntime, uniform, whole } from "../../onnx/testing/beside-runtime.ts";
import { fileOfGraph, nibbles, node, stored, typed, zeros } from "../../onnx/testing/build-file.ts";
import { inspectionOf } from "../testing/networks.ts";
import { onnxNetwork } from "./onnx-network.ts";

const inspected = (graph: Message, opset?: number) =>
  inspectionOf(onnxNetwork("test", importModel(memorySource(fileOfGraph(graph, opset)))));

/** Trainable parameters and buffers. */
const counted = (graph: Message, opset?: number) => {
  const { trainable, buffers } = inspected(graph, opset).parameters;
  return [trainable, buffers];
};

/** A table of the elements that a function gives for rows and columns. */
const table = (rows: number, columns: number, of: (row: number, column: number) => number, shape = [rows, columns]) =>
  tensor(
    Array.from({ length: rows * columns }, (_, i) => of(Math.floor(i / columns), i % columns)),
    { shape },
  );

/** The sinusoids of Vaswani et al. (2017, sec. 3.5). */
const sinusoid = (row: number, column: number, width: number) =>
  (column % 2 === 0 ? Math.sin : Math.cos)(row / 10000 ** ((column - (column % 2)) / width));

describe("packed matrices count with the elements that they stand for", () => {
  test("MatMulNBits: K · N elements, scales and zero points are buffers", () => {
    const { parameters, cost, layers } = inspected({
      input: [typed("x", "float32", 2, 64)],
      node: [
        node("com.microsoft.MatMulNBits", ["x", "w", "scales", "zeros"], ["y"], {
          K: 64,
          N: 32,
          bits: 4,
          block_size: 32,
        }),
      ],
      output: [typed("y", "float32", 2, 32)],
      initializer: [
        stored(
          "w",
          tensor(
            Array.from({ length: 1024 }, (_, i) => i % 256),
            { dtype: "uint8", shape: [32, 2, 16] },
          ),
        ),
        stored("scales", uniform(1, 64)),
        stored("zeros", tensor(new Array<number>(32).fill(136), { dtype: "uint8" })),
      ],
    });
    // 64 · 32 elements of 4 bits; 64 scales and 32 bytes of zero points.
    expect([parameters.total, parameters.frozen, parameters.buffers, parameters.bytes]).toEqual([2048, 2048, 96, 1024]);
    expect([cost.macs, layers[0]?.formula]).toEqual([4096, "32·64 = 2,048"]);
  });

  test("DequantizeLinear of blocks of 4 bits", () => {
    const { parameters, cost, notes } = inspected({
      input: [typed("x", "float32", 2, 16)],
      node: [
        node("DequantizeLinear", ["w", "scales"], ["d"], { axis: 0, block_size: 8 }),
        node("MatMul", ["x", "d"], ["y"]),
      ],
      output: [typed("y", "float32", 2, 8)],
      initializer: [nibbles("w", "int4", [16, 8], new Array<number>(128).fill(-3)), stored("scales", uniform(2, 2, 8))],
    });
    expect([parameters.total, parameters.bytes, cost.macs]).toEqual([128, 64, 2 * 16 * 8]);
    expect(notes).toEqual([]);
  });
});

describe("tensors that nobody trained are buffers", () => {
  const head = (input: string, width: number, out: number): readonly [Message, Message] => [
    node("MatMul", [input, "w"], ["y"]),
    zeros("w", width, out),
  ];
  /** Something of x, then a dense layer. */
  const beforeDense = (nodes: readonly Message[], tensors: readonly Message[], shape: readonly number[]) => {
    const [dense, w] = head("h", shape.at(-1) ?? 1, 4);
    return {
      input: [typed("x", "float32", ...shape)],
      node: [...nodes, dense],
      output: [typed("y", "float32")],
      initializer: [...tensors, w],
    };
  };
  const added = (elements: ReturnType<typeof table>, shape: readonly number[]) =>
    counted(beforeDense([node("Add", ["x", "t"], ["h"])], [stored("t", elements)], shape));

  test.each<[string, (row: number, column: number) => number]>([
    ["sines and cosines in turn", (row, column) => sinusoid(row, column, 8)],
    ["from another position on", (row, column) => sinusoid(row + 2, column, 8)],
    ["sines before cosines", (row, column) => (column < 4 ? Math.sin : Math.cos)(row / 100 ** ((column % 4) / 4))],
  ])("sinusoids: %s", (_, of) => {
    expect(added(table(16, 8, of, [1, 16, 8]), [1, 16, 8])).toEqual([32, 128]);
  });

  test("sinusoids of places in a plane", () => {
    const of = (row: number, column: number) => {
      const place = column < 4 ? Math.floor(row / 4) : row % 4;
      return (column % 4 < 2 ? Math.sin : Math.cos)(place / 10 ** (column % 2));
    };
    expect(added(table(16, 8, of), [1, 16, 8])).toEqual([32, 128]);
  });

  test("cosines that queries are turned by, looked up by position", () => {
    const cosines = stored(
      "t",
      table(32, 8, (row, column) => Math.cos(row / 10000 ** (column / 8))),
    );
    const lookedUp = [node("Gather", ["t", "p"], ["c"]), node("Mul", ["x", "c"], ["h"])];
    expect(
      counted({
        ...beforeDense(lookedUp, [cosines], [1, 5, 8]),
        input: [typed("x", "float32", 1, 5, 8), typed("p", "int64", 1, 5)],
      }),
    ).toEqual([32, 256]);
  });

  test.each<[string, number, number]>([
    ["far below", 0, -3.4e38],
    ["minus infinity", 0, Number.NEGATIVE_INFINITY],
    ["ones and zeros", 1, 0],
  ])("causal masks: %s", (_, seen, hidden) => {
    expect(
      added(
        table(8, 8, (row, column) => (column > row ? hidden : seen)),
        [1, 8, 8],
      ),
    ).toEqual([32, 64]);
  });

  test("means that are subtracted and deviations that are divided by", () => {
    expect(
      counted(
        beforeDense(
          [node("Sub", ["x", "mean"], ["s"]), node("Div", ["s", "std"], ["h"])],
          [stored("mean", uniform(1, 1, 3, 1, 1)), stored("std", uniform(2, 1, 3, 1, 1))],
          [1, 3, 2, 4],
        ),
      ),
    ).toEqual([16, 6]);
  });

  test("thresholds of boxes", () => {
    const graph = {
      input: [typed("x", "float32", 1, 20, 6), typed("boxes", "float32", 1, 20, 4)],
      node: [
        node("MatMul", ["x", "w"], ["s"]),
        node("Transpose", ["s"], ["scores"], { perm: [0, 2, 1] }),
        node("NonMaxSuppression", ["boxes", "scores", "most", "overlap", "score"], ["y"]),
      ],
      output: [typed("y", "int64")],
      initializer: [
        zeros("w", 6, 3),
        stored("most", tensor([1], { dtype: "int64" })),
        stored("overlap", tensor([0.5])),
        stored("score", tensor([0.1])),
      ],
    };
    expect(counted(graph)[0]).toBe(18);
  });

  test("what looks learned is: other numbers, a fresh bias of zeros, a fresh scale of ones", () => {
    for (const elements of [
      uniform(3, 16, 8),
      table(16, 8, () => 0),
      table(16, 8, () => 1),
      table(16, 8, (row) => row / 16),
    ])
      expect(added(elements as ReturnType<typeof table>, [1, 16, 8])).toEqual([32 + 128, 0]);
  });
});

describe("sparse tensors are read", () => {
  const values = (elements: readonly number[]) => stored("w", tensor([...elements]));
  const graph = (sparse: Message) => ({
    input: [typed("x", "float32", 2, 6)],
    node: [node("MatMul", ["x", "w"], ["y"])],
    output: [typed("y", "float32", 2, 6)],
    sparse_initializer: [sparse],
  });
  const indices = (elements: readonly number[], shape: readonly number[]) =>
    stored("", tensor([...elements], { dtype: "int64", shape }));

  test.each<[string, Message]>([
    ["by place in the rows", indices([0, 7, 35], [3])],
    ["by row and column", indices([0, 0, 1, 1, 5, 5], [3, 2])],
  ])("%s", (_, at) => {
    const sparse = { values: values([2, 3, 4]), indices: at, dims: [6, 6] };
    const file = fileOfGraph(graph(sparse));
    const [weight] = importModel(memorySource(file)).weights.values();
    const elements = weight?.read().toNumbers() ?? [];
    expect(size(weight?.shape ?? [])).toBe(36);
    expect([elements[0], elements[7], elements[35], elements.reduce((sum, own) => sum + own, 0)]).toEqual([2, 3, 4, 9]);
    expect(inspected(graph(sparse)).parameters.total).toBe(36);
  });

  test("damaged ones are refused", () => {
    const read = (sparse: Message) =>
      [...importModel(memorySource(fileOfGraph(graph(sparse)))).weights.values()][0]?.read();
    expect(() => read({ values: values([1, 2]), indices: indices([0], [1]), dims: [6, 6] })).toThrow(
      'sparse tensor "w" of shape [6, 6] has values [2] and indices int64[1], expected [n] and int64 [n] or [n, 2]',
    );
    expect(() => read({ values: values([1]), indices: indices([36], [1]), dims: [6, 6] })).toThrow("outside [6, 6]");
    expect(() => read({ values: values([1]), indices: indices([2, -1], [1, 2]), dims: [6, 6] })).toThrow(
      "has an element at [2,-1], outside [6, 6]",
    );
    expect(() => read({ values: values([1]), dims: [6, 6] })).toThrow("lacks its indices");
    expect(() => read({ values: values([1]), indices: indices([0], [1]), dims: [1 << 20, 1 << 20] })).toThrow();
  });
});

describe("a table of embeddings and its copy for the output layer are one parameter", () => {
  const words = uniform(1, 10, 6);
  const transposed = tensor(
    Array.from({ length: 60 }, (_, i) => words.toNumbers()[(i % 10) * 6 + Math.floor(i / 10)] ?? 0),
    { shape: [6, 10] },
  );
  const graph = (table: Tensor, copy: Tensor) => ({
    input: [typed("ids", "int64", 2, 5)],
    node: [node("Gather", ["words", "ids"], ["x"]), node("MatMul", ["x", "onnx::MatMul_7"], ["y"])],
    output: [typed("y", "float32", 2, 5, 10)],
    initializer: [stored("words", table), stored("onnx::MatMul_7", copy)],
  });

  test("transposed", () => {
    const { parameters, notes, cost } = inspected(graph(words, transposed));
    expect([parameters.total, cost.macs]).toEqual([60, 2 * 5 * 6 * 10]);
    expect(parameters.shared.map(({ name }) => name)).toEqual(["words"]);
    expect(notes).toEqual(["onnx::MatMul_7 is words, transposed: one parameter, counted once."]);
  });

  test("computed as the file has it", () =>
    expectAsRuntime(fileOfGraph(graph(words, transposed)), {
      ids: tensor(whole(2, [2, 5], 0, 10), { dtype: "int64", shape: [2, 5] }),
    }));

  test("trained as one", () =>
    expect([...modelFromOnnx(fileOfGraph(graph(words, transposed))).own.keys()]).toEqual(["words"]));

  test("other numbers, or numbers that say nothing, are two", () => {
    const flat = (...shape: number[]) => tensor(new Array<number>(60).fill(0.5), { shape });
    expect(inspected(graph(words, uniform(3, 6, 10))).parameters.total).toBe(120);
    expect(inspected(graph(flat(10, 6), flat(6, 10))).parameters.total).toBe(120);
  });
});
