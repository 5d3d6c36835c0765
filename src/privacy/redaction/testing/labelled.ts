/** Sentences with labels, `{{person|Ada}} spoke`, a line each with "\n" for ends of lines in them, and how well spans of a search fit their labels. */
import { type PersonalKind, personalKinds } from "../kinds.ts";

/** A place that is labelled, or found. */
export interface LabelledSpan {
  readonly kind: PersonalKind;
  readonly start: number;
  readonly end: number;
}

/** A text with its labels, in order. */
export interface LabelledSentence {
  readonly text: string;
  readonly spans: readonly LabelledSpan[];
}

/** The sentences of a file. */
export function labelledSentences(content: string): LabelledSentence[] {
  return content
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      let text = "";
      const spans: LabelledSpan[] = [];
      for (const part of line.replaceAll("\\n", "\n").split(/(\{\{[a-z-]+\|.*?\}\})/s)) {
        const [, kind, own] = /^\{\{([a-z-]+)\|(.*)\}\}$/s.exec(part) ?? [];
        if (kind !== undefined && own !== undefined)
          spans.push({ kind: kind as PersonalKind, start: text.length, end: text.length + own.length });
        text += own ?? part;
      }
      return { text, spans };
    });
}

/** How well a kind is found. */
export interface KindScore {
  readonly labelled: number;
  readonly found: number;
  /** Found with the very places of a label. */
  readonly exact: number;
  /** Labels that something of their kind overlaps, and findings that a label of their kind overlaps. */
  readonly touchedLabels: number;
  readonly touchedFindings: number;
  /** Labels all of whose letters and digits lie within findings of whatever kind: nothing of them is left. */
  readonly hidden: number;
}

const overlap = (a: LabelledSpan, b: LabelledSpan): boolean => a.start < b.end && b.start < a.end;

/** Scores by kind. @param found spans of each sentence */
export function scoreOf(
  sentences: readonly LabelledSentence[],
  found: readonly (readonly LabelledSpan[])[],
): Readonly<Partial<Record<PersonalKind, KindScore>>> {
  const scores = personalKinds.map((kind) => {
    const score = { labelled: 0, found: 0, exact: 0, touchedLabels: 0, touchedFindings: 0, hidden: 0 };
    for (const [i, { text, spans }] of sentences.entries()) {
      const all = found[i] ?? [];
      const labels = spans.filter((span) => span.kind === kind);
      const own = all.filter((span) => span.kind === kind);
      score.labelled += labels.length;
      score.found += own.length;
      score.exact += labels.filter((a) => own.some((b) => a.start === b.start && a.end === b.end)).length;
      score.touchedLabels += labels.filter((a) => own.some((b) => overlap(a, b))).length;
      score.touchedFindings += own.filter((b) => labels.some((a) => overlap(a, b))).length;
      score.hidden += labels.filter((label) => isHidden(text, label, all)).length;
    }
    return [kind, score] as const;
  });
  return Object.fromEntries(scores.filter(([, { labelled, found: count }]) => labelled + count > 0));
}

function isHidden(text: string, { start, end }: LabelledSpan, found: readonly LabelledSpan[]): boolean {
  for (let at = start; at < end; at++)
    if (/[\p{L}\p{N}]/u.test(text[at] ?? "") && !found.some((span) => span.start <= at && at < span.end)) return false;
  return true;
}
