/** Best path decoding, by hand. */
import { expect, it } from "vitest";
import { tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { jit } from "../../jit/jit.ts";
import { oneHot } from "../../ops/index.ts";
import { ctcDecode } from "./ctc-decode.ts";

const decode = (paths: readonly (readonly number[])[], length: number, blank = 0) =>
  jit((labels: Value) => ctcDecode(oneHot(labels, 4), length, { blank }))(tensor(paths, { dtype: "int64" }));

it("repetitions are taken once, blanks left out", async () => {
  const paths = [
    [0, 1, 1, 0, 1, 2],
    [3, 3, 3, 3, 3, 3],
    [0, 0, 0, 0, 0, 0],
    [1, 2, 3, 0, 0, 3],
  ];
  expect((await decode(paths, 4)).toArray()).toEqual([
    [1, 1, 2, -1],
    [3, -1, -1, -1],
    [-1, -1, -1, -1],
    [1, 2, 3, 3],
  ]);
});

it("what is longer is cut, another class may be the blank", async () => {
  expect((await decode([[1, 2, 3]], 2)).toArray()).toEqual([[1, 2]]);
  expect((await decode([[3, 0, 0, 3, 0, 1]], 4, 3)).toArray()).toEqual([[0, 0, 1, -1]]);
  await expect(decode([[1]], 0)).rejects.toThrow(/length is 0/);
});
