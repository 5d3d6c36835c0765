/** Iris from its three forms. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { FileError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import { checkDamage } from "../../storage/testing/damage.ts";
import { loadIris } from "./iris.node.ts";
import { asFisherPrinted, parseIris } from "./iris.ts";

const dir = fileURLToPath(new URL("../../../test/fixtures/data/iris", import.meta.url));

it("loads the 150 flowers from the package", async () => {
  const { all, classes } = await loadIris();
  expect(all.tensors.x.shape).toEqual([150, 4]);
  const counts = classes.map((_, k) => all.tensors.y.data.filter((y) => y === k).length);
  expect(counts).toEqual([50, 50, 50]);
  // Means of the four measurements, from the note in UCI's iris.names.
  const means = [0, 1, 2, 3].map((c) => all.tensors.x.data.filter((_, i) => i % 4 === c).reduce((a, b) => a + b) / 150);
  for (const [i, mean] of [5.84, 3.05, 3.76, 1.2].entries()) expect(means[i]).toBeCloseTo(mean, 1);
});

it("reads UCI's file", async () => {
  const { all } = await loadIris({ dir });
  expect(all.tensors.y.toArray()).toEqual([0, 0, 0, 0, 1, 1, 1, 2, 2, 2]);
  expect([...all.tensors.x.data.subarray(0, 4)]).toEqual([5.1, 3.5, 1.4, 0.2].map(Math.fround));
});

it("corrects the two rows in which UCI's file differs from Fisher's article", async () => {
  const lines = Array.from({ length: 38 }, () => "4.9,3.1,1.5,0.1,Iris-setosa").join("\n");
  const { x } = asFisherPrinted(parseIris(lines, "iris.data"));
  const row = (i: number) => [...x.data.subarray(4 * i, 4 * i + 4)];
  expect(row(34)).toEqual([4.9, 3.1, 1.5, 0.2].map(Math.fround));
  expect(row(37)).toEqual([4.9, 3.6, 1.4, 0.1].map(Math.fround));
  expect(row(9)).toEqual([4.9, 3.1, 1.5, 0.1].map(Math.fround));
  const other = { x: tensor([[1, 2, 3, 4]], { dtype: "float32" }), y: tensor([0], { dtype: "int32" }) };
  expect(asFisherPrinted(other)).toEqual(other);
});

it.each([
  ["", /has no rows/],
  ["5.1,3.5,1.4,0.2", /row 1 has 4 values/],
  ["5.1,3.5,1.4,0.2,Iris-setosa\n5.1,,1.4,0.2,Iris-setosa", /row 2 has sepal width "", expected centimetres/],
  ["5.1,3.5,NaN,0.2,Iris-setosa", /row 1 has petal length "NaN"/],
  ["5.1,3.5,1.4,0.2,Iris-rosa", /row 1 is of species "Iris-rosa", expected setosa, versicolor, virginica/],
])("refuses %j", (text, message) => {
  expect(() => parseIris(text, "iris.data")).toThrow(FileError);
  expect(() => parseIris(text, "iris.data")).toThrow(message);
});

it("survives flipped bits and cuts within a row", async () => {
  const bytes = (await readFile(`${dir}/iris.data`)).subarray(0, 27); // one row: every cut breaks it but of its last letters
  const read = (part: Uint8Array) => parseIris(new TextDecoder().decode(part), "iris.data");
  await checkDamage(bytes, read);
});
