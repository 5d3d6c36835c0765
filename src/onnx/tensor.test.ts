/** Elements in each field where onnx.proto (TensorProto) allows them. */
import { expect, test } from "vitest";
import { memorySource } from "../core/byte-source.ts";
import { encodeMessage } from "./codec.ts";
import { decodeMessage } from "./decode.ts";
import { TensorProto } from "./schema.ts";
import { storedTensor } from "./tensor.ts";

/** A tensor of 6 elements with what its fields hold. */
const stored = (data_type: number, fields: object) =>
  storedTensor(
    decodeMessage(
      TensorProto,
      memorySource(encodeMessage(TensorProto, { name: "w", dims: [2, 3], data_type, ...fields })),
    ),
    () => {
      throw new Error("nothing lies beside it");
    },
  );

test.each([
  ["int8", 3],
  ["bfloat16", 16],
  ["float8e4m3fn", 17],
  ["float8e5m2", 19],
])("%s, a number each in int32_data", (name, code) => {
  const { type, bytes } = stored(code, { int32_data: [0, 1, 2, 3, 4, 5] });
  expect([type.name, bytes]).toEqual([name, (6 * type.bits) / 8]);
  expect(() => stored(code, { int32_data: [0, 1, 2] })).toThrow("needs 6 elements, the file has at most 3");
});

test.each([
  ["uint4", 21],
  ["int4", 22],
  ["float4e2m1", 23],
])("%s, two to a number in int32_data", (name, code) => {
  const { type, bytes } = stored(code, { int32_data: [0x10, 0x32, 0x54] });
  expect([type.name, bytes]).toEqual([name, 3]);
  expect(() => stored(code, { int32_data: [0x10, 0x32] })).toThrow("needs 6 elements, the file has at most 4");
});

test("bfloat16 and its numbers", () =>
  expect(
    stored(16, { int32_data: [0x3f80, 0x4000, 0, 0xbf80, 0, 0] })
      .read()
      .toNumbers(),
  ).toEqual([1, 2, 0, -1, 0, 0]));

test("a field that is another type's is refused", () => {
  expect(() => stored(22, { float_data: [1, 2, 3] })).toThrow('of type int4 has its elements in "float_data"');
  expect(() => stored(1, { int32_data: [1, 2, 3, 4, 5, 6] })).toThrow(
    'of type float32 has its elements in "int32_data"',
  );
});
