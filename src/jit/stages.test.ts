/** Graphs in which processes meet: sums one after the other, gradients through them, outputs in their places. */
import { expect, test } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { tensor, zerosTensor } from "../core/tensor.ts";
import { ranksInProcess } from "../distributed/in-process.ts";
import { input } from "../graph/ir.ts";
import { add, mul, reduceSum, scalar, square, sub, sumOverRanks } from "../ops/index.ts";
import { compileStages } from "./stages.ts";

test("two ranks compute the variance of all numbers and its gradient", async () => {
  const numbers = [
    [1, 2],
    [3, 6],
  ];
  const results = await Promise.all(
    ranksInProcess(2).map(async (communicator) => {
      const x = input("float32", [2]);
      const mean = mul(sumOverRanks(reduceSum(x)), 0.25);
      const own = reduceSum(square(sub(x, mean)));
      const whole = sumOverRanks(own);
      // The loss of a rank is its own part: theirs add up to the whole.
      const [gradient = x] = gradients([own], [scalar(1)], [x]);
      const place = zerosTensor("float32", [2]);
      const { run, executables } = await compileStages(
        [x],
        [whole, gradient, add(gradient, 0), mean, x],
        undefined,
        new Set(),
        { sum: (values) => communicator.sum(values) },
      );
      const outputs = await run([tensor(numbers[communicator.rank] ?? [])], [undefined, place]);
      expect(outputs[1]).toBe(place);
      for (const { session } of executables) await session.release();
      return { stages: executables.length, outputs: outputs.map((output) => output.toNumbers()) };
    }),
  );
  // Of 1, 2, 3, 6: mean 3, squares 4 + 1 + 0 + 9; the gradient is 2 (x - 3).
  expect(results).toEqual([
    { stages: 3, outputs: [[14], [-4, -2], [-4, -2], [3], [1, 2]] },
    { stages: 3, outputs: [[14], [0, 6], [0, 6], [3], [3, 6]] },
  ]);
});

test("outputs are there group by group, each in its place before the next is computed", async () => {
  const x = input("float32", [2]);
  const [w, v] = [input("float32", [2]), input("float32", [2])];
  const hidden = mul(x, w);
  const loss = reduceSum(square(mul(hidden, v)));
  const [ofW = x, ofV = x] = gradients([loss], [scalar(1)], [w, v]);
  const places = [zerosTensor("float32", [2]), zerosTensor("float32", [2]), zerosTensor("float32", [2])] as const;
  // The last output stands twice.
  const outputs = [loss, ofW, ofV, ofV];
  const { run, executables } = await compileStages([x, w, v], outputs, undefined, new Set(), {
    sum: async () => undefined,
    groups: [[0, 2, 3], [1]],
  });
  const seen: unknown[] = [];
  await run([tensor([1, 2]), tensor([3, 4]), tensor([5, 6])], [undefined, ...places], (group) =>
    seen.push([group, ...places.map((place) => place.toNumbers())]),
  );
  for (const { session } of executables) await session.release();
  // Of (x w v)²: by v 2 (x w)² v, by w 2 (x v)² w.
  expect(seen).toEqual([
    [0, [0, 0], [90, 768], [90, 768]],
    [1, [150, 1152], [90, 768], [90, 768]],
  ]);
  expect(executables).toHaveLength(2);
});
