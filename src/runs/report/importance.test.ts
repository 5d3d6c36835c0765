/** Importance by permutation: of a model that reads one column alone. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import type { RowEncoding } from "../../data/tables/rows/row-encoding.ts";
import { importanceOf } from "./importance.ts";
import { judgeClasses, judgeNumbers } from "./outputs.ts";

const statistics = { fill: 0, mean: 0, deviation: 1, edges: [0, 1], hasMissing: false };
const encoding: RowEncoding = {
  fields: [
    { name: "noise", kind: "number", decimalComma: false, statistics },
    { name: "words", kind: "text", words: ["a", "b"], weights: [1, 1] },
  ],
};
const random = new Random(keyOf(1));
const rows = tensor(Array.from({ length: 300 }, () => [random.uniform(), random.uniform(), 0.5]));
const first = (x: Tensor) => Array.from({ length: x.shape[0] ?? 0 }, (_, i) => x.toNumbers()[3 * i + 1] ?? 0);

test("a column that decides between two classes costs half of the accuracy; one that is not read costs nothing", async () => {
  const ask = async (x: Tensor) =>
    new Tensor(
      "float32",
      [x.shape[0] ?? 0, 2],
      Float32Array.from(first(x).flatMap((value) => [0, 10 * (value - 0.5)])),
    );
  const y = tensor(
    first(rows).map((value) => Number(value > 0.5)),
    { dtype: "int32" },
  );
  const samples = judgeClasses(await ask(rows), y).flatMap((own) => own ?? []);
  const options = { encoding, ask, key: keyOf(3) };
  const importance = await importanceOf({ kind: "classes", samples }, rows, options);
  expect(importance).toMatchObject({ metric: "accuracy", reference: 1, samples: 300, repeats: 5 });
  expect(importance.columns.map(({ name }) => name)).toEqual(["words", "noise"]);
  // Half of 300 exchanged values lie on the other side; five standard deviations of five means are some 0.07.
  expect(importance.columns[0]?.worsening).toBeCloseTo(0.5, 1);
  expect(importance.columns[1]?.worsening).toBe(0);
  expect(await importanceOf({ kind: "classes", samples }, rows, options)).toEqual(importance);
});

test("of numbers the root mean squared error grows", async () => {
  const ask = async (x: Tensor) => new Tensor("float32", [x.shape[0] ?? 0, 1], Float32Array.from(first(x)));
  const samples = judgeNumbers(await ask(rows), await ask(rows)).flatMap((own) => own ?? []);
  const { metric, reference, columns } = await importanceOf({ kind: "numbers", samples }, rows, {
    encoding,
    ask,
    key: keyOf(3),
  });
  expect([metric, reference]).toEqual(["rmse", 0]);
  // Two independent numbers in [0, 1] are √(2 / 12) = 0.41 apart.
  expect(columns[0]?.worsening).toBeCloseTo(0.41, 1);
});
