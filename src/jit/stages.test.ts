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
        (values) => communicator.sum(values),
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
