/** Quantities of an inspection as people read them: counts, bytes, FLOPs, shares as bars. */

import { byteText, count, duration, prefixed } from "../../core/number-text.ts";
import type { Shape } from "../../core/shape.ts";

/** Multiply-adds or FLOPs: `4.09 G`; `-` where they are not known. */
export const amount = (value: number | null): string => (value === null ? "-" : prefixed(value, 1000).trimEnd());

/** Bytes in binary units: `97.5 MiB`; `-` where they are not known. */
export const bytes = (value: number | null): string => (value === null ? "-" : byteText(value));

/** A count that may be a decimal string: `6.28e57` when it is too long to read. */
export function longCount(value: number | string): string {
  if (typeof value === "number") return count(value);
  const grouped = value.replace(/\B(?=(\d{3})+$)/g, ",");
  return grouped.length <= 26 ? grouped : `${value[0]}.${value.slice(1, 3)}e${value.length - 1}`;
}

/** `1×3×224×224`. */
export const extents = (shape: Shape | null | undefined): string =>
  shape ? (shape.length === 0 ? "scalar" : shape.join("×")) : "?";

/** Seconds of a step: `12.3 ms`, `4.56 s`, `2 min 05 s`; `-` where they are not known. */
export function stepTime(seconds: number | null): string {
  if (seconds === null) return "-";
  if (seconds >= 10) return duration(seconds);
  return seconds >= 1 ? `${seconds.toPrecision(3)} s` : `${(1000 * seconds).toPrecision(3)} ms`;
}

/** A share of 1 as `12.3 %`. */
export const share = (part: number, whole: number): string =>
  whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)} %`;

/** A share of 1 as a bar of a width, to an eighth of a column. */
export function bar(part: number, whole: number, width: number): string {
  const eighths = whole === 0 ? 0 : Math.round((8 * width * part) / whole);
  const rest = eighths % 8;
  return "█".repeat(Math.floor(eighths / 8)) + (rest > 0 ? ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][rest] : "");
}
