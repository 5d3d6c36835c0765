/** The manifest of weights: types, places in files, quantized numbers, and what is refused. */
import { describe, expect, test } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { FileError } from "../../core/errors.ts";
import { readManifest } from "./manifest.ts";

const weight = (name: string, shape: readonly number[], more: object = {}) => ({
  name,
  shape,
  dtype: "float32",
  ...more,
});
const group = (...weights: readonly object[]) => [{ paths: ["group1-shard1of1.bin"], weights }];
const bytes = (...arrays: readonly (Float32Array | Int32Array | Uint8Array | Uint16Array)[]) =>
  Uint8Array.from(arrays.flatMap((array) => [...new Uint8Array(array.buffer)]));

test("types are as stored: of quantized numbers those of the file", () => {
  const weights = readManifest(
    group(
      weight("kernel", [3, 4]),
      weight("small", [5], { quantization: { dtype: "uint8", scale: 0.5, min: -1 } }),
      weight("half", [2], { quantization: { dtype: "float16" } }),
      weight("axes", [2], { dtype: "int32" }),
      weight("words", [7], { dtype: "string" }),
    ),
  );
  expect(Array.from(weights.values(), ({ name, type, dtype }) => [name, type.name, type.bits, dtype])).toEqual([
    ["kernel", "float32", 32, "float32"],
    ["small", "uint8", 8, "float32"],
    ["half", "float16", 16, "float32"],
    ["axes", "int32", 32, "int32"],
    ["words", "string", 8, undefined],
  ]);
  expect(weights.get("kernel")?.read()).toBeUndefined();
});

test("elements are read across files, each after the one before it", () => {
  const all = bytes(
    Float32Array.of(1, 2, 3),
    Uint8Array.of(0, 2, 4),
    Int32Array.of(7, -8),
    Uint16Array.of(1, 3),
    Uint8Array.of(1, 0),
  );
  const parts = new Map([
    ["a", all.slice(0, 9)],
    ["b", all.slice(9, 14)],
    ["c", all.slice(14)],
  ]);
  const opened: string[] = [];
  const listed = [
    weight("x", [3]),
    weight("q", [3, 1], { quantization: { dtype: "uint8", scale: 0.5, min: -1 } }),
    weight("i", [2], { dtype: "int32" }),
    weight("n", [2], { dtype: "int32", quantization: { dtype: "uint16", scale: 1, min: 4 } }),
    weight("b", [2], { dtype: "bool" }),
  ];
  const weights = readManifest([{ paths: [...parts.keys()], weights: listed }], (path) => {
    opened.push(path);
    return memorySource(parts.get(path) ?? new Uint8Array());
  });
  expect(opened).toEqual([]);
  const numbers = (name: string) => weights.get(name)?.read()?.toNumbers();
  expect(["x", "q", "i", "n", "b"].map(numbers)).toEqual([
    [1, 2, 3],
    [-1, 0, 1],
    [7, -8],
    [5, 7],
    [1, 0],
  ]);
  expect(weights.get("q")?.read()?.shape).toEqual([3, 1]);
  expect(opened).toEqual(["a", "b", "c"]);
});

test("what follows text is not looked for; files that are cut off are reported", () => {
  const weights = readManifest(
    group(weight("first", [2]), weight("words", [2], { dtype: "string" }), weight("x", [1])),
    () => memorySource(new Uint8Array(6)),
  );
  expect(weights.get("x")?.read()).toBeUndefined();
  expect(() => weights.get("first")?.read()).toThrow(
    'tfjs: "first" in the files of weights lies at bytes 0 to 8, the file has 6; it is cut off or damaged',
  );
});

describe("what is wrong is reported with its place", () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    [
      "nothing",
      undefined,
      "tfjs: weightsManifest: it is missing, expected the list of the files of weights and what is in them; the file is damaged",
    ],
    ["no list", group().concat([{ paths: ["a"], weights: 3 as never }]), "1.weights is 3, expected a list of weights"],
    ["a shape", group(weight("x", [2, 1.5])), "0.weights.0.shape.1 is 1.5, expected a list of whole numbers from 0"],
    ["a negative extent", group(weight("x", [-1])), "0.weights.0.shape.0 is -1, expected a list of whole numbers"],
    ["a product", group(weight("x", [2 ** 30, 2 ** 30])), "expected extents whose product is a number of elements"],
    ["a type", group(weight("x", [1], { dtype: "float8" })), 'dtype is "float8", expected one of float32, int32, bool'],
    ["a quantization", group(weight("x", [1], { quantization: { dtype: "int4" } })), "expected one of uint8, uint16"],
    ["no name", group({ shape: [1], dtype: "float32" }), "0.weights.0.name is missing, expected a name"],
    [
      "one name twice",
      group(weight("x", [1]), weight("x", [2])),
      'weightsManifest lists "x" twice, the second time as [2]; names must differ',
    ],
    [
      "many",
      group(...["a", "b", "c", "d"].map((name) => weight(name, [-1]))),
      "0.weights.2.shape.0 is -1, expected a list of whole numbers from 0; and 1 more; the file is damaged",
    ],
  ];
  test.each(cases)("%s", (_, manifest, message) => {
    expect(() => readManifest(manifest)).toThrow(FileError);
    expect(() => readManifest(manifest)).toThrow(message);
  });
});
