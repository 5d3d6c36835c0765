/**
 * Options of public functions. Each function declares its own once, beside their interface: which names there are, and which
 * values each takes. Types hold the two together; the check reaches where types do not, in JavaScript and in recipes that are
 * only stripped of types.
 */
import * as z from "zod/mini";
import { OptionError, unknownName } from "./errors.ts";

/** The values that an option takes. Its errors say what to pass. */
export type OptionType<T> = z.core.$ZodType<T>;

/** An option that may not be left out. */
export interface RequiredOption<T> {
  readonly required: OptionType<T>;
}

/** One type for each option of O, `required` where O has it always. */
export type OptionTypes<O> = {
  readonly [K in keyof Required<O>]: undefined extends O[K] ? OptionType<O[K]> : RequiredOption<O[K]>;
};

/** Returns the options as they are. Throws OptionError for an unknown name and for a value of a wrong type. */
export interface OptionCheck<O> {
  <T extends O>(options: T): T;
  /** These options as one option of another function. */
  readonly type: OptionType<O>;
}

/**
 * Declares the options of `where`.
 * @example
 * const checkOptions = optionsOf<HuberOptions>("huber", { delta: positive });
 * checkOptions({ dleta: 1 }); // OptionError: unknown option of huber: "dleta"; did you mean "delta"? Known: delta.
 */
export function optionsOf<O extends object>(where: string, types: OptionTypes<O>): OptionCheck<O> {
  const entries = Object.entries<OptionType<unknown> | RequiredOption<unknown>>(types);
  const shape = Object.fromEntries(
    entries.map(([name, type]) => [name, "_zod" in type ? z.optional(type) : type.required]),
  );
  const schema = z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? unknownName(`option of ${where}:`, issue.keys[0] ?? "", Object.keys(types)).message
        : `pass an object such as { ${entries[0]?.[0]}: … }`,
  });
  const check = <T extends O>(options: T): T => {
    const issues = schema.safeParse(options, { reportInput: true }).error?.issues ?? [];
    // A mistaken name explains a missing one.
    const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0];
    if (issue) throw new OptionError(sentence(where, issue));
    return options;
  };
  return Object.assign(check, { type: schema as OptionType<O> });
}

/** Where, what was got, what to pass. */
function sentence(where: string, { code, path, input, message }: z.core.$ZodIssue): string {
  if (code === "unrecognized_keys") return message;
  const name = path.reduce<string>(
    (text, key) => text + (typeof key === "number" ? `[${key}]` : `${text && "."}${String(key)}`),
    "",
  );
  return `${where}: ${name === "" ? "options are" : `${name} is`} ${shown(input)}; ${message[0]?.toLowerCase()}${message.slice(1)}`;
}

/** A value in a message. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return value.length > 8 ? `a list of ${value.length}` : `[${value.map(shown).join(", ")}]`;
  if (typeof value !== "object" || value === null) return value === undefined ? "missing" : String(value);
  const name: unknown = value.constructor?.name;
  if (typeof name !== "string" || name === "Object") return "an object";
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}

/** An option that may not be left out. */
export const required = <T>(type: OptionType<T>): RequiredOption<T> => ({ required: type });
