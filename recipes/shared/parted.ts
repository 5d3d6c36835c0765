/** Two parts of a list, drawn at random. */
import { type Key, Random } from "../../src/index.ts";

/** A share of the elements, and the rest, in an order drawn by the key. */
export function parted<T>(all: readonly T[], share: number, key: Key): [T[], T[]] {
  const order = Array.from(new Random(key).permutation(all.length), (i) => all[i] as T);
  const border = Math.round(share * all.length);
  return [order.slice(0, border), order.slice(border)];
}
