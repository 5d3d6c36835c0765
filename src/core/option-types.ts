/** What options may be, in the words of their errors: each says what to pass. */
import * as z from "zod/mini";
import { nearest } from "./errors.ts";
import type { OptionType } from "./options.ts";
import type { PathPatterns } from "./path-pattern.ts";

const pass = (expected: string) => ({ error: `pass ${expected}` });

/** Values that pass a test. @param expected what to pass: "a tensor" */
export const matching = <T>(expected: string, test: (value: unknown) => boolean): OptionType<T> =>
  z.custom<T>(test, pass(expected));

/** @param expected what it takes and gives: "(context, batch) => ({ loss })" */
export const functionOf = <T>(expected: string): OptionType<T> =>
  matching<T>(expected, (value) => typeof value === "function");

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An object of any names. */
export const objectOf = <T>(expected: string): OptionType<T> => matching<T>(expected, isObject);

/** An object that is known by a method, such as an optimizer by its `bind`. */
export const having = <T>(method: string, expected: string): OptionType<T> =>
  matching<T>(expected, (value) => isObject(value) && typeof value[method] === "function");

/** A list whose elements have a type. @param expected "numbers" */
export const listOf = <T>(element: OptionType<T>, expected: string): OptionType<readonly T[]> =>
  z.array(element, pass(`a list of ${expected}`));

/** A value of one of two types. @param expected both of them */
export const eitherOf = <A, B>(a: OptionType<A>, b: OptionType<B>, expected: string): OptionType<A | B> =>
  matching<A | B>(expected, (value) => z.safeParse(a, value).success || z.safeParse(b, value).success);

/** One of a few strings. */
export const oneOf = <T extends string>(...values: readonly T[]): OptionType<T> => {
  const quoted = values.map((value) => `"${value}"`);
  const expected = [...(quoted.length > 1 ? [quoted.slice(0, -1).join(", ")] : []), quoted.at(-1)].join(" or ");
  return matching<T>(expected, (value) => values.some((own) => own === value));
};

/** A name from a table, or a function of your own; the error suggests the nearest name. */
export const nameOrFunction = <T>(table: object): OptionType<T> =>
  z.custom<T>((value) => typeof value === "function" || (typeof value === "string" && Object.hasOwn(table, value)), {
    error: ({ input }) => {
      const names = Object.keys(table);
      const closest = typeof input === "string" ? nearest(input, names) : undefined;
      if (closest === undefined) return `pass a function, or one of ${names.join(", ")}`;
      return `did you mean "${closest}"? Known: ${names.join(", ")}.`;
    },
  });

export const flag: OptionType<boolean> = z.boolean(pass("true or false"));
export const string: OptionType<string> = z.string(pass("a string"));

const numberThat = (
  expected: string,
  ...checks: readonly ((error: ReturnType<typeof pass>) => z.core.$ZodCheck<number>)[]
): OptionType<number> => z.number(pass(expected)).check(...checks.map((check) => check(pass(expected))));

export const number = numberThat("a number");
export const nonNegative = numberThat("a number from 0", (error) => z.gte(0, error));
export const positive = numberThat("a number above 0", (error) => z.gt(0, error));
export const atLeastOne = numberThat("a number from 1", (error) => z.gte(1, error));
/** A number in [0, 1]. */
export const share = numberThat(
  "a number in [0, 1]",
  (error) => z.gte(0, error),
  (error) => z.lte(1, error),
);
/** A number in (0, 1]. */
export const positiveShare = numberThat(
  "a number above 0, at most 1",
  (error) => z.gt(0, error),
  (error) => z.lte(1, error),
);
/** A number in (0, 1). */
export const positiveFraction = numberThat(
  "a number above 0, below 1",
  (error) => z.gt(0, error),
  (error) => z.lt(1, error),
);
/** A number in [0, 1), such as the rate of dropout. */
export const fraction = numberThat(
  "a number in [0, 1)",
  (error) => z.gte(0, error),
  (error) => z.lt(1, error),
);

/** A whole number. */
export const count = (least = 1): OptionType<number> => {
  const expected = pass(`a whole number from ${least}`);
  return z.int(expected).check(z.gte(least, expected));
};

/** @param expected what the two numbers are: "[low, high] in Hz" */
export const pairType = (expected: string): OptionType<readonly [number, number]> =>
  matching(expected, (value) => Array.isArray(value) && value.length === 2 && value.every(Number.isFinite));

/** Height and width. */
export const extentsType = matching<readonly [number, number]>(
  "[height, width], whole numbers from 1",
  (value) =>
    Array.isArray(value) && value.length === 2 && value.every((extent) => Number.isSafeInteger(extent) && extent > 0),
);

const pathPattern = matching<string | RegExp>(
  "a path such as layers.0",
  (value) => typeof value === "string" || value instanceof RegExp,
);
/** Paths of modules. */
export const pathPatternsType: OptionType<PathPatterns> = eitherOf(
  pathPattern,
  listOf(pathPattern, "paths"),
  'paths of modules, such as "h.*"',
);
