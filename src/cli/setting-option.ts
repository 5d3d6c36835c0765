/** Options of the command line from the schemas that declare settings. */
import * as z from "zod";
import { OptionError, unknownName } from "../core/errors.ts";
import { choice, number, type Option, text, toggle, wholeNumber } from "./command.ts";

/** Options by the names of a schema, with the types that it gives. */
export type OptionsFrom<S extends z.ZodRawShape> = { readonly [K in keyof S]: Option<NonNullable<z.infer<S[K]>>> };

/** An option for each setting of a schema. */
export const optionsFrom = <S extends z.ZodRawShape>(shape: S): OptionsFrom<S> =>
  Object.fromEntries(
    Object.entries(shape).map(([name, schema]) => [name, optionFrom(schema as z.ZodType)]),
  ) as OptionsFrom<S>;

/** The option of one setting: its help is the schema's description. */
function optionFrom(declared: z.ZodType): Option<unknown> {
  const schema = declared instanceof z.ZodOptional ? (declared.unwrap() as z.ZodType) : declared;
  const description = declared.description ?? schema.description ?? "";
  if (schema instanceof z.ZodBoolean) return toggle(description);
  if (schema instanceof z.ZodEnum) {
    const names = schema.options.map(String);
    return choice(`${description}: ${listed(names)}`, (name, flag) => {
      if (!names.includes(name)) throw unknownName(`value of ${flag}:`, name, names);
      return name;
    });
  }
  if (schema instanceof z.ZodNumber) return numberOption(schema, description);
  return text(placeholderOf(description), description);
}

function numberOption(schema: z.ZodNumber, description: string): Option<number> {
  const low = schema.minValue ?? Number.NEGATIVE_INFINITY;
  if (schema.safeParse(low + 0.5).error?.issues.some(({ code }) => code === "invalid_type"))
    return wholeNumber(description, low);
  const above = !schema.safeParse(low).success;
  const own = number(description, { low, above, example: above ? 0.5 : Math.max(low, 1) });
  return {
    ...own,
    parse(given, flag) {
      const value = own.parse(given, flag);
      const high = schema.maxValue ?? Number.POSITIVE_INFINITY;
      if (value > high)
        throw new OptionError(`${flag} is ${value}; pass a number ${above ? "above" : "from"} ${low}, at most ${high}`);
      return value;
    },
  };
}

const sizeNumber = wholeNumber("", 1);

/** The samples of a training step, or `auto`. */
export const batchSizeOption: Option<number | "auto"> = {
  placeholder: "N",
  description: "samples in a training step; auto: the recipe's, computed in parts that fit into memory",
  parse: (given, flag) => (given === "auto" ? given : sizeNumber.parse(given, flag)),
};

/** The setting of a batch size that was given as a number. */
export const sizeOf = (given: number | "auto" | undefined): { readonly batchSize?: number } =>
  typeof given === "number" ? { batchSize: given } : {};

/** `a, b or c`. */
const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;

const placeholderOf = (description: string): string => (/^folder/.test(description) ? "DIR" : "TEXT");
