/** Numbers and times as the page shows them. */

/** Four digits that count: `0.001234`, `98.76`, `12,345`. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e5) return String(Number(value.toPrecision(4)));
  return value.toExponential(2);
}

/** `2026-01-31 12:00`, in the reader's time. */
export function timeText(created: string | undefined): string {
  const date = new Date(created ?? "");
  if (Number.isNaN(date.getTime())) return "";
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
