/** Texts of files as a terminal can show them: without what it would obey, and as one sentence of a length that is read. */

/** Characters that a terminal obeys instead of showing them, and those that turn the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** A text with control characters written out, as `\x1b`: names in files of others may hold any. Lines and tabs stay. */
export const printable = (text: string): string =>
  text.replace(controls, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
  });

/** The longest message of an error. */
const longest = 1000;

/**
 * A text in one line of at most 1,000 characters; of a longer one the beginning, which says where, and the end, which says how to mend it.
 */
export function asSentence(text: string): string {
  // A name that is quoted may be as large as the file it stands in.
  const line = printable(shortened(text, 4 * longest).replace(/\s*[\n\r\t]\s*/g, " "));
  return shortened(line, longest);
}

function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor(0.3 * most);
  return `${text.slice(0, most - end - 3)} … ${text.slice(-end)}`;
}

/** A name in a message, in quotes; of a long one the beginning. */
export const quoted = (name: string): string => `"${name.length > 80 ? `${name.slice(0, 79)}…` : name}"`;
