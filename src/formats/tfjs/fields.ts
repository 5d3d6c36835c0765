/** Parts of a model.json that are checked against a schema, and what is said of those that do not fit. */
import * as z from "zod";
import { FileError } from "../../core/errors.ts";
import { wrongFields } from "../config-fields.ts";

/** Messages show this many of a part's wrong fields: a damaged file may have thousands. */
const maxShown = 3;

/** A part of the file. Throws FileError that says where it stands and which of its fields are wrong. */
export function readPart<T>(place: string, schema: z.ZodType<T>, part: unknown): T {
  const result = schema.safeParse(part);
  if (result.success) return result.data;
  const { issues } = result.error;
  const shown = wrongFields(new z.ZodError(issues.slice(0, maxShown)), part);
  const more = issues.length > maxShown ? `; and ${issues.length - maxShown} more` : "";
  throw new FileError(`tfjs: ${place}: ${shown}${more}; the file is damaged, convert the model again`);
}

/** Text that is not empty. */
export const name = () => z.string({ error: "a name" }).min(1, { error: "a name" });

/** An object with any keys. */
export const object = (what: string) => z.record(z.string(), z.unknown(), { error: what });
