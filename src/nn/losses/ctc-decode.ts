/** The likeliest labels of a connectionist temporal classification. */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { count } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import {
  add,
  and,
  argMax,
  cast,
  cumulativeSum,
  equal,
  iota,
  mul,
  not,
  pad,
  reduceSum,
  reshape,
  slice,
  sub,
} from "../../ops/index.ts";

/** Options of `ctcDecode`. */
export interface CtcDecodeOptions {
  /** Class that stands for "no label"; default 0. */
  readonly blank?: number;
}

const checkOptions = optionsOf<CtcDecodeOptions>("ctcDecode", { blank: count(0) });

/**
 * Best path decoding (Graves et al. 2006, sec. 3.2): of scores [N, T, C] the likeliest class of every step, repetitions
 * taken once, blanks left out; int64 [N, length], padded at the end with -1. Labels beyond `length` are left out. Throws
 * ShapeError for scores of another rank, OptionError for a length below 1.
 */
export function ctcDecode(scores: Value, length: number, options: CtcDecodeOptions = {}): Value {
  const { blank = 0 } = checkOptions(options);
  if (scores.rank !== 3)
    throw new ShapeError(`ctcDecode: scores are ${showShape(scores.shape)}, expected [batch, time, classes]`);
  if (!(Number.isInteger(length) && length > 0))
    throw new OptionError(`ctcDecode: length is ${length}; pass a whole number above 0`);
  const [batch = 1, time = 1] = scores.shape;
  const path = argMax(scores, 2); // [N, T]
  const before = pad(
    slice(path, { axis: 1, end: -1 }),
    [
      [0, 0],
      [1, 0],
    ],
    blank,
  );
  const isLabel = cast(and(not(equal(path, blank)), not(equal(path, before))), "int64");
  // The k-th label of a path goes to place k: Σₜ (label at t) [it is the k-th].
  const order = reshape(cumulativeSum(isLabel, 1), [batch, time, 1]); // from 1
  const places = add(iota(length, "int64"), 1);
  const isAt = mul(cast(equal(order, places), "int64"), reshape(isLabel, [batch, time, 1])); // [N, T, length]
  const labels = reduceSum(mul(isAt, reshape(path, [batch, time, 1])), 1);
  return sub(add(labels, reduceSum(isAt, 1)), 1); // 0 + 0 - 1 where there is none
}
