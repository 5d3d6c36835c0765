/** Amounts of memory as options: a number of bytes, or text such as "2GB". */
import { OptionError } from "./errors.ts";
import { matching } from "./option-types.ts";

const prefixes = "KMGT";

/**
 * Bytes of a number or of text: `2e9`, `"2GB"`, `"1.5 GiB"`, `"512 MB"`; GB is 10^9, GiB 2^30. Throws OptionError for anything else.
 * @param name of the option, for the error
 */
export function byteSize(given: number | string, name: string): number {
  const bytes = bytesIn(given);
  if (bytes === undefined)
    throw new OptionError(`${name} is ${JSON.stringify(given)}; pass bytes, such as 2e9, "2GB" or "1.5GiB"`);
  return bytes;
}

function bytesIn(given: number | string): number | undefined {
  const [, digits, prefix = "", binary] = /^\s*(\d+(?:\.\d+)?)\s*(?:([KMGT])?(i)?B)?\s*$/i.exec(String(given)) ?? [];
  const power = prefix === "" ? 0 : prefixes.indexOf(prefix.toUpperCase()) + 1;
  const bytes = typeof given === "number" ? given : Math.round(Number(digits) * (binary ? 1024 : 1000) ** power);
  return bytes > 0 && Number.isFinite(bytes) ? bytes : undefined;
}

/** Whether `byteSize` reads it. */
export const isByteSize = (value: unknown): value is number | string =>
  (typeof value === "number" || typeof value === "string") && bytesIn(value) !== undefined;

/** An amount of memory as an option; `byteSize` reads it. */
export const byteSizeType = matching<number | string>('bytes, such as 2e9, "2GB" or "1.5GiB"', isByteSize);
