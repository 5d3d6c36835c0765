/** Packed tensors count as the matrices that they stand for; masks and statistics are buffers. */
import { expect, test } from "vitest";
import { elementsOf, isBuffer, logicalTensors, packingNotes, type StoredTensor } from "./stored-tensors.ts";

const tensor = (name: string, type: string, shape: readonly number[]): StoredTensor => ({
  name,
  type,
  shape,
  bits: Number(/\d+/.exec(type)?.[0] ?? 8),
});
/** What remains as weights, with elements and bits. */
const weightsOf = (tensors: readonly StoredTensor[]) =>
  logicalTensors(tensors)
    .filter((one) => !isBuffer(one))
    .map((one) => [one.name, elementsOf(one), one.type, one.bits, one.packing]);

test.each([
  ["nf4", "quant_state.bitsandbytes__nf4"],
  ["fp4", "quant_state.bitsandbytes__fp4"],
])("bitsandbytes in 4 bits, %s", (type, state) => {
  const parts = [
    tensor("q_proj.weight", "uint8", [32, 1]),
    ...["absmax", "quant_map", "nested_absmax", "nested_quant_map", state].map((part) =>
      tensor(`q_proj.weight.${part}`, part === "absmax" || part === state ? "uint8" : "float32", [4]),
    ),
    tensor("norm.weight", "bfloat16", [8]),
  ];
  expect(weightsOf(parts)).toEqual([
    ["q_proj.weight", 64, type, 4, "bitsandbytes"],
    ["norm.weight", 8, "bfloat16", 16, undefined],
  ]);
  expect(packingNotes(logicalTensors(parts))[0]).toMatch(/^Packed by bitsandbytes: 1 matrix \((nf4|fp4)\)/);
});

test("bitsandbytes in 8 bits", () =>
  expect(
    weightsOf([
      tensor("q_proj.weight", "int8", [16, 8]),
      tensor("q_proj.SCB", "float32", [16]),
      tensor("q_proj.weight_format", "uint8", []),
    ]),
  ).toEqual([["q_proj.weight", 128, "int8", 8, "bitsandbytes"]]));

// [in, out] = [64, 32] in groups of 32.
test.each([2, 3, 4, 8])("GPTQ in %i bits", (bits) => {
  const packed = logicalTensors([
    tensor("up.qweight", "int32", [(64 * bits) / 32, 32]),
    tensor("up.qzeros", "int32", [2, bits]),
    tensor("up.scales", "float16", [2, 32]),
    tensor("up.g_idx", "int32", [64]),
  ]);
  const [weight] = packed;
  expect(weight).toMatchObject({ name: "up.weight", shape: [32, 64], type: `int${bits}`, bits, packing: "GPTQ" });
  expect(packed.slice(1).every(isBuffer)).toBe(true);
});

test("AWQ packs along the outputs", () => {
  const [weight, ...others] = logicalTensors([
    tensor("up.qweight", "int32", [64, 4]),
    tensor("up.qzeros", "int32", [2, 4]),
    tensor("up.scales", "float16", [2, 32]),
  ]);
  expect(weight).toMatchObject({ name: "up.weight", shape: [32, 64], bits: 4, packing: "AWQ" });
  expect(others.every(isBuffer)).toBe(true);
});

test("what only looks packed stays as it is", () => {
  const tensors = [
    tensor("a.qweight", "int32", [8, 32]),
    tensor("b.scales", "float16", [2, 32]),
    tensor("c.weight", "uint8", [32, 1]),
    tensor("d.absmax", "float32", [4]),
  ];
  expect(logicalTensors(tensors)).toEqual(tensors);
});

test("a packing that is not understood is said, not counted in silence", () => {
  // Symmetric, without zero points: the bits do not show.
  const tensors = logicalTensors([tensor("up.qweight", "int32", [8, 32]), tensor("up.scales", "float16", [2, 32])]);
  expect(packingNotes(tensors)).toEqual([
    "Not understood: how 1 matrix is packed (up.qweight); what they stand for is not counted.",
  ]);
});

test.each([
  ["h.0.attn.bias", "float32", [1, 1, 16, 16], true],
  ["gpt_neox.layers.0.attention.bias", "bool", [1, 1, 16, 16], true],
  ["transformer.h.0.attn.attention.bias", "uint8", [1, 1, 16, 16], true],
  ["h.0.attn.masked_bias", "float32", [], true],
  ["layers.0.self_attn.rotary_emb.inv_freq", "float32", [32], true],
  ["bn.running_mean", "float32", [8], true],
  ["h.0.attn.c_attn.bias", "float32", [2304], false],
  ["conv.weight", "float32", [1, 1, 3, 3], false],
  ["packed.weight", "int4", [8, 8], false],
] as const)("%s is a buffer: %s %j %s", (name, type, shape, expected) => {
  expect(isBuffer(tensor(name, type, shape))).toBe(expected);
});
