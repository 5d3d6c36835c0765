/** Operators by index, of the types that the engine has no kernel for by itself. */
import { expect, test } from "vitest";
import { tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { jit } from "../jit/jit.ts";
import { oneHot } from "./index.ts";

test.each(["int32", "int64"] as const)("one-hot rows of %s indices, of any type", async (indices) => {
  for (const dtype of ["float32", "float64", "int32", "int64", "bool"] as const) {
    const hot = await jit((at: Value) => oneHot(at, 3, dtype))(tensor([2, 0], { dtype: indices }));
    expect(hot.dtype).toBe(dtype);
    expect(hot.toArray()).toEqual([
      [0, 0, 1],
      [1, 0, 0],
    ]);
  }
});
