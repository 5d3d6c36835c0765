/** The digits as the page and its worker take them, and what the simplest way of telling them apart reaches. */
import { decodeSafetensors, type Tensor } from "sardonyx/web";

/** Images uint8 [N, 1, 28, 28] and classes int32 [N]. */
export interface Digits {
  readonly x: Tensor<"uint8">;
  readonly y: Tensor<"int32">;
}

/** Both parts of the file that `digits-file.ts` makes. */
export function digitsOf(file: Uint8Array): { readonly train: Digits; readonly test: Digits } {
  const { tensors } = decodeSafetensors(file);
  const part = (name: string) => ({ x: tensors[`${name}.x`], y: tensors[`${name}.y`] }) as Digits;
  return { train: part("train"), test: part("test") };
}

const pixels = 28 * 28;

/** The share of test digits that lie nearest to the mean image of their own class of the training digits: the baseline. */
export function nearestMean(train: Digits, test: Digits): number {
  const means = Array.from({ length: 10 }, () => new Float64Array(pixels));
  const counts = new Array<number>(10).fill(0);
  for (const [i, own] of train.y.data.entries()) {
    const mean = means[own];
    if (!mean) continue;
    counts[own] = (counts[own] ?? 0) + 1;
    for (let p = 0; p < pixels; p++) mean[p] = (mean[p] ?? 0) + (train.x.data[i * pixels + p] ?? 0);
  }
  for (const [own, mean] of means.entries())
    for (let p = 0; p < pixels; p++) mean[p] = (mean[p] ?? 0) / (counts[own] || 1);
  let right = 0;
  for (const [i, own] of test.y.data.entries()) {
    const distances = means.map((mean) => {
      let sum = 0;
      for (let p = 0; p < pixels; p++) sum += ((test.x.data[i * pixels + p] ?? 0) - (mean[p] ?? 0)) ** 2;
      return sum;
    });
    if (distances.indexOf(Math.min(...distances)) === own) right++;
  }
  return right / test.y.data.length;
}
