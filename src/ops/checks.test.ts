/** Positions and numbers are checked before they are fed: the error names the tensor, the row and what fits. */
import { expect, test } from "vitest";
import { tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { jit } from "../jit/jit.ts";
import * as ops from "./index.ts";

const table = tensor([
  [1, 2],
  [3, 4],
  [5, 6],
]);
const at = (...values: number[]) => tensor(values, { dtype: "int32" });

test.each<readonly [string, (x: Value, i: Value) => Value]>([
  ["gather", (x, i) => ops.gather(x, i)],
  ["gatherElements", (x, i) => ops.gatherElements(x, ops.reshape(i, [1, 2]))],
  ["scatterRows", (x, i) => ops.scatterRows([3, 2], i, ops.slice(x, { axis: 0, end: 2 }))],
])("%s", async (_, build) => {
  const run = jit(build);
  await run(table, at(0, 2));
  for (const wrong of [3, -4])
    await expect(run(table, at(0, wrong))).rejects.toThrow(
      `the index of row 1 is ${wrong}, expected a whole number from -3 to 2; the axis that it reads has 3 elements: correct the row`,
    );
});

test("negative positions count from the end of an axis", async () => {
  expect((await jit((x: Value, i: Value) => ops.gather(x, i))(table, at(-1))).toArray()).toEqual([[5, 6]]);
});
