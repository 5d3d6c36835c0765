/** Roles of layers: what stands before and after them decides. */
import { expect, test } from "vitest";
import type { Value } from "../../graph/ir.ts";
import { batchNorm, type Context, conv2d, dense, embedding, flatten, Module, sequential } from "../../nn/index.ts";
import { add, concat } from "../../ops/index.ts";
import { inspectionOf, networkOf } from "../testing/networks.ts";

const rolesOf = (model: Module, shape: readonly number[], dtype: "float32" | "int32" = "float32") =>
  Object.fromEntries(inspectionOf(networkOf(model, { dtype, shape })).layers.map(({ name, role }) => [name, role]));

test("of a chain: the first weighted layer, the last, and all between", () => {
  const model = sequential([conv2d(2, 3), batchNorm(), flatten(), dense(3), dense(2)]);
  expect(rolesOf(model, [2, 1, 5, 5])).toEqual({
    "layers.0": "input",
    "layers.1": "hidden",
    "layers.2": "hidden",
    "layers.3": "hidden",
    "layers.4": "output",
  });
});

test("a table that the data is looked up in is the input, and the only layer is the output", () => {
  expect(rolesOf(sequential([embedding(9, 4), dense(3), dense(2)]), [2, 5], "int32")).toMatchObject({
    "layers.0": "input",
    "layers.1": "hidden",
    "layers.2": "output",
  });
  expect(rolesOf(sequential([dense(3)]), [2, 4])).toEqual({ "layers.0": "output" });
});

class Branches extends Module {
  readonly left = dense(4);
  readonly right = dense(4);
  readonly deeper = dense(4);
  readonly heads = [dense(2), dense(3)];
  protected call(x: Value, context: Context): Value {
    const left = this.left.apply(x, context);
    const right = this.deeper.apply(this.right.apply(x, context), context);
    return concat(
      this.heads.map((head) => head.apply(add(left, right), context)),
      1,
    );
  }
}

test("branches that both read the data are inputs, heads that nothing follows are outputs", () => {
  expect(rolesOf(new Branches(), [2, 4])).toEqual({
    left: "input",
    right: "input",
    deeper: "hidden",
    "heads.0": "output",
    "heads.1": "output",
  });
});
