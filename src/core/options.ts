/** Checks of options objects where types alone do not reach: in JavaScript, and in recipes that are only stripped of types. */
import { unknownName } from "./errors.ts";

/**
 * Throws OptionError, with the nearest name, for an option that does not exist. `known` lists every option, which the
 * compiler holds.
 */
export function requireKnown<T extends object>(
  where: string,
  options: T,
  known: { readonly [K in keyof Required<T>]: true },
): void {
  for (const name of Object.keys(options))
    if (!Object.hasOwn(known, name)) throw unknownName(`option of ${where}:`, name, Object.keys(known));
}
