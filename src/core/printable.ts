/** Text of others, such as names in files, shown so that it does nothing: on a terminal, in Markdown, in a shell. */

/** Characters that a terminal obeys instead of showing them, those that turn the direction of text, and separators that end lines. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * A text with control characters written out, as `\x1b` and `\u009b`. Lines and tabs stay. JSON text remains JSON: of these characters it holds
 * only such as are written in the second way.
 */
export const printable = (text: string): string =>
  text.replace(controls, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return character < "\u0020" ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`;
  });

/** As `printable`, in one line. */
export const inOneLine = (text: string): string => printable(text.replace(/\r\n?|\n/g, "\\n").replace(/\t/g, " "));

/** Text in Markdown, also in a cell of a table: nothing of it ends a line or a cell, or is taken for markup. */
export const markdownText = (text: string): string => inOneLine(text).replace(/([|\\*_`<>[\]&~$])/g, "\\$1");

/** A word as a POSIX shell reads it back (Shell Command Language, 2.2): as it is where nothing in it means anything, else in quotes. */
export const shellWord = (text: string): string =>
  /^[\p{L}\p{N}@%+=:,./_-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/**
 * A command line whose inserted words are quoted for the shell.
 * @example command`sardonyx train ${recipe} --out ${folder}`
 */
export const command = (parts: TemplateStringsArray, ...words: readonly string[]): string =>
  parts.reduce((line, part, i) => `${line}${shellWord(words[i - 1] ?? "")}${part}`);

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

/** `batchSize` as it is written on the command line: `--batch-size`. */
export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
