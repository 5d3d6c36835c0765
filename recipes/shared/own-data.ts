/** What recipes of your own data ask of their options. */
import { OptionError } from "../../src/index.ts";

/** Throws OptionError without data, in the words of `missing`, and for a time that is none. */
export function requireOwnData(
  { data, minutes }: { readonly data: string; readonly minutes?: number },
  missing: string,
): void {
  if (data === "") throw new OptionError(missing);
  if (minutes !== undefined && !(minutes > 0)) throw new OptionError(`--minutes is ${minutes}; pass a number above 0`);
}
