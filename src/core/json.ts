/** JSON of files and of the command line, its nesting bounded, so that what walks the result need not fear for the stack. */
import { limits } from "./limits.ts";

const [quote, backslash] = [0x22, 0x5c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Behind a string that begins at `start`; the text's length when it does not end. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === backslash) at++;
    else if (code === quote) return at + 1;
  }
  return text.length;
}

/** Whether brackets stand within more than `most` others. The text need not be valid. */
function nestsDeeper(text: string, most: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
      continue;
    }
    if (code === openList || code === openObject) {
      if (++depth > most) return true;
    } else if (code === closeList || code === closeObject) depth--;
    at++;
  }
  return false;
}

/**
 * As `JSON.parse`. Throws SyntaxError for what is no JSON, and for brackets that nest deeper than `limits.jsonDepth`.
 * @param revive as that of JSON.parse
 */
export function parseJson(text: string, revive?: (key: string, value: unknown) => unknown): unknown {
  // So short a text has no room for more brackets.
  if (text.length > limits.jsonDepth && nestsDeeper(text, limits.jsonDepth))
    throw new SyntaxError(`its brackets nest more than ${limits.jsonDepth} deep, the limit jsonDepth`);
  return JSON.parse(text, revive);
}
