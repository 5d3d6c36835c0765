/** False characters drawn for true ones: digits for digits, letters for letters, what stands between them as it is. */
import type { Random } from "../../../core/random.ts";

/** A whole number from 0, below `count`. */
export const below = (random: Random, count: number): number => Math.floor(random.uniform(0, count));

/** One of a list. */
export const oneOf = <T>(random: Random, items: readonly T[]): T => items[below(random, items.length)] as T;

/** Digits for digits. */
export const digitsFor = (value: string, random: Random): string =>
  value.replace(/\d/g, () => String(below(random, 10)));

/** A letter or a digit of the same kind for each. */
export const charactersFor = (value: string, random: Random): string =>
  digitsFor(value, random)
    .replace(/[a-z]/g, () => String.fromCharCode(97 + below(random, 26)))
    .replace(/[A-Z]/g, () => String.fromCharCode(65 + below(random, 26)));

/** Digits put into the places of those of a value, in their order; those that there are too few of stay 0. */
export function inForm(value: string, digits: string): string {
  let next = 0;
  return value.replace(/\d/g, () => digits[next++] ?? "0");
}
