/** Checks of options that count something. */
import { OptionError } from "../core/errors.ts";

/** Throws OptionError unless an option is a whole number from `least`. */
export function requireCount(where: string, option: string, value: number, least = 1): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new OptionError(`${where}: ${option} is ${value}; pass a whole number from ${least}`);
}
