/** Pairs of sentences in two languages, from files of text. */
import { FileError } from "../../core/errors.ts";

/** A sentence and its translation. */
export interface Translation {
  /** The sentence. */
  readonly source: string;
  /** What it is in the other language. */
  readonly target: string;
}

/** Pairs, and how many rows were left out. */
export interface Translations {
  /** The pairs, in the order of the file. */
  readonly pairs: readonly Translation[];
  /** How many rows were left out. */
  readonly skipped: number;
}

/**
 * Rows `source<TAB>target`, as Tatoeba's pairs have them, with or without an attribution at the end. Empty lines do not count; rows
 * without both sentences are left out and counted. Throws FileError, opening with `what` the file is, when no pair is left.
 */
export function parseTranslations(text: string, what: string): Translations {
  const rows = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");
  const pairs = rows.flatMap((row): Translation[] => {
    const [source = "", target = ""] = row.split("\t").map((field) => field.trim());
    return source !== "" && target !== "" ? [{ source, target }] : [];
  });
  if (pairs.length === 0)
    throw new FileError(
      `${what}: none of ${rows.length} rows has two sentences with a tab between them; expected source<TAB>target`,
    );
  return { pairs, skipped: rows.length - pairs.length };
}

/** A message of the compiler's table: `Name: diag(1002, 1 /* Error *\/, "Key_1002", "Text."`, in any quotes. */
const quoted = String.raw`"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\x60(?:[^\x60\\]|\\.)*\x60`;
const diagnostic = new RegExp(
  String.raw`^\s+\w+: diag\(\s*[\de]+,\s*\d+ /\*.*?\*/,\s*(${quoted}),\s*(${quoted})`,
  "gm",
);

/** The text of a literal in JavaScript, of whose escapes only those of JSON and of quotes occur. */
const textOf = (literal: string): string =>
  JSON.parse(
    `"${literal
      .slice(1, -1)
      .replace(/\\(['\x60])/g, "$1")
      .replace(/(?<!\\)"/g, '\\"')}"`,
  );

/**
 * TypeScript's messages in English and another language, by the keys that both have: from the text of `typescript.js` and that
 * of `diagnosticMessages.generated.json`. Messages without a partner are counted. Throws FileError for other files.
 */
export function pairMessages(compiler: string, localized: string, what: string): Translations {
  const english = new Map(
    Array.from(compiler.matchAll(diagnostic), ([, key = '""', text = '""']) => [textOf(key), textOf(text)] as const),
  );
  const messages = Object.entries(messagesOf(localized, what));
  const pairs = messages.flatMap(([key, target]): Translation[] => {
    const source = english.get(key);
    return source === undefined ? [] : [{ source, target }];
  });
  if (pairs.length === 0)
    throw new FileError(`${what}: none of its messages is in the compiler; take both of one version`);
  return { pairs, skipped: messages.length - pairs.length };
}

function messagesOf(json: string, what: string): Readonly<Record<string, string>> {
  try {
    const parsed: unknown = JSON.parse(json);
    if (
      typeof parsed === "object" &&
      parsed !== null &&
      Object.values(parsed).every((text) => typeof text === "string")
    )
      return parsed as Readonly<Record<string, string>>;
  } catch (error) {
    throw new FileError(`${what}: is no JSON (${(error as Error).message}); it is cut off or of another kind`, {
      cause: error,
    });
  }
  throw new FileError(`${what}: is no object of messages by key`);
}
