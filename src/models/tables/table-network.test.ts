/** Networks of tables: what columns become, what members and kinds add up to. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { jit } from "../../jit/jit.ts";
import { predict } from "../../train/predict.ts";
import {
  binned,
  categoryCount,
  categoryIds,
  rowWidth,
  standardized,
  type TableColumn,
  wordWeights,
} from "./table-columns.ts";
import { TableNetwork, tableCandidates } from "./table-network.ts";

const columns: readonly TableColumn[] = [
  { kind: "number", fill: 2, mean: 1, deviation: 2, edges: [0, 1, 3], hasMissing: true },
  { kind: "category", values: 2 },
  { kind: "number", fill: 0, mean: 0, deviation: 1, edges: [-1, 1], hasMissing: false },
  { kind: "words", words: 2 },
  { kind: "category", values: 3 },
];
const nan = Number.NaN;
const rows = tensor([
  [2, 1, 0, 0.6, 0.8, 2],
  [nan, -1, 99, 0, 0, 3],
  [-5, nan, -2, 1, 0, 0],
]);

const computed = async (of: (x: Value) => Value | undefined) => {
  const found = await jit((x: Value) => of(x) as Value)(rows);
  // 0 in place of -0.
  return (found.toArray() as number[][]).map((row) => row.map((value) => value + 0));
};

describe("columns", () => {
  test("numbers are standardized, filled and bounded; what is missing has a number of its own", async () => {
    expect(rowWidth(columns)).toBe(6);
    // (2 - 1) / 2; the median where it is missing; (-5 - 1) / 2; 99 is beyond 6 deviations.
    expect(await computed((x) => standardized(x, columns))).toEqual([
      [0.5, 0, 0],
      [0.5, 6, 1],
      [-3, -2, 0],
    ]);
  });

  test("numbers fill their bins; a bin that a column does not have stays empty", async () => {
    expect(await computed((x) => binned(x, columns))).toEqual([
      [1, 0.5, 0.5, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 0],
    ]);
  });

  test("categories have places in one list, with one for what is unknown", async () => {
    expect(categoryCount(columns)).toBe(7);
    expect(await computed((x) => categoryIds(x, columns))).toEqual([
      [1, 5],
      [2, 6],
      [2, 3],
    ]);
  });

  test("words keep their weights", async () => {
    expect(await computed((x) => wordWeights(x, columns))).toEqual([
      [expect.closeTo(0.6, 6), expect.closeTo(0.8, 6)],
      [0, 0],
      [1, 0],
    ]);
  });

  test("a table may lack each kind", async () => {
    const [number, category] = [columns[0] as TableColumn, columns[1] as TableColumn];
    for (const own of [[number], [category], [{ kind: "words", words: 1 } as const]]) {
      const model = new TableNetwork(own, { outputs: 2, members: 2, width: 4 });
      model.trace({ dtype: "float32", shape: [1, 1] });
      model.initialize(keyOf(1));
      const y = await predict(model, tensor([[1], [0]]));
      expect(y.shape).toEqual([2, 2]);
    }
  });
});

describe("TableNetwork", () => {
  const made = (target?: { mean: number; deviation: number }) => {
    const model = new TableNetwork(columns, { outputs: target ? 1 : 3, target, members: 2, width: 8 });
    model.trace({ dtype: "float32", shape: [1, 6] });
    model.initialize(keyOf(1));
    return model;
  };

  test("begins at equal probabilities, or at the mean: its last layers begin at 0", async () => {
    const y = await predict(made(), rows);
    expect(y.shape).toEqual([3, 3]);
    // Categories' vectors of the sums begin near 0 only.
    for (const value of y.data) expect(Number(value)).toBeCloseTo(Math.log(1 / 3), 0);
    const numbers = await predict(made({ mean: 50, deviation: 10 }), rows);
    for (const value of numbers.data) expect(Math.abs(Number(value) - 50)).toBeLessThan(3);
  });

  test("gives the mean over members and kinds, by the shares in `mix`", async () => {
    const model = made({ mean: 50, deviation: 10 });
    const put = (path: string, value: Tensor) => {
      const parameter = model.parameters().get(path);
      if (!parameter) throw new Error(`${path} is not among ${[...model.parameters().keys()].join(", ")}`);
      parameter.value = value;
    };
    // Every kind predicts 0 but `network`, whose members' biases are 1 and 3 deviations.
    for (const [path, parameter] of model.parameters())
      if (path !== "mix")
        put(path, new Tensor("float32", parameter.shape, new Float32Array(parameter.shape.reduce((a, b) => a * b, 1))));
    put("candidates.network.head.bias", tensor([[[1]], [[3]]]));
    const predicted = async () => Number((await predict(model, rows)).data[0]);
    expect(await predicted()).toBeCloseTo(50 + 10 * (2 / tableCandidates.length), 4);
    put("mix", tensor(tableCandidates.map((name) => (name === "network" ? 1 : 0))));
    expect(await predicted()).toBeCloseTo(70, 4);
  });
});
