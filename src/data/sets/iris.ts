/**
 * Iris: four measurements of 150 flowers of three species (Fisher 1936), read from the file of the UCI repository:
 * https://archive.ics.uci.edu/ml/machine-learning-databases/iris/iris.data, 4,551 bytes,
 * SHA-256 6f608b71a7317216319b4d27b4d9bc84e6abd734eda7872b71a458569e2656c0, MD5 42615765a885ddf54427f12c34a0a070.
 */
import { FileError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";

/** The species of iris, in the order of the labels. */
export const irisClasses = ["setosa", "versicolor", "virginica"] as const;
/** What is measured of a flower, in cm, in the order of the features. */
export const irisFeatures = ["sepal length", "sepal width", "petal length", "petal width"] as const;

/** Measurements in cm, float32 [N, 4], and species, int32 [N]. */
export type IrisTensors = {
  readonly x: Tensor<"float32">;
  readonly y: Tensor<"int32">;
};

const WIDTH = irisFeatures.length;

/** Flowers as rows of four measurements and a species. Throws FileError naming the row. */
export function irisTensors(rows: readonly (readonly (number | string)[])[], where: string): IrisTensors {
  const x = new Float32Array(rows.length * WIDTH);
  const y = new Int32Array(rows.length);
  for (const [i, row] of rows.entries()) {
    const fail = (problem: string) =>
      new FileError(`${where}: row ${i + 1} ${problem}; this is not the Iris data, or it is damaged`);
    if (row.length !== WIDTH + 1) throw fail(`has ${row.length} values, expected four measurements and a species`);
    for (let column = 0; column < WIDTH; column++) {
      const value = row[column] === "" ? Number.NaN : Number(row[column]);
      if (!(value > 0 && value < 100)) throw fail(`has ${irisFeatures[column]} "${row[column]}", expected centimetres`);
      x[i * WIDTH + column] = value;
    }
    const species = (irisClasses as readonly string[]).indexOf(String(row[WIDTH]).replace(/^Iris-/, ""));
    if (species < 0) throw fail(`is of species "${row[WIDTH]}", expected ${irisClasses.join(", ")}`);
    y[i] = species;
  }
  return { x: new Tensor("float32", [rows.length, WIDTH], x), y: new Tensor("int32", [rows.length], y) };
}

/**
 * The flowers in UCI's file: lines of `5.1,3.5,1.4,0.2,Iris-setosa`. Throws FileError naming the row.
 * @example parseIris(await (await fetch(url)).text(), url)
 */
export function parseIris(text: string, where: string): IrisTensors {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  if (lines.length === 0) throw new FileError(`${where}: has no rows; this is not the Iris data`);
  return irisTensors(
    lines.map((line) => line.split(",").map((value) => value.trim())),
    where,
  );
}

/**
 * UCI's file with rows 35 and 38 as Fisher printed them: they differ from the article in one and in two values, as UCI's
 * own note says. Returns other tables unchanged.
 */
export function asFisherPrinted({ x, y }: IrisTensors): IrisTensors {
  const corrections: readonly (readonly [row: number, uci: readonly number[], fisher: readonly number[]])[] = [
    [34, [4.9, 3.1, 1.5, 0.1], [4.9, 3.1, 1.5, 0.2]],
    [37, [4.9, 3.1, 1.5, 0.1], [4.9, 3.6, 1.4, 0.1]],
  ];
  const data = x.data.slice();
  for (const [row, uci, fisher] of corrections) {
    const start = row * WIDTH;
    if (uci.every((value, i) => data[start + i] === Math.fround(value))) data.set(fisher, start);
  }
  return { x: new Tensor("float32", x.shape, data), y };
}
