/** Texts as they are searched: one form of digits, spaces and dashes, without characters that nobody sees, and the way back to the text as it was. */

/** A text to search. */
export interface Searchable {
  readonly text: string;
  /** The place in the original of a place in `text`; of its end the end. */
  original(place: number): number;
}

/** Soft hyphens, zero-width spaces and joiners, marks of direction. */
const invisible = /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/;
const unusual =
  /[\u00a0\u00ad\u0660-\u0669\u06f0-\u06f9\u061c\u180e\u2000-\u200f\u2010-\u2015\u202a-\u202f\u2060-\u2069\u2212\u3000\ufeff\uff01-\uff5e]/g;

/** What one character is searched as; "" for one that nobody sees. */
function plain(character: string): string {
  const code = character.charCodeAt(0);
  if (invisible.test(character)) return "";
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCharCode(code - 0xfee0);
  if (code >= 0x0660 && code <= 0x0669) return String(code - 0x0660);
  if (code >= 0x06f0 && code <= 0x06f9) return String(code - 0x06f0);
  return (code >= 0x2010 && code <= 0x2015) || code === 0x2212 ? "-" : " ";
}

/**
 * The text as it is searched: full-width and Arabic digits, letters and punctuation as ASCII, spaces and dashes of all kinds as one, invisible characters left out.
 * @example searchable("１３８\u200b００").text // "13800"
 */
export function searchable(text: string): Searchable {
  if (text.search(unusual) < 0) return { text, original: (place) => place };
  const parts: string[] = [];
  /** Places in the plain text behind characters that were left out, and how many were until there. */
  const shifts: number[] = [];
  let [from, length] = [0, 0];
  for (const { index, 0: character } of text.matchAll(unusual)) {
    const own = plain(character);
    parts.push(text.slice(from, index), own);
    length += index - from + own.length;
    if (own === "") shifts.push(length);
    from = index + 1;
  }
  parts.push(text.slice(from));
  return { text: parts.join(""), original: (place) => place + countUpTo(shifts, place) };
}

/** How many of some ascending numbers are at most `most`. */
function countUpTo(numbers: readonly number[], most: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}
