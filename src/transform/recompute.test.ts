/** Values that are computed again on the way back: the same gradients, of fewer kept bytes. */
import { expect, test } from "vitest";
import { differentiate, gradients as gradientsOf } from "../autodiff/gradients.ts";
import { foldIn, keyOf, Random } from "../core/random.ts";
import { size } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { graphOf, input, nodesOf, type Value } from "../graph/ir.ts";
import { compile, optimize } from "../jit/compile.ts";
import * as ops from "../ops/index.ts";
import { recomputed, stepOf } from "./recompute.ts";

/** Layers of a gated feed-forward network (Shazeer 2020, eq. 6): 5 values of each are kept, 3 of them elementwise of the others. */
function gatedStep(layers: number, [rows, width]: readonly [number, number]) {
  const x = input("float32", [rows, width], "x");
  const weights = Array.from({ length: 3 * layers }, (_, i) => input("float32", [width, width], `w${i}`));
  let y: Value = x;
  for (let layer = 0; layer < layers; layer++) {
    const [gate, up, down] = weights.slice(3 * layer) as [Value, Value, Value];
    const opened = ops.linear(y, gate);
    const gated = ops.mul(ops.mul(opened, ops.sigmoid(opened)), ops.linear(y, up));
    y = ops.add(y, ops.linear(gated, down));
  }
  const { loss, gradients } = differentiate(ops.reduceMean(ops.square(y)), { wrt: weights });
  return { inputs: [x, ...weights], loss, gradients: gradients as readonly Value[] };
}

/** Forward values that the way back reads, however often: those that are no views of another. */
function keptBytes(loss: Value, gradients: readonly Value[]): number {
  const before = new Set(nodesOf([loss]));
  const read = nodesOf(gradients)
    .filter((node) => !before.has(node))
    .flatMap((node) => node.inputs)
    .filter((value) => value?.producer && before.has(value.producer)) as Value[];
  return [
    ...new Set(read.map(({ producer }) => (producer?.op === ops.Reshape ? producer.inputs[0] : producer?.outputs[0]))),
  ]
    .map((value) => 4 * size(value?.shape ?? []))
    .reduce((sum, bytes) => sum + bytes, 0);
}

test("elementwise results are computed again, once all that is kept is large", async () => {
  const { inputs, loss, gradients } = gatedStep(3, [512, 512]);
  expect(recomputed(stepOf([loss], gradients))).toBe(gradients);
  const again = recomputed(stepOf([loss], gradients), 1);
  // Of 5 or 6 values a layer, 3 of which are made of the others.
  expect(keptBytes(loss, again)).toBeLessThan(0.6 * keptBytes(loss, gradients));

  const fed = inputs.map(({ shape }, i) => {
    const random = new Random(foldIn(keyOf(1), i));
    const scale = i === 0 ? 1 : 0.05;
    return new Tensor(
      "float32",
      shape,
      Float32Array.from({ length: size(shape) }, () => scale * random.normal()),
    );
  });
  const run = async (outputs: readonly Value[]) => {
    const step = await compile(inputs, outputs);
    const results = await step.run(fed);
    await step.session.release();
    return results;
  };
  const [kept, anew] = [await run([loss, ...gradients]), await run([loss, ...again])];
  for (const [i, { data }] of kept.entries()) expect(anew[i]?.data, `output ${i}`).toEqual(data);
});

test("what follows from a value alone waits for the gradient too, though it stands before it", async () => {
  const [x, w] = [input("float32", [512, 512], "x"), input("float32", [512, 512], "w")];
  const layer = (from: Value) => {
    const z = ops.linear(from, w);
    const opened = ops.sigmoid(z);
    return { z, opened, gated: ops.mul(z, opened) };
  };
  const first = layer(x);
  const second = layer(first.gated);
  const loss = ops.reduceMean(ops.square(ops.linear(second.gated, w)));
  const [arriving] = gradientsOf([loss], [ops.ones([])], [second.gated]) as [Value];
  // Each slope is made before the gradient that it is multiplied with.
  const back = ({ z, opened }: ReturnType<typeof layer>, given: Value) =>
    ops.mul(ops.add(opened, ops.mul(z, ops.mul(opened, ops.sub(1, opened)))), given);
  const gradient = ops.matmul(back(first, ops.matmul(back(second, arriving), w)), x, { transA: true });
  const [again] = recomputed(stepOf([loss], [gradient]), 1) as [Value];
  const counted = (outputs: readonly Value[]) =>
    optimize(graphOf([x, w], outputs)).nodes.filter(({ op }) => op.contracts).length;
  expect(again).not.toBe(gradient);
  expect(counted([loss, again])).toBe(counted([loss, gradient]));
  const fed = [x, w].map(({ shape }, i) => {
    const random = new Random(foldIn(keyOf(2), i));
    return new Tensor(
      "float32",
      shape,
      Float32Array.from({ length: size(shape) }, () => 0.1 * random.normal()),
    );
  });
  const { run, session } = await compile([x, w], [gradient, again]);
  const [kept, anew] = await run(fed);
  expect(anew?.data).toEqual(kept?.data);
  await session.release();
});

test("beside few products nothing is computed again: it would take a good part of the time", () => {
  const { loss, gradients } = gatedStep(2, [1 << 16, 8]);
  expect(recomputed(stepOf([loss], gradients), 1)).toBe(gradients);
});

test("what is computed again waits for a gradient, whatever the passes make of it", () => {
  const { inputs, loss, gradients } = gatedStep(2, [512, 512]);
  const again = recomputed(stepOf([loss], gradients), 1);
  const count = (outputs: readonly Value[]) =>
    optimize(graphOf(inputs, outputs)).nodes.filter(({ op }) => op === ops.Sigmoid).length;
  expect([count([loss, ...gradients]), count([loss, ...again])]).toEqual([2, 4]);
});
