/** Typed access to the fields of decoded messages, whose kinds the schema has settled. */
import type { Blob, Decoded } from "./decode.ts";

/** A text field, "" when it is absent. */
export const text = (message: Decoded | undefined, field: string): string =>
  (message?.[field] as string | undefined) ?? "";

/** A number, `undefined` when it is absent. */
export function number(message: Decoded | undefined, field: string): number | undefined {
  const value = message?.[field] as number | bigint | undefined;
  return value === undefined ? undefined : Number(value);
}

/** A repeated number field. */
export const numbers = (message: Decoded | undefined, field: string): number[] =>
  ((message?.[field] as readonly (number | bigint)[] | undefined) ?? []).map(Number);

/** A repeated text field. */
export const texts = (message: Decoded | undefined, field: string): readonly string[] =>
  (message?.[field] as readonly string[] | undefined) ?? [];

/** A message field. */
export const record = (message: Decoded | undefined, field: string): Decoded | undefined =>
  message?.[field] as Decoded | undefined;

/** A repeated message field. */
export const records = (message: Decoded | undefined, field: string): readonly Decoded[] =>
  (message?.[field] as readonly Decoded[] | undefined) ?? [];

/** A bytes field as text. */
export const bytesAsText = (blob: Blob | undefined): string => new TextDecoder().decode(blob?.read());
