/** Positions of tokens: sinusoids to add to them, and rotations of queries and keys. */

import { OptionError, ShapeError } from "../../core/errors.ts";
import { count, flag, objectOf, positive } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import { tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { valueType } from "../../graph/ir.ts";
import {
  add,
  cast,
  concat,
  constant,
  cos,
  greater,
  mul,
  range,
  reduceMax,
  reshape,
  sin,
  split,
  stack,
  sub,
  where,
} from "../../ops/index.ts";

/** base^(-2i/width) for i below width/2, which must be even. */
function frequencies(width: number, base: number): number[] {
  if (width % 2 !== 0) throw new OptionError(`positions of width ${width}: a sine and a cosine each; make it even`);
  return Array.from({ length: width / 2 }, (_, i) => base ** ((-2 * i) / width));
}

/** Position times frequency: [T] → [T, width/2], and [N, T] → [N, 1, T, width/2], the same for all heads. */
const angles = (positions: Value, rates: readonly number[]): Value => {
  const rows = positions.shape.slice(0, -1).flatMap((count) => [count, 1]);
  const each = reshape(cast(positions, "float32"), [...rows, positions.shape.at(-1) ?? 1, 1]);
  return mul(each, constant(tensor(rates)));
};

/**
 * Sinusoidal encodings [length, width]: sin(t/10000^(2i/width)) at 2i and the cosine at 2i + 1 (Vaswani et al. 2017,
 * sec. 3.5). Computed where the graph runs.
 */
export function sinusoidal(length: number, width: number): Value {
  const angle = angles(range(length), frequencies(width, 10_000));
  return reshape(stack([sin(angle), cos(angle)], 2), [length, width]);
}

/** How frequencies change for sequences longer than the model was first trained on. */
export type RotaryScaling =
  /** All are divided by the factor (Chen et al. 2023). */
  | { readonly type: "linear"; readonly factor: number }
  /**
   * Those that turn less than `low` times in the `trained` positions are divided by the factor, those that turn more
   * than `high` times stay, between them it is interpolated (Grattafiori et al. 2024, The Llama 3 Herd of Models, as
   * released).
   */
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly low: number;
      readonly high: number;
      readonly trained: number;
    }
  /**
   * YaRN (Peng et al. 2023, sec. 3.4): those that turn less than `slow` times in the `trained` positions are divided by the factor, those that
   * turn more than `fast` times stay, between them it is a ramp over the pairs; the rotated features are multiplied by `magnitude`.
   */
  | {
      readonly type: "yarn";
      readonly factor: number;
      readonly trained: number;
      readonly fast: number;
      readonly slow: number;
      readonly magnitude: number;
    }
  /**
   * LongRoPE (Ding et al. 2024): each frequency is divided by a factor of its own, `short` for sequences of at most `trained` tokens and
   * `long` beyond; the rotated features are multiplied by `magnitude`.
   */
  | {
      readonly type: "longrope";
      readonly short: readonly number[];
      readonly long: readonly number[];
      readonly trained: number;
      readonly magnitude: number;
    };

/** Options of `rotary` and `rotaryFrequencies`. */
export interface RotaryOptions {
  /** Of the tokens, integers [T], or [N, T] where rows are at positions of their own; default 0, 1, … */
  readonly positions?: Value;
  /** The longest wave has 2π times this many positions, nearly; default 10,000. */
  readonly base?: number;
  /** How frequencies change for long sequences; default not at all. */
  readonly scaling?: RotaryScaling | undefined;
  /** How many features of a head are turned, the first ones; default all. */
  readonly width?: number | undefined;
  /** Feature 2i is paired with 2i + 1, as in GPT-J, rather than i with i + D/2; default false. */
  readonly interleaved?: boolean | undefined;
}

const rotaryTypes: OptionTypes<RotaryOptions> = {
  positions: valueType,
  base: positive,
  scaling: objectOf('{ type: "linear", factor }, or one of llama3, yarn and longrope with its numbers'),
  width: count(),
  interleaved: flag,
};
const checkRotary = optionsOf("rotary", rotaryTypes);
export const rotaryType = checkRotary.type;
const checkFrequencies = optionsOf("rotaryFrequencies", rotaryTypes);

/**
 * Radians that each pair of features is turned by from one position to the next, width / 2 of them, in a sequence of `length`
 * tokens. Throws OptionError for an odd width, and for factors of another number.
 */
