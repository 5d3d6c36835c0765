/** Taking residual blocks out: a block that adds nothing is not missed. */
import { expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { type Tensor, zerosTensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/index.ts";
import { run } from "../../formats/testing/run.ts";
import { gpt2Architectures, presetOf } from "../../models/index.ts";
import { fill, signed } from "../../models/testing/fill.ts";
import { type AnyModule, crossEntropy, dense, meanSquaredError, sequential } from "../../nn/index.ts";
import { cutBlocks, planBlocks, pruneBlocks } from "./index.ts";
import { batchOf, difference } from "./testing/exactness.ts";

const image = { dtype: "float32", shape: [1, 3, 32, 32] } as const;
/** What a model gives itself, from which it is apart by nothing. */
const own = async (model: AnyModule, x: Tensor) => {
  const [y] = await run(model, x);
  return fromTensors({ x, y: y as Tensor }).batch(2);
};
const resnet = () => {
  const model = presetOf("resnet18").build({ classes: 10 });
  model.trace(image);
  fill(model);
  return model;
};
const erase = (model: AnyModule, ...paths: readonly string[]) => {
  for (const path of paths) {
    const parameter = model.parameters().get(path);
    if (parameter) parameter.value = zerosTensor("float32", parameter.shape);
  }
};

test("blocks that add nothing go first, and are not missed", async () => {
  const model = resnet();
  for (const name of ["layer1.1", "layer3.1"]) erase(model, `${name}.bn2.weight`, `${name}.bn2.bias`);
  const { plan, model: smaller } = await pruneBlocks(model, {
    drop: 2,
    data: await own(model, batchOf(image, 4)),
    loss: meanSquaredError(),
  });
  // Of eight blocks three change the shape.
  expect(plan.blocks.map(({ dropped }) => dropped)).toEqual([false, true, false, true, false]);
  expect(plan.blocks[1]?.parameters).toContain("layer1.1.conv1.weight");
  expect(plan.blocks[1]?.lossIncrease).toBeCloseTo(0, 4);
  expect(plan.macs.after).toBe(plan.macs.before - (plan.blocks[1]?.macs ?? 0) - (plan.blocks[3]?.macs ?? 0));
  expect([...smaller.parameters().keys()].filter((path) => /^layer(1|3)\.1\./.test(path))).toEqual([]);
  const { apart, size } = await difference(model, smaller, batchOf(image, 3));
  expect(apart).toBeLessThanOrEqual(1e-5 * Math.max(1, size));
});

test("attention and feed-forward networks of a decoder are blocks of their own", async () => {
  const sizes = { vocabulary: 50, width: 16, layers: 2, heads: 4, feedForward: 32, positions: 8 };
  const tokens = { dtype: "int64", shape: [1, 6] } as const;
  const model = gpt2Architectures.GPT2LMHeadModel({ sizes });
  model.trace(tokens);
  fill(model);
  erase(model, "transformer.h.1.mlp.c_proj.weight", "transformer.h.1.mlp.c_proj.bias");
  const { plan, model: smaller } = await pruneBlocks(model, {
    drop: 1,
    data: await own(model, batchOf(tokens, 2)),
    loss: meanSquaredError(),
    inputs: tokens,
  });
  expect(plan.blocks.map(({ dropped }) => dropped)).toEqual([false, false, false, true]);
  const { apart, size } = await difference(model, smaller, batchOf(tokens, 3));
  expect(apart).toBeLessThanOrEqual(1e-5 * Math.max(1, size));
});

test("is refused for more blocks than there are, and for a plan of another model", async () => {
  const plain = sequential([dense(4), dense(2)]);
  plain.initialize(keyOf(0), { dtype: "float32", shape: [1, 3] });
  const rows = fromTensors({ x: signed("rows", [2, 3]), y: zerosTensor("int32", [2]) }).batch(2);
  const options = { data: rows, loss: crossEntropy() };
  await expect(planBlocks(plain, { ...options, drop: 1 })).rejects.toThrow(/the model has 0 residual blocks/);
  await expect(planBlocks(plain, { ...options, drop: 0 })).rejects.toThrow(/drop/);
  const plan = await planBlocks(resnet(), {
    drop: 1,
    data: await own(resnet(), batchOf(image, 2)),
    loss: meanSquaredError(),
  });
  expect(() => cutBlocks(plain, plan)).toThrow(/the plan has 5 blocks, the model 0/);
});
