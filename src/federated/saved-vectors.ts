/** Vectors as a state keeps them. */
import type { Vectors } from "./strategies/strategy.ts";

/** Copies of vectors. */
export const savedVectors = (all: Vectors): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(all).map(([name, own]) => [name, own.slice()]));
