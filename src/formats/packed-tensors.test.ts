/** Packed matrices, packed here as the papers and the libraries' documentation describe, and what is unpacked of them. */
import { expect, test } from "vitest";
import { Tensor } from "../core/tensor.ts";
import type { Checkpoint } from "./huggingface-weights.ts";
import { unpackedCheckpoint } from "./packed-tensors.ts";

const checkpoint = (
  tensors: Readonly<Record<string, Tensor>>,
  types: Readonly<Record<string, string>> = {},
): Checkpoint => ({
  names: Object.keys(tensors),
  typeOf: (name) => {
    const { dtype, shape } = tensors[name] as Tensor;
    return { shape, type: types[name] ?? dtype, bits: 8 };
  },
  read: (name) => tensors[name] as Tensor,
});

const floats = (shape: readonly number[], of: (i: number) => number) =>
  new Tensor(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => of(i)),
  );
const bytes = (shape: readonly number[], of: (i: number) => number) =>
  new Tensor(
    "uint8",
    shape,
    Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => of(i)),
  );
const json = (value: object) => {
  const text = new TextEncoder().encode(JSON.stringify(value));
  return new Tensor("uint8", [text.length], text);
};

const unpack = (tensors: Readonly<Record<string, Tensor>>, options = {}) => {
  const { names, read } = unpackedCheckpoint(checkpoint(tensors), options);
  expect(names).toEqual(["a.weight"]);
  const { shape, data } = read("a.weight");
  return { shape, values: Array.from(data as Float32Array) };
};

/** The number that each place of a matrix is to hold. */
const number = (i: number, o: number, most: number) => (5 * i + 3 * o + 1) % (most + 1);

test("bitsandbytes, 4 bits: the first of two numbers lies in the upper half of a byte", () => {
  const table = Array.from({ length: 16 }, (_, i) => (i - 8) / 8);
  const found = unpack({
    "a.weight": bytes([4, 1], (i) => ((2 * i) << 4) | (2 * i + 1)),
    "a.weight.absmax": floats([2], (i) => i + 1),
    "a.weight.quant_map": floats([16], (i) => table[i] ?? 0),
    "a.weight.quant_state.bitsandbytes__nf4": json({ quant_type: "nf4", blocksize: 4, shape: [2, 4] }),
  });
  expect(found).toEqual({ shape: [2, 4], values: table.slice(0, 8).map((value, i) => value * (i < 4 ? 1 : 2)) });
});

test("bitsandbytes, 4 bits with packed maxima", () => {
  const found = unpack({
    "a.weight": bytes([2, 1], () => 0x11),
    "a.weight.absmax": bytes([2], (i) => i + 1),
    "a.weight.nested_absmax": floats([1], () => 3),
    "a.weight.nested_quant_map": floats([256], (i) => i / 4),
    "a.weight.quant_map": floats([16], (i) => i),
    "a.weight.quant_state.bitsandbytes__fp4": json({
      ...{ quant_type: "fp4", blocksize: 2, shape: [2, 2], nested_blocksize: 2, nested_offset: 0.5 },
    }),
  });
  // 1 · (map[1] · 3 + 0.5), and of map[2].
  expect(found).toEqual({ shape: [2, 2], values: [1.25, 1.25, 2, 2] });
});

test("bitsandbytes, 8 bits", () => {
  const found = unpack({
    "a.weight": new Tensor("int8", [2, 2], Int8Array.of(127, -127, 0, 127)),
    "a.SCB": floats([2], (i) => i + 1),
  });
  expect(found).toEqual({ shape: [2, 2], values: [1, -1, 0, 2] });
});

/** Numbers of some bits, one after the other from the lowest bit of the first word on. */
function stream(numbers: readonly number[], bits: number): Int32Array {
  const words = new Int32Array(Math.ceil((numbers.length * bits) / 32));
  numbers.forEach((value, at) => {
    for (let bit = 0; bit < bits; bit++)
      if ((value >> bit) & 1)
        words[(at * bits + bit) >> 5] = (words[(at * bits + bit) >> 5] ?? 0) | (1 << ((at * bits + bit) & 31));
  });
  return words;
}