export function rotaryFrequencies(width: number, options: RotaryOptions = {}, length = 1): number[] {
  const { base = 10_000, scaling } = checkFrequencies(options);
  const own = frequencies(width, base);
  if (!scaling) return own;
  if (scaling.type === "longrope") {
    const name = length > scaling.trained ? "long" : "short";
    const factors = scaling[name];
    if (factors.length !== own.length)
      throw new OptionError(
        `rotary: ${name} has ${factors.length} factors, expected ${own.length}, one for each pair of features`,
      );
    return own.map((rate, i) => rate / (factors[i] as number));
  }
  const { factor } = scaling;
  if (scaling.type === "linear") return own.map((rate) => rate / factor);
  if (scaling.type === "yarn") {
    // The pair that turns so many times in the trained positions.
    const pairOf = (turns: number) =>
      (width * Math.log(scaling.trained / (turns * 2 * Math.PI))) / (2 * Math.log(base));
    const first = Math.max(0, Math.floor(pairOf(scaling.fast)));
    const last = Math.min(width - 1, Math.ceil(pairOf(scaling.slow)));
    return own.map((rate, i) => {
      const divided = Math.min(1, Math.max(0, (i - first) / (last === first ? 0.001 : last - first)));
      return (1 - divided) * rate + (divided * rate) / factor;
    });
  }
  const { low, high, trained } = scaling;
  return own.map((rate) => {
    const turns = (trained * rate) / (2 * Math.PI);
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return kept * rate + ((1 - kept) * rate) / factor;
  });
}

/** [T, D/2], or [N, 1, T, D/2] of rows; given positions decide themselves whether a sequence is long. */
function anglesOf(width: number, length: number, options: RotaryOptions): Value {
  const { positions, scaling } = options;
  if (scaling?.type !== "longrope" || !positions)
    return angles(positions ?? range(length), rotaryFrequencies(width, options, length));
  const [short, long] = [1, scaling.trained + 1].map((of) => angles(positions, rotaryFrequencies(width, options, of)));
  const rows = positions.shape.slice(0, -1).flatMap((count) => [count, 1, 1, 1]);
  const last = reshape(reduceMax(positions, [positions.rank - 1]), rows);
  return where(greater(last, scaling.trained - 1), long as Value, short as Value);
}

/**
 * Rotates each pair of features by an angle that grows with the position (Su et al. 2021, sec. 3.2), so that products of
 * queries and keys depend on their distance: [N, H, T, D] → [N, H, T, D]. Feature i is paired with i + D/2, as in Llama.
 */
export function rotary(x: Value, options: RotaryOptions = {}): Value {
  const { width: turned, interleaved = false } = checkRotary(options);
  const [, , length = 1, width = 1] = x.shape;
  if (x.rank !== 4)
    throw new ShapeError(`rotary takes heads, got ${showShape(x.shape)}; pass [batch, heads, time, width]`);
  if (turned !== undefined && turned > width)
    throw new OptionError(`rotary: ${turned} features are to turn, and heads have ${width}; pass a width up to that`);
  if (turned !== undefined && turned < width) {
    const [first, rest] = split(x, [turned, width - turned], 3) as [Value, Value];
    return concat([rotary(first, options), rest], 3);
  }
  const angle = anglesOf(width, length, options);
  const magnitude = options.scaling && "magnitude" in options.scaling ? options.scaling.magnitude : 1;
  const [cosine, sine] = [cos(angle), sin(angle)].map((own) => (magnitude === 1 ? own : mul(own, magnitude))) as [
    Value,
    Value,
  ]; // [T, D/2]
  const [a, b] = interleaved ? everySecond(x) : (split(x, [width / 2, width / 2], 3) as [Value, Value]);
  const [turnedA, turnedB] = [sub(mul(a, cosine), mul(b, sine)), add(mul(b, cosine), mul(a, sine))];
  return interleaved ? reshape(stack([turnedA, turnedB], 4), x.shape) : concat([turnedA, turnedB], 3);
}

/** Features of even and of odd number: [N, H, T, D] → twice [N, H, T, D/2]. */
function everySecond(x: Value): [even: Value, odd: Value] {
  const half = [...x.shape.slice(0, 3), (x.shape[3] ?? 2) / 2];
  const parts = split(reshape(x, [...half, 2]), [1, 1], 4);
  return parts.map((part) => reshape(part, half)) as [Value, Value];
}
