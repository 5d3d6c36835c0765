/** Findings that overlap: the most certain stays, of equally certain ones the longest. */
import type { PersonalSpan } from "./kinds.ts";

/** The spans that stay, in the order of the text, none within another. @param length of the text */
export function withoutOverlaps(spans: readonly PersonalSpan[], length: number): PersonalSpan[] {
  const ranked = [...spans].sort(
    (a, b) => b.certainty - a.certainty || b.end - b.start - (a.end - a.start) || a.start - b.start,
  );
  const isTaken = new Uint8Array(length);
  const kept: PersonalSpan[] = [];
  for (const span of ranked) {
    if (span.end <= span.start || isTaken.subarray(span.start, span.end).includes(1)) continue;
    isTaken.fill(1, span.start, span.end);
    kept.push(span);
  }
  return kept.sort((a, b) => a.start - b.start);
}
