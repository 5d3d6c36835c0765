/** What configs say of storage, in the fields that the libraries write. */
import { expect, test } from "vitest";
import { storedTypesOf } from "./stored-types.ts";

test.each([
  [{ torch_dtype: "bfloat16" }, { type: "bfloat16", bits: 16 }],
  [{ dtype: "float16" }, { type: "float16", bits: 16 }],
  [{ torch_dtype: "torch.float32" }, { type: "float32", bits: 32 }],
  [{ torch_dtype: "auto" }, undefined],
  [{}, undefined],
])("%j", (config, plain) => expect(storedTypesOf(config)).toEqual({ plain, packed: undefined, notes: [] }));

test.each([
  [
    { quant_method: "gptq", bits: 4, group_size: 128 },
    { type: "int4", bits: 4 },
  ],
  [
    { quant_method: "awq", w_bit: 4 },
    { type: "int4", bits: 4 },
  ],
  [
    { quant_method: "bitsandbytes", load_in_4bit: true, bnb_4bit_quant_type: "nf4" },
    { type: "nf4", bits: 4 },
  ],
  [
    { quant_method: "bitsandbytes", load_in_8bit: true },
    { type: "int8", bits: 8 },
  ],
  [{ quant_method: "fp8" }, { type: "float8_e4m3", bits: 8 }],
])("%j", (quantization_config, packed) => {
  const { notes, ...found } = storedTypesOf({ torch_dtype: "float16", quantization_config });
  expect(found).toEqual({ plain: { type: "float16", bits: 16 }, packed });
  expect(notes).toEqual([
    expect.stringContaining(`by ${quantization_config.quant_method} with ${packed.bits} bits; scales`),
  ]);
});

test("what is not known is said", () => {
  const { plain, packed, notes } = storedTypesOf({
    torch_dtype: "posit8",
    quantization_config: { quant_method: "hqq" },
  });
  expect([plain, packed]).toEqual([undefined, undefined]);
  expect(notes).toEqual([
    `The config's torch_dtype, "posit8", is not known: weights are counted as float32.`,
    "The config's quantization_config, of hqq, is not known: weights are counted as if they were not packed.",
  ]);
});
