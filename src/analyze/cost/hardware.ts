/** Accelerators by name: what their makers' data sheets promise, dense, without sparsity. */
import { unknownName } from "../../core/errors.ts";
import type { Precision } from "./precision.ts";

/** An accelerator. */
export interface Hardware {
  /** What it is called: `a100`. */
  readonly name: string;
  /** Peak FLOP/s in float32. */
  readonly float32: number;
  /** Peak FLOP/s in 16-bit floats. */
  readonly half: number;
  /** Bytes of memory. */
  readonly memory: number;
}

const GiB = 2 ** 30;

/** FLOP/s of float32 units and of 16-bit tensor units with float32 sums, and memory. */
const known: readonly (readonly [name: string, float32: number, half: number, gibibytes: number])[] = [
  ["t4", 8.1e12, 65e12, 16],
  ["v100", 15.7e12, 125e12, 32],
  ["rtx3090", 35.6e12, 71e12, 24],
  ["rtx4090", 82.6e12, 165e12, 24],
  ["a10", 31.2e12, 125e12, 24],
  ["l4", 30.3e12, 121e12, 24],
  ["a100", 19.5e12, 312e12, 80],
  ["h100", 67e12, 989e12, 80],
  ["h200", 67e12, 989e12, 141],
];

export const hardwareNames = known.map(([name]) => name);

/** The accelerator of a name. Throws OptionError with the nearest name. */
export function hardwareOf(name: string): Hardware {
  const found = known.find(([own]) => own === name.toLowerCase());
  if (!found) throw unknownName("hardware", name, hardwareNames);
  const [own, float32, half, gibibytes] = found;
  return { name: own, float32, half, memory: gibibytes * GiB };
}

/** Share of its peak at which an accelerator trains: 30 to 50 % are reported (Chowdhery et al. 2022, table 3). */
export const usualUtilization = 0.4;

/** Peak FLOP/s at a precision. */
export const peakOf = ({ float32, half }: Hardware, precision: Precision): number =>
  precision === "float16" || precision === "bfloat16" ? half : float32;
