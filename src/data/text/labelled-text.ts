/** Texts with the class that each belongs to. */
import { FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";

/** A text and its class. */
export interface LabelledText {
  readonly text: string;
  /** Place of its class in the list of classes. */
  readonly label: number;
}

/** Whether a text is negative or positive about its subject, in the order of the labels. */
export const sentimentClasses = ["negative", "positive"] as const;

/** Labelled texts, and how many entries were left out. */
export interface LabelledTexts {
  /** The texts, in the order of the file. */
  readonly texts: readonly LabelledText[];
  /** How many entries were left out. */
  readonly skipped: number;
}

/**
 * Texts of a JSON array `[{ "text": …, "class": 0 or 1 }, …]`. Entries without text or without such a class are left out and
 * counted. Throws FileError, opening with `what` the file is, for anything but an array of objects.
 */
export function parseLabelledText(json: string, what: string): LabelledTexts {
  const entries = arrayOf(json, what);
  const texts = entries.flatMap((entry): LabelledText[] => {
    if (typeof entry !== "object" || entry === null || !("text" in entry) || !("class" in entry)) return [];
    const { text, class: label } = entry;
    const fits = typeof text === "string" && text.trim() !== "" && (label === 0 || label === 1);
    return fits ? [{ text: text.trim(), label }] : [];
  });
  return { texts, skipped: entries.length - texts.length };
}

function arrayOf(json: string, what: string): readonly unknown[] {
  try {
    const parsed: unknown = parseJson(json);
    if (Array.isArray(parsed)) return parsed;
  } catch (error) {
    throw new FileError(`${what}: is no JSON (${(error as Error).message}); it is cut off or of another kind`, {
      cause: error,
    });
  }
  throw new FileError(`${what}: is JSON but no array; expected [{ "text": …, "class": 0 or 1 }, …]`);
}
