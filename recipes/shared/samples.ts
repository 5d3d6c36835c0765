/** Samples by the hundred: noise to make them of, and models that take so many at a time. */
import { foldIn, keyOf, Random, Tensor } from "../../src/index.ts";

/** Numbers of a standard normal distribution, [rows, width]. */
export function normalNoise(rows: number, width: number, seed: number): Tensor {
  const random = new Random(foldIn(keyOf(seed), "noise"));
  return new Tensor(
    "float32",
    [rows, width],
    Float32Array.from({ length: rows * width }, () => random.normal()),
  );
}

/** The rows of one tensor after those of the other. */
export function joinRows(parts: readonly Tensor[]): Tensor<"float32"> {
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data as Float32Array, at);
    at += part.data.length;
  }
  return new Tensor("float32", [rows, ...(parts[0]?.shape.slice(1) ?? [])], data);
}

/** What a model that takes `batch` rows gives of many, a multiple of it. */
export async function inBatches(
  x: Tensor,
  batch: number,
  run: (x: Tensor) => Promise<Tensor>,
): Promise<Tensor<"float32">> {
  const [rows = 0] = x.shape;
  const width = x.data.length / rows;
  const parts: Tensor[] = [];
  for (let row = 0; row < rows; row += batch) {
    const data = (x.data as Float32Array).slice(row * width, (row + batch) * width);
    parts.push(await run(new Tensor("float32", [batch, ...x.shape.slice(1)], data)));
  }
  return joinRows(parts);
}
