/** Attention and turned positions in every form that files have, beside ONNX Runtime's own kernels. */
import { describe, expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.ts";
import { memorySource } from "../../core/byte-source.ts";
import { asFloat32, type Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { compile } from "../../jit/compile.ts";
import { importModel } from "../../onnx/import.ts";
import { expectAsRuntime, readFor, runRead, uniform, whole } from "../../onnx/testing/beside-runtime.ts";
import { fileOfGraph, node, stored, typed } from "../../onnx/testing/build-file.ts";
import { mul, ones, reduceSum } from "../index.ts";

type Attributes = NonNullable<Parameters<typeof node>[3]>;

interface Form {
  /** By name, in the order of the operands; one that is left out has no tensor. */
  readonly operands: Readonly<Record<string, Tensor | undefined>>;
  readonly attributes: Attributes;
  readonly outputs?: number;
  /** Operands that are tensors of the file. */
  readonly held?: readonly string[];
}

/** A file of one node, and what is fed to it. */
function fileOf(type: string, { operands, attributes, outputs = 1, held = [] }: Form, opset = 23) {
  const given = Object.entries(operands).flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  const fed = given.filter(([name]) => !held.includes(name));
  const names = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const file = fileOfGraph(
    {
      input: fed.map(([name, { dtype, shape }]) => typed(name, dtype, ...shape)),
      node: [
        node(
          type,
          Object.entries(operands).map(([name, value]) => (value ? name : "")),
          names,
          attributes,
        ),
      ],
      output: names.map((name) => ({ name, type: { tensor_type: { elem_type: 1 } } })),
      initializer: given.filter(([name]) => held.includes(name)).map(([name, value]) => stored(name, value)),
    },
    opset,
  );
  return { file, feeds: Object.fromEntries(fed) };
}

async function compare(type: string, form: Form, opset?: number): Promise<void> {
  const { file, feeds } = fileOf(type, form, opset);
  await expectAsRuntime(file, feeds);
}

const float = { scale: { float: 0.7 } };
const ints = (dtype: "int32" | "int64", shape: readonly number[], ...elements: readonly number[]) =>
  tensor([...elements], { dtype, shape });

describe("Attention of ONNX", () => {
  const heads = (time: number, seed: number, count = 4) => uniform(seed, 2, count, time, 8);
  const [q, k, v] = [heads(5, 1), heads(5, 2, 2), heads(5, 3, 2)];
  const rows = { q: uniform(4, 2, 5, 32), k: uniform(5, 2, 5, 16), v: uniform(6, 2, 5, 16) };
  const grouped = { q_num_heads: 4, kv_num_heads: 2 };
  const bools = (...shape: readonly number[]) => tensor(whole(9, shape, 0, 2), { dtype: "bool", shape });
  const past = { pastKeys: heads(3, 7, 2), pastValues: heads(3, 8, 2) };

  test.each<[string, Form]>([
    ["heads that share keys", { operands: { q, k, v }, attributes: {}, outputs: 1 }],
    ["rows, causal", { operands: rows, attributes: { ...grouped, is_causal: 1 } }],
    ["another scale, scores in bounds", { operands: { q, k, v }, attributes: { ...float, softcap: { float: 2 } } }],
    ["a mask to add", { operands: { q, k, v, mask: uniform(9, 5, 5) }, attributes: { softcap: { float: 1.5 } } }],
    ["a mask of truths for each sample", { operands: { q, k, v, mask: bools(2, 1, 5, 5) }, attributes: {} }],
    ["causal with a mask", { operands: { q, k, v, mask: bools(2, 4, 5, 5) }, attributes: { is_causal: 1 } }],
    ["a past", { operands: { q, k, v, mask: undefined, ...past }, attributes: { is_causal: 1 }, outputs: 3 }],
    ["the scores as they are", { operands: { q, k, v, mask: uniform(9, 5, 5) }, attributes: {}, outputs: 4 }],
    ...[1, 2, 3].map((mode): [string, Form] => [
      `the scores at stage ${mode}`,
      {
        operands: { q, k, v, mask: uniform(9, 5, 5) },
        attributes: { qk_matmul_output_mode: mode, softcap: { float: 2 } },
        outputs: 4,
      },
    ]),
  ])("%s", (_, form) => compare("Attention", form));

  test("lengths of the keys, of version 24", () =>
    compare(
      "Attention",
      {
        operands: {
          q,
          k,
          v,
          mask: undefined,
          pastKeys: undefined,
          pastValues: undefined,
          lengths: ints("int64", [2], 5, 3),
        },
        attributes: {},
      },
      24,
    ));
});

describe("Attention of ONNX Runtime", () => {
  const operands = { x: uniform(1, 2, 5, 12), w: uniform(2, 12, 48), b: uniform(3, 48) };
  const num_heads = 4;
  const mask = (...shape: readonly number[]) => tensor(whole(4, shape, 0, 2), { dtype: "int32", shape });
  const past = uniform(5, 2, 2, 4, 3, 4);
  const hiding = { num_heads, mask_filter_value: { float: -100 } };

  test.each<[string, Form]>([
    ["projections and heads", { operands, attributes: { num_heads } }],
    ["another scale", { operands, attributes: { num_heads, ...float } }],
    ["causal", { operands, attributes: { num_heads, unidirectional: 1 } }],
    ["lengths", { operands: { ...operands, mask: ints("int32", [2], 5, 3) }, attributes: { num_heads } }],
    ["ends and starts", { operands: { ...operands, mask: ints("int32", [4], 5, 4, 0, 2) }, attributes: { num_heads } }],
    ["keys that are hidden", { operands: { ...operands, mask: mask(2, 5) }, attributes: hiding }],
    [
      "keys hidden from queries",
      { operands: { ...operands, mask: mask(2, 5, 5) }, attributes: { ...hiding, unidirectional: 1 } },
    ],
    [
      "a bias of the scores",
      {
        operands: { ...operands, mask: undefined, past: undefined, s: uniform(6, 1, 4, 5, 5) },
        attributes: { num_heads },
      },
    ],
    [
      "a past",
      { operands: { ...operands, mask: mask(2, 8), past }, attributes: { num_heads, unidirectional: 1 }, outputs: 2 },
    ],
    [
      "values of another width",
      {
        operands: { x: operands.x, w: uniform(2, 12, 40), b: uniform(3, 40) },
        attributes: { num_heads, qkv_hidden_sizes: [16, 16, 8] },
      },
    ],
  ])("%s", (_, form) => compare("com.microsoft.Attention", form, 17));
});

describe("MultiHeadAttention", () => {
  const [q, k, v] = [uniform(1, 2, 3, 16), uniform(2, 2, 5, 16), uniform(3, 2, 5, 8)];
  const b = uniform(4, 40);
  const num_heads = 4;
  const none = { mask: undefined, scores: undefined };
  const mask = (...shape: readonly number[]) => tensor(whole(4, shape, 0, 2), { dtype: "int32", shape });

  test.each<[string, Form]>([
    ["queries, keys and values", { operands: { q, k, v }, attributes: { num_heads } }],
    ["a bias of the three", { operands: { q, k, v, b }, attributes: { num_heads, ...float } }],
    [
      "a mask of keys",
      { operands: { q, k, v, b, mask: mask(2, 5) }, attributes: { num_heads, mask_filter_value: { float: -50 } } },
    ],
    [
      "a bias of the scores",
      { operands: { q, k, v, b, mask: undefined, scores: uniform(5, 2, 4, 3, 5) }, attributes: { num_heads } },
    ],
    [
      "keys and values as heads",
      { operands: { q, k: uniform(8, 2, 4, 5, 4), v: uniform(9, 2, 4, 5, 4) }, attributes: { num_heads } },
    ],
    [
      "a past, causal",
      {
        operands: {
          ...{ q: uniform(10, 2, 3, 16), k: uniform(11, 2, 3, 16), v: uniform(12, 2, 3, 16), b: undefined, ...none },
          ...{ pastKeys: uniform(13, 2, 4, 4, 4), pastValues: uniform(14, 2, 4, 4, 4) },
        },
        attributes: { num_heads, unidirectional: 1 },
        outputs: 3,
      },
    ],
  ])("%s", (_, form) => compare("com.microsoft.MultiHeadAttention", form, 17));
});

test("MultiHeadAttention of packed tensors, which ONNX Runtime computes on other devices: as of the parts", async () => {
  const [time, heads, width] = [5, 4, 4];
  /** Part `index` of heads [2, time, heads, parts, width], as [2, time, heads · width]. */
  const part = (packed: Tensor, index: number) => {
    const parts = packed.shape[3] ?? 1;
    const elements = packed.toNumbers().filter((_, i) => Math.floor(i / width) % parts === index);
    return asFloat32(tensor(elements, { shape: [2, time, heads * width] }));
  };
  const [all, both] = [uniform(6, 2, time, heads, 3, width), uniform(7, 2, time, heads, 2, width)];
  const b = uniform(8, 3 * heads * width);
  const y = async (operands: Form["operands"]) => {
    const { file, feeds } = fileOf("com.microsoft.MultiHeadAttention", { operands, attributes: { num_heads: heads } });
    return (await runRead(file, feeds))[0]?.toNumbers();
  };
  const apart = { q: part(all, 0), k: part(all, 1), v: part(all, 2), b };
  expect(await y({ q: all, k: undefined, v: undefined, b })).toEqual(await y(apart));
  const q = uniform(9, 2, 3, heads * width);
  expect(await y({ q, k: both })).toEqual(await y({ q, k: part(both, 0), v: part(both, 1) }));
});

describe("GroupQueryAttention", () => {
  const tables = { cos: uniform(8, 16, 8), sin: uniform(9, 16, 8) };
  const attributes = { num_heads: 4, kv_num_heads: 2 };
  const of = (time: number, past: number | undefined, lasts: readonly number[], total: number) => ({
    q: uniform(1, lasts.length, time, 64),
    k: uniform(2, lasts.length, time, 32),
    v: uniform(3, lasts.length, time, 32),
    pastKeys: past === undefined ? undefined : uniform(4, lasts.length, 2, past, 16),
    pastValues: past === undefined ? undefined : uniform(5, lasts.length, 2, past, 16),
    lasts: ints("int32", [lasts.length], ...lasts),
    total: ints("int32", [], total),
  });
  const held = ["total"];
  const outputs = 3;

  test.each<[string, Form]>([
    ["a prompt", { operands: of(5, undefined, [4, 4], 5), attributes, outputs, held }],
    [
      "turned positions",
      {
        operands: { ...of(5, undefined, [4, 4], 5), ...tables },
        attributes: { ...attributes, do_rotary: 1 },
        outputs,
        held,
      },
    ],
    [
      "neighbours turned, in a window, scores in bounds",
      {
        operands: { ...of(6, undefined, [5, 5], 6), ...tables },
        attributes: { ...attributes, do_rotary: 1, rotary_interleaved: 1, local_window_size: 2, softcap: { float: 2 } },
        outputs,
        held,
      },
    ],
    [
      "one token after a past",
      { operands: { ...of(1, 4, [4, 4], 5), ...tables }, attributes: { ...attributes, do_rotary: 1 }, outputs, held },
    ],
    [
      "after pasts of unlike length",
      { operands: { ...of(1, 4, [4, 2], 5), ...tables }, attributes: { ...attributes, do_rotary: 1 }, outputs, held },
    ],
    ["several tokens after a past", { operands: of(3, 4, [6], 7), attributes, outputs, held }],
    [
      "packed",
      {
        operands: { ...of(5, undefined, [4, 4], 5), q: uniform(1, 2, 5, 128), k: undefined, v: undefined },
        attributes,
        outputs,
        held,
      },
    ],
    [
      "a smooth softmax",
      {
        operands: of(5, undefined, [4, 4], 5),
        attributes: { ...attributes, smooth_softmax: 1, ...float },
        outputs,
        held,
      },
    ],
    [
      "positions, a bias of the scores, sinks",
      {
        operands: {
          ...of(5, undefined, [4, 4], 5),
          ...tables,
          positions: ints("int64", [2, 5], 2, 3, 4, 5, 6, 0, 1, 2, 3, 4),
          bias: uniform(6, 1, 4, 5, 5),
          sinks: uniform(7, 4),
        },
        attributes: { ...attributes, do_rotary: 1 },
        outputs,
        held,
      },
    ],
  ])("%s", (_, form) => compare("com.microsoft.GroupQueryAttention", form, 17));
});

describe("RotaryEmbedding", () => {
  const positions = ints("int64", [2, 5], 0, 1, 2, 3, 4, 7, 2, 3, 1, 0);
  const [cos, sin] = [uniform(2, 9, 4), uniform(3, 9, 4)];
  const [x, heads] = [uniform(1, 2, 5, 24), uniform(1, 2, 3, 5, 8)];
  const partial = { num_heads: 3, rotary_embedding_dim: 4 };

  test.each<[string, Form]>([
    ["rows", { operands: { x, cos, sin, positions }, attributes: { num_heads: 3 } }],
    ["heads, neighbours", { operands: { x: heads, cos, sin, positions }, attributes: { interleaved: 1 } }],
    [
      "tables of the positions",
      { operands: { x, cos: uniform(2, 2, 5, 4), sin: uniform(3, 2, 5, 4) }, attributes: { num_heads: 3 } },
    ],
    [
      "some features",
      { operands: { x, cos: uniform(2, 9, 2), sin: uniform(3, 9, 2), positions }, attributes: partial },
    ],
  ])("of ONNX: %s", (_, form) => compare("RotaryEmbedding", form));

  test.each<[string, Form]>([
    ["rows", { operands: { x, positions, cos, sin }, attributes: {} }],
    ["heads, neighbours", { operands: { x: heads, positions, cos, sin }, attributes: { interleaved: 1 } }],
    ["the first position", { operands: { x, positions: ints("int64", [1], 3), cos, sin }, attributes: {} }],
    [
      "some features",
      { operands: { x, positions, cos: uniform(2, 9, 2), sin: uniform(3, 9, 2) }, attributes: partial },
    ],
  ])("of ONNX Runtime: %s", (_, form) => compare("com.microsoft.RotaryEmbedding", form, 17));
});

test.each<[string, Form]>([
  [
    "com.microsoft.Attention",
    {
      operands: { x: uniform(1, 2, 3, 5), w: uniform(2, 5, 24), b: uniform(3, 24) },
      attributes: { num_heads: 2, unidirectional: 1 },
    },
  ],
  [
    "Attention",
    {
      operands: { q: uniform(1, 1, 3, 8), k: uniform(2, 1, 3, 4), v: uniform(3, 1, 3, 4) },
      attributes: { q_num_heads: 4, kv_num_heads: 2, softcap: { float: 2 } },
    },
  ],
  [
    "RotaryEmbedding",
    {
      operands: { x: uniform(1, 1, 3, 8), cos: uniform(2, 1, 3, 2), sin: uniform(3, 1, 3, 2) },
      attributes: { num_heads: 2, interleaved: 1 },
    },
  ],
])("the gradient of %s agrees with differences of its values, in float64", async (type, { operands, attributes }) => {
  const doubles = Object.entries(operands).map(
    ([name, value]) =>
      [name, tensor(value?.toNumbers() ?? [], { dtype: "float64", shape: value?.shape ?? [] })] as const,
  );
  const { file, feeds } = fileOf(type, { operands: Object.fromEntries(doubles), attributes });
  const { graph, inputs } = readFor(file, feeds);
  const [y] = graph.outputs as [Value];
  const loss = reduceSum(mul(y, y));
  const executable = await compile(inputs, [loss, ...gradients([loss], [ones([], "float64")], inputs)], { threads: 1 });
  const at = async (moved?: string, distance = 0) => {
    // Every element of one operand is moved by a share of its own.
    const given = doubles.map(([name, value]) =>
      name !== moved
        ? value
        : tensor(
            value.toNumbers().map((element, i) => element + distance * Math.cos(i)),
            { dtype: "float64", shape: value.shape },
          ),
    );
    return (await executable.run(given)).map((result) => result.toNumbers());
  };
  const here = await at();
  for (const [i, [name]] of doubles.entries()) {
    const slope = (here[i + 1] ?? []).reduce((sum, g, at) => sum + g * Math.cos(at), 0);
    const [before, behind] = [await at(name, -1e-5), await at(name, 1e-5)].map(
      ([value]) => value?.[0] ?? Number.NaN,
    ) as [number, number];
    expect(slope).toBeCloseTo((behind - before) / 2e-5, 6);
  }
});

test("what does not fit is refused in a sentence", () => {
  const read = (type: string, form: Form) => importModel(memorySource(fileOf(type, form).file));
  expect(() =>
    read("Attention", {
      operands: { q: uniform(1, 2, 5, 10), k: uniform(1, 2, 5, 10), v: uniform(1, 2, 5, 10) },
      attributes: { q_num_heads: 3, kv_num_heads: 3 },
    }),
  ).toThrow("Attention: [2, 5, 10] is not [batch, time, width] with a width of 3 equal heads");
  expect(() =>
    read("com.microsoft.Attention", {
      operands: {
        x: uniform(1, 2, 5, 4),
        w: uniform(1, 4, 12),
        b: uniform(1, 12),
        mask: ints("int32", [7], 1, 1, 1, 1, 1, 1, 1),
      },
      attributes: { num_heads: 2 },
    }),
  ).toThrow(
    "Attention: its mask is [7], for 2 samples of 5 queries and 5 keys; expected [2], [4], [2, 5] or [2, 5, 5]",
  );
});
