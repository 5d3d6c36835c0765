/** Asking a model while it changes. */
import { expect, test } from "vitest";
import { tensor } from "../core/tensor.ts";
import { dense } from "../nn/index.ts";
import { livePredictor } from "./evaluate.ts";

test("a live predictor reads the parameters anew, or takes others", async () => {
  const model = dense(1, { bias: false });
  const x = tensor([[2, 3]]);
  const ask = await livePredictor(model, x);
  await expect(ask(x)).rejects.toThrow('parameter "weight" has no value');
  const weight = model.parameters().get("weight");
  if (!weight) throw new Error("no weight");
  weight.value = tensor([[1, 1]]);
  expect((await ask(x)).item()).toBe(5);
  weight.value = tensor([[1, 10]]);
  expect((await ask(x)).item()).toBe(32);
  expect((await ask(x, new Map([[weight, tensor([[0, 1]])]]))).item()).toBe(3);
});
