/** Bodies of JSON, and what a schema finds wrong in them, in words. */
import type * as z from "zod";
import { DataError, OptionError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";

/** What a text of JSON holds. Throws DataError for what is none. */
export function jsonOf(bytes: Uint8Array, what: string): unknown {
  try {
    return parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DataError(`${what} is no JSON (${(cause as Error).message}); send a JSON object`, { cause });
  }
}

/** The first thing that a schema finds wrong, in words. */
export function refusalOf({ issues: [first] }: z.ZodError, what: string): OptionError {
  const place = first?.path.join(".") ?? "";
  return new OptionError(
    `${what}${place === "" ? "" : `: ${place}`}: ${first?.message ?? "is not as it should be"}; correct it`,
  );
}