test.each([2, 3, 4, 8])("GPTQ, %i bits: columns go down the words, and zero points are stored less 1", (bits) => {
  const [into, out, groups] = [64, 32, 2];
  const most = 2 ** bits - 1;
  const rows = (into * bits) / 32;
  const weight = new Int32Array(rows * out);
  for (let o = 0; o < out; o++) {
    const column = stream(
      Array.from({ length: into }, (_, i) => number(i, o, most)),
      bits,
    );
    column.forEach((word, row) => {
      weight[row * out + o] = word;
    });
  }
  const zero = (g: number, o: number) => (g + o) % most;
  const zeros = Array.from({ length: groups }, (_, g) => [
    ...stream(
      Array.from({ length: out }, (__, o) => zero(g, o)),
      bits,
    ),
  ]);
  // Rows are in groups out of order, as act-order leaves them.
  const group = (i: number) => i % groups;
  const parts = {
    "a.qweight": new Tensor("int32", [rows, out], weight),
    "a.qzeros": new Tensor("int32", [groups, (out * bits) / 32], Int32Array.from(zeros.flat())),
    "a.scales": floats([groups, out], (i) => 1 + i / 64),
    "a.g_idx": new Tensor(
      "int32",
      [into],
      Int32Array.from({ length: into }, (_, i) => group(i)),
    ),
  };
  const expected = (own: 0 | 1) =>
    Array.from({ length: out * into }, (_, at) => {
      const [o, i] = [Math.floor(at / into), at % into];
      return Math.fround((1 + (group(i) * out + o) / 64) * (number(i, o, most) - zero(group(i), o) - own));
    });
  expect(unpack(parts)).toEqual({ shape: [out, into], values: expected(1) });
  expect(unpack(parts, { exactZeros: true }).values).toEqual(expected(0));
});

test("AWQ: eight columns of a row in a word, in the order of its kernels", () => {
  const [into, out] = [4, 16];
  // AutoAWQ's order: the number at 4 · i bits is that of column order[i].
  const order = [0, 2, 4, 6, 1, 3, 5, 7];
  const pack = (rows: number, value: (row: number, column: number) => number) =>
    Int32Array.from({ length: (rows * out) / 8 }, (_, at) => {
      const [row, word] = [Math.floor(at / (out / 8)), at % (out / 8)];
      return order.reduce((sum, column, i) => sum | (value(row, 8 * word + column) << (4 * i)), 0);
    });
  const found = unpack({
    "a.qweight": new Tensor(
      "int32",
      [into, out / 8],
      pack(into, (i, o) => number(i, o, 15)),
    ),
    "a.qzeros": new Tensor(
      "int32",
      [2, out / 8],
      pack(2, (g, o) => (g + o) % 16),
    ),
    "a.scales": floats([2, out], (i) => 1 + i),
  });
  const values = Array.from({ length: out * into }, (_, at) => {
    const [o, i] = [Math.floor(at / into), at % into];
    const group = Math.floor(i / 2);
    return (1 + group * out + o) * (number(i, o, 15) - ((group + o) % 16));
  });
  expect(found).toEqual({ shape: [out, into], values });
});

test.each([
  ["weight_scale_inv", [2, 1], (o: number) => (o < 128 ? 2 : 3)],
  ["weight_scale", [130, 1], (o: number) => o],
  ["weight_scale", [1], () => 2],
] as const)("float8 with %s %j", (part, shape, factor) => {
  const values: readonly number[] =
    part === "weight_scale_inv" ? [2, 3] : shape.length === 1 ? [2] : Array.from({ length: 130 }, (_, i) => i);
  const tensors = { "a.weight": floats([130, 2], () => 1.5), [`a.${part}`]: floats(shape, (i) => values[i] ?? 0) };
  const { names, read } = unpackedCheckpoint(checkpoint(tensors, { "a.weight": "float8_e4m3" }));
  expect(names).toEqual(["a.weight"]);
  expect(Array.from(read("a.weight").data as Float32Array)).toEqual(
    Array.from({ length: 260 }, (_, at) => 1.5 * factor(Math.floor(at / 2))),
  );
});

test("parts that are missing or of another size are named", () => {
  const parts = {
    "a.weight": bytes([4, 1], () => 0),
    "a.weight.absmax": floats([3], () => 1),
    "a.weight.quant_map": floats([16], () => 1),
  };
  const state = { "a.weight.quant_state.bitsandbytes__nf4": json({ blocksize: 4, shape: [2, 4] }) };
  expect(() => unpack(parts)).toThrow('the packed tensor "a.weight" has no quant_state, which says its shape');
  expect(() => unpack({ ...parts, ...state })).toThrow("its absmax has 3 numbers, expected 2; the file is damaged");
  const { "a.weight.quant_map": _, ...less } = parts;
  expect(() => unpack({ ...less, ...state })).toThrow('needs "a.weight.quant_map", which the checkpoint lacks');
});
