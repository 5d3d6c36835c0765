/** Element types that a report can be asked for. */
import { unknownName } from "../../core/errors.ts";

export interface PrecisionSpec {
  /** Bits of a stored parameter. */
  readonly stored: number;
  /** Bits of gradients and activations. */
  readonly computing: number;
}

export const precisions = {
  float32: { stored: 32, computing: 32 },
  float16: { stored: 16, computing: 16 },
  bfloat16: { stored: 16, computing: 16 },
  float64: { stored: 64, computing: 64 },
} as const satisfies Record<string, PrecisionSpec>;

/** Element type in which a network is stored and trained: `"float32"`, `"float16"`, `"bfloat16"` or `"float64"`. */
export type Precision = keyof typeof precisions;

/** The precision of a name. Throws OptionError with the nearest name. */
export function precisionOf(name: string): Precision {
  if (!Object.hasOwn(precisions, name)) throw unknownName("precision", name, Object.keys(precisions));
  return name as Precision;
}
