/** Values of records as the text of a cell. */
import { isPlainObject } from "../../core/tree.ts";

/** Within JSON: whole numbers of 64 bits as they are where they are exact, bytes by their number. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return ArrayBuffer.isView(value) && !(value instanceof DataView) ? [...(value as Float32Array)] : value;
}

/** A value as a cell: "" for none, dates as ISO, lists and objects as JSON. */
export function cellText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? "" : value.toISOString().replace("T00:00:00.000Z", "");
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return Array.isArray(value) || isPlainObject(value) || typeof value === "object"
    ? JSON.stringify(value, plain)
    : String(value);
}
