/** Entities of tagged words, and how many of them are found: precision, recall and F1 of whole spans. */
import { DataError } from "../../core/errors.ts";

/** A name, place or other span of words of one type. */
export interface Entity {
  /** The type, such as `PER`. */
  readonly type: string;
  /** Its first word. */
  readonly start: number;
  /** The word behind its last one. */
  readonly end: number;
}

const shape = /^([BIES])-(.+)$/;

/** Whether tags mark spans: `O` outside, and `B-PER`, `I-PER` inside, of BIOES also `E-PER` and `S-PER`. */
export const marksSpans = (tags: readonly string[]): boolean =>
  tags.every((tag) => tag === "O" || shape.test(tag)) && tags.some((tag) => tag !== "O");

/**
 * The entities of a sentence by its tags, BIO or BIOES, as conlleval and seqeval's default read them (Ramshaw and Marcus 1995): one begins
 * at `B` and `S`, and at `I` or `E` behind another type, behind the end of an entity or outside of any.
 * @example entitiesOf(["B-PER", "I-PER", "O"]) // [{ type: "PER", start: 0, end: 2 }]
 */
export function entitiesOf(tags: readonly string[]): Entity[] {
  const found: Entity[] = [];
  let open: { type: string; start: number } | undefined;
  const close = (end: number) => {
    if (open) found.push({ ...open, end });
    open = undefined;
  };
  for (const [i, tag] of tags.entries()) {
    const [, place = "O", type = ""] = shape.exec(tag) ?? [];
    if (place === "O") {
      close(i);
      continue;
    }
    if (!open || open.type !== type || place === "B" || place === "S") {
      close(i);
      open = { type, start: i };
    }
    if (place === "E" || place === "S") close(i + 1);
  }
  close(tags.length);
  return found;
}

/** How well entities are found. */
export type EntityScores = {
  /** Share of those predicted that are right. */
  readonly precision: number;
  /** Share of those there are that are predicted. */
  readonly recall: number;
  /** The harmonic mean of both; 0 where nothing is right. */
  readonly f1: number;
};

/**
 * Scores over all sentences (micro average): an entity is right where type, start and end are. 0 where there is nothing to divide by, as in
 * seqeval. Throws DataError for sentences of unlike lengths.
 */
export function entityScores(
  actual: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
): EntityScores {
  let [right, guessed, there] = [0, 0, 0];
  for (const [i, tags] of actual.entries()) {
    const own = predicted[i] ?? [];
    if (own.length !== tags.length)
      throw new DataError(
        `entityScores: sentence ${i + 1} has ${tags.length} tags and ${own.length} predicted ones; pass one for each word`,
      );
    const keyOf = ({ type, start, end }: Entity) => `${start} ${end} ${type}`;
    const known = new Set(entitiesOf(tags).map(keyOf));
    const guesses = entitiesOf(own).map(keyOf);
    there += known.size;
    guessed += guesses.length;
    right += guesses.filter((guess) => known.has(guess)).length;
  }
  const share = (whole: number) => (whole === 0 ? 0 : right / whole);
  const [precision, recall] = [share(guessed), share(there)];
  return { precision, recall, f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}
