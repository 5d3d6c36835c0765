/** Storing the frozen part of a model in fewer bits. */

import { OptionError } from "../core/errors.ts";
import { matching } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { size } from "../core/shape.ts";
import { asFloat32 } from "../core/tensor.ts";
import type { AnyModule } from "./module.ts";
import { type Packed, pack, type StorageBits } from "./packed.ts";
import type { Parameter } from "./parameter.ts";

/** Options of `quantizeFrozen`. */
export interface QuantizeOptions {
  /** Bits of an element: 16 (float16), 8, or 4. */
  readonly bits: StorageBits;
  /** Elements of a row that share a scale; a multiple of 2, default 32. For 8 and 4 bits. */
  readonly block?: number;
  /** Which of the frozen parameters, by their paths; default all with two axes or more. */
  readonly parameters?: RegExp;
}

const checkOptions = optionsOf<QuantizeOptions>("quantizeFrozen", {
  bits: required(matching("4, 8 or 16", (bits) => bits === 4 || bits === 8 || bits === 16)),
  block: matching(
    "an even number of elements, such as 32",
    (block) => Number.isSafeInteger(block) && Number(block) >= 2 && Number(block) % 2 === 0,
  ),
  parameters: matching("a pattern such as /body/", (pattern) => pattern instanceof RegExp),
});
/** What `quantizeFrozen` did. */
export interface Quantized {
  /** Parameters that were packed. */
  readonly parameters: number;
  /** What they take in memory, before and after. */
  readonly bytes: { readonly before: number; readonly after: number };
}

const bytesOf = ({ parts }: Packed): number => Object.values(parts).reduce((sum, { data }) => sum + data.byteLength, 0);

const isChosen = ([path, parameter]: readonly [string, Parameter], pattern: RegExp | undefined): boolean =>
  parameter.frozen &&
  (pattern ? pattern.test(path) : parameter.shape.length > 1) &&
  // The value of one that is packed would be unpacked to be looked at.
  (parameter.packed !== undefined || parameter.value !== undefined);

/**
 * Stores frozen parameters in fewer bits. They are rounded once, block by block of a row with a scale each; training and prediction compute with the
 * rounded numbers in float32, unpacked within the graph. A parameter that is unfrozen again, or given a value, is float32 again.
 * Throws OptionError where no frozen parameter with a value is meant.
 * @example
 * model.freeze("body");
 * const { bytes } = quantizeFrozen(model, { bits: 4 });
 */
export function quantizeFrozen(model: AnyModule, options: QuantizeOptions): Quantized {
  const { bits, block = 32, parameters: pattern } = checkOptions(options);
  const chosen = [...model.parameters()].filter((named) => isChosen(named, pattern));
  if (chosen.length === 0)
    throw new OptionError(
      `quantizeFrozen: no frozen parameter with a value ${pattern ? `matches ${pattern}` : "has two axes or more"}; freeze some first: model.freeze("body")`,
    );
  const bytes = { before: 0, after: 0 };
  for (const [, parameter] of chosen) {
    const { value, shape } = parameter;
    if (!value) continue;
    const packed = pack(asFloat32(value), bits, block);
    bytes.before += parameter.packed ? bytesOf(parameter.packed) : 4 * size(shape);
    bytes.after += bytesOf(packed);
    parameter.packed = packed;
  }
  return { parameters: chosen.length, bytes };
}
