/** Host tensors: what is said of shapes and arrays that do not fit, and axes in another order. */
import { expect, test } from "vitest";
import { tensor, transposed } from "./tensor.ts";

test("nested numbers become a tensor of their shape", () => {
  expect(tensor([[[1], [2]]]).shape).toEqual([1, 2, 1]);
  expect(tensor([[], []]).shape).toEqual([2, 0]);
  expect(tensor([true, false]).dtype).toBe("bool");
});

// As many numbers in all as equal rows would have, or numbers beside rows.
test.each([[[[1, 2], [3, 4, 5], [6]]], [[1, [2]]], [[[1, 2], [3]]]])("rows that differ are refused: %j", (rows) => {
  expect(() => tensor(rows)).toThrow("nested rows differ in length");
});

test("a typed array keeps its numbers: uint16 is no float16, uint8 no bool", () => {
  expect(tensor(Uint16Array.of(1, 2)).dtype).toBe("uint16");
  expect(tensor(Uint8Array.of(1, 2)).dtype).toBe("uint8");
  expect(tensor(Uint16Array.of(0x3c00), { dtype: "float16" }).dtype).toBe("float16");
});

test("axes are put in another order", () => {
  const x = tensor([
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  ]); // [1, 2, 3]
  expect(transposed(x, [2, 0, 1]).toArray()).toEqual([[[1, 4]], [[2, 5]], [[3, 6]]]);
  expect(transposed(x, [0, 1, 2])).toEqual(x);
  expect(
    transposed(
      tensor([
        [1n, 2n],
        [3n, 4n],
      ]),
      [1, 0],
    ).toArray(),
  ).toEqual(
    tensor([
      [1n, 3n],
      [2n, 4n],
    ]).toArray(),
  );
  expect(transposed(tensor(7), []).item()).toBe(7);
});

test("an open extent must come out whole", () => {
  expect(tensor([1, 2, 3, 4]).reshape([2, -1]).shape).toEqual([2, 2]);
  expect(() => tensor([1, 2, 3]).reshape([2, -1])).toThrow("shape [2, 1.5] is not of whole numbers, of 3 elements");
});
