/** What settings a search may choose: ranges of numbers and lists of values, declared by a recipe or written on the command line. */
import * as z from "zod";
import { OptionError, unknownName } from "../../core/errors.ts";
import { foldIn, type Key, Random } from "../../core/random.ts";
import { type OptionValue, optionValueSchema } from "../recipes/settings.ts";

const rangeSchema = z.union([
  z.strictObject({
    low: z.number(),
    high: z.number(),
    /** Drawn evenly by its logarithm, such as a rate; default evenly. */
    log: z.boolean().optional(),
    /** Whole numbers only; default any. */
    whole: z.boolean().optional(),
  }),
  z.strictObject({ choices: z.array(optionValueSchema).readonly() }),
]);

/** What a search may choose, by the names of settings and of a recipe's own options. */
export const searchSpaceSchema = z.record(z.string(), rangeSchema);

/** The values that a setting may have: numbers from `low` to `high`, or one of some values. */
export type SearchRange = Readonly<z.infer<typeof rangeSchema>>;
/** What a search may choose, by the names of settings and of a recipe's own options. */
export type SearchSpace = Readonly<Record<string, SearchRange>>;
/** Settings of a trial, by the same names. */
export type Chosen = Readonly<Record<string, OptionValue>>;

/** Settings that may be searched, beside a recipe's own options. */
export const searchedSettings = ["batchSize", "learningRate", "optimizer"] as const;

/** What is searched of a recipe that declares nothing: a rate up to ten times less or more, and half or twice the batch. */
export const usualSpace = (defaults: { readonly batchSize: number; readonly learningRate: number }): SearchSpace => ({
  learningRate: { low: defaults.learningRate / 10, high: defaults.learningRate * 10, log: true },
  batchSize: {
    choices: [Math.max(1, Math.round(defaults.batchSize / 2)), defaults.batchSize, 2 * defaults.batchSize],
  },
});

/** Throws OptionError for a range in which nothing lies, and for a name that nothing has. */
export function checkSpace(space: SearchSpace, names: readonly string[]): void {
  if (Object.keys(space).length === 0)
    throw new OptionError("a search has nothing to choose; pass ranges, such as learning-rate=0.0001..0.01");
  for (const [name, range] of Object.entries(space)) {
    if (!names.includes(name)) throw unknownName("setting", name, names);
    if ("choices" in range) {
      if (range.choices.length === 0)
        throw new OptionError(`the search of ${name} has no choices; pass some, such as ${name}=a|b`);
      continue;
    }
    const { low, high, log } = range;
    if (!(Number.isFinite(low) && Number.isFinite(high) && low < high && (!log || low > 0)))
      throw new OptionError(
        `the search of ${name} goes from ${low} to ${high}${log ? " by the logarithm" : ""}; pass a lower number${log ? " above 0" : ""} first`,
      );
  }
}

/** Three digits, so that what is found can be typed. */
const rounded = (value: number): number => Number(value.toPrecision(3));

/** A value of a range. */
function drawOf(range: SearchRange, random: Random): OptionValue {
  if ("choices" in range) return range.choices[Math.floor(random.uniform(0, range.choices.length))] as OptionValue;
  const { low, high, log, whole } = range;
  const drawn = log
    ? Math.exp(random.uniform(Math.log(low), Math.log(high)))
    : random.uniform(low, whole ? high + 1 : high);
  return whole ? Math.min(high, log ? Math.round(drawn) : Math.floor(drawn)) : rounded(drawn);
}

/** Settings drawn from a space, each independent of what else is in it. */
export const drawFrom = (space: SearchSpace, key: Key): Chosen =>
  Object.fromEntries(
    Object.entries(space).map(([name, range]) => [name, drawOf(range, new Random(foldIn(key, name)))]),
  );

/** `batchSize` as an option is written, without its dashes. */
const written = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The ratio of the ends from which on a range of positive numbers is drawn by its logarithm. */
const wide = 10;

/**
 * A space as it is written on the command line: `learning-rate=1e-4..1e-2 batch-size=16|32|64`. What a setting is now, by its name, tells
 * whether its values are texts, numbers or whole numbers. Throws OptionError for a name that nothing has and for a value of another kind.
 */
export function parseSpace(text: string, now: Readonly<Record<string, OptionValue>>): SearchSpace {
  // As they are written on the command line, where `batchSize` is accepted too.
  const names = new Map(Object.keys(now).flatMap((name) => [[written(name), name] as const, [name, name] as const]));
  const space: Record<string, SearchRange> = {};
  for (const item of text.split(/[\s,;]+/).filter((part) => part !== "")) {
    const at = item.indexOf("=");
    const given = item.slice(0, Math.max(0, at)).replace(/^-+/, "");
    if (at < 1 || at === item.length - 1)
      throw new OptionError(
        `--search has "${item}"; write a name and its values: learning-rate=0.0001..0.01 or batch-size=16|32|64`,
      );
    const name = names.get(given);
    if (name === undefined) throw unknownName("setting", given, Object.keys(now).map(written));
    space[name] = parseRange(name, item.slice(at + 1), now[name] as OptionValue);
  }
  checkSpace(space, Object.keys(now));
  return space;
}

function parseRange(name: string, text: string, now: OptionValue): SearchRange {
  const numberOf = (part: string): number => {
    const value = Number(part);
    if (part.trim() === "" || !Number.isFinite(value))
      throw new OptionError(`--search of ${name} has "${part}", expected a number; correct it`);
    return value;
  };
  const optionOf = (part: string): OptionValue =>
    typeof now === "number" ? numberOf(part) : typeof now === "boolean" ? part === "true" : part;
  const [low, high, ...rest] = text.split("..");
  if (low === undefined || high === undefined || rest.length > 0) return { choices: text.split("|").map(optionOf) };
  if (typeof now !== "number")
    throw new OptionError(`--search of ${name} is ${text}, and ${name} is no number; pass its values: ${name}=a|b`);
  const range = { low: numberOf(low), high: numberOf(high) };
  const isWhole = Number.isInteger(now) && Number.isInteger(range.low) && Number.isInteger(range.high);
  return {
    ...range,
    ...(range.low > 0 && range.high >= wide * range.low && { log: true }),
    ...(isWhole && name !== "learningRate" && { whole: true }),
  };
}
