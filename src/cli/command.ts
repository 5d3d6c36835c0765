/** What a command of the command line is: its arguments, its options as a typed table, its examples, and what it does. */
import { OptionError } from "../core/errors.ts";
import type { Output } from "./output.ts";

/** One option: how its text becomes a value. An option without a placeholder is a switch. */
export interface Option<T> {
  /** Name of the value in the help: `N`. */
  readonly placeholder?: string;
  /** One sentence for the help. */
  readonly description: string;
  /** May be given several times: its texts are put together, with commas. */
  readonly repeats?: boolean;
  /** Throws OptionError when the text is not such a value. */
  parse(text: string, flag: string): T;
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The values of a table's options; those not given are absent. */
export type OptionValues<S extends OptionTable> = {
  readonly [K in keyof S]?: S[K] extends Option<infer T> ? T : never;
};

export interface Argument {
  readonly name: string;
  readonly description: string;
  /** Takes one or more. */
  readonly variadic?: boolean;
  /** May be left out, where an option takes its place. */
  readonly optional?: boolean;
}

/** What a command is run with. */
export interface Invocation<V> {
  readonly arguments: readonly string[];
  readonly options: V;
  readonly output: Output;
  /** The whole command line, after the program's name. */
  readonly line: readonly string[];
}

export interface Command {
  readonly arguments: readonly Argument[];
  readonly options: OptionTable;
  /** Options that come with what an argument names, such as a recipe's own: the first, unless `namedBy` says which. */
  optionsOf?(argument: string): Promise<OptionTable>;
  /** Which argument that is, 0 for the first. */
  readonly namedBy?: number;
  /** What stands for the first argument where there is none, by the texts of some options; `undefined` where they tell nothing. */
  readonly unnamed?: {
    readonly options: readonly string[];
    argument(given: Readonly<Record<string, string>>): Promise<string | undefined>;
  };
  /** Each a whole command line, then what it does. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  run(invocation: Invocation<Readonly<Record<string, unknown>>>): Promise<void>;
}

/** A command whose `run` knows the types of its options from their table. */
export const defineCommand = <const S extends OptionTable>(
  spec: Omit<Command, "options" | "run"> & {
    readonly options: S;
    run(invocation: Invocation<OptionValues<S>>): Promise<void>;
  },
): Command => ({
  ...spec,
  // main.ts builds the values from this very table.
  run: ({ options, ...rest }) => spec.run({ ...rest, options: options as OptionValues<S> }),
});

/** A whole number from `low`. */
export const wholeNumber = (description: string, low: number): Option<number> => ({
  placeholder: "N",
  description,
  parse(text, flag) {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text.trim()) || !Number.isSafeInteger(value) || value < low)
      throw new OptionError(
        `${flag} is "${text}"; pass a whole number from ${low}, such as ${flag} ${Math.max(low, 1)}`,
      );
    return value;
  },
});

/** A finite number from `low`, or above it. */
export const number = (
  description: string,
  { low, above = false, example }: { readonly low: number; readonly above?: boolean; readonly example: number },
): Option<number> => ({
  placeholder: "X",
  description,
  parse(text, flag) {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || value < low || (above && value === low))
      throw new OptionError(
        `${flag} is "${text}"; pass a number ${above ? "above" : "from"} ${low}, such as ${flag} ${example}`,
      );
    return value;
  },
});

/** Any text, such as a path. */
export const text = (placeholder: string, description: string): Option<string> => ({
  placeholder,
  description,
  parse(value, flag) {
    if (value === "") throw new OptionError(`${flag} is empty; pass a value after it`);
    return value;
  },
});

/** One of a few values, checked by `resolve`, which throws OptionError. */
export const choice = <T>(
  description: string,
  resolve: (name: string, flag: string) => T,
  placeholder = "NAME",
): Option<T> => ({
  placeholder,
  description,
  parse: resolve,
});

/** One of some words. */
export const oneOf = <W extends string>(description: string, words: readonly W[]): Option<W> => ({
  placeholder: "NAME",
  description: `${words.join(", ")}: ${description}`,
  parse(text, flag) {
    const word = words.find((own) => own === text);
    if (word === undefined) throw new OptionError(`${flag} is "${text}"; pass one of ${words.join(", ")}`);
    return word;
  },
});

/** Given or not. */
export const toggle = (description: string): Option<boolean> => ({ description, parse: () => true });
