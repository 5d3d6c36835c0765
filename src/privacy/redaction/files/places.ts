/** Where changes are in a file: lines and columns of texts, rows and columns of tables. */
import type { PersonalKind, PersonalSpan } from "../kinds.ts";

/** A change of a file; never what stood there. */
export interface PlacedChange {
  readonly kind: PersonalKind;
  readonly rule: string;
  /** The line in the file, from 1; of a record the one that it begins on. */
  readonly line: number;
  /** The character of the line, from 1; of a table the name of the column, of JSON the name of the field. */
  readonly column: number | string;
}

/** Lines and columns of changes of a text that begins on `line`, in order. */
export function placesOf(text: string, changes: readonly PersonalSpan[], line: number): PlacedChange[] {
  let [own, begin] = [line, 0];
  return changes.map(({ kind, rule, start }) => {
    for (let end = text.indexOf("\n", begin); end >= 0 && end < start; end = text.indexOf("\n", begin)) {
      own++;
      begin = end + 1;
    }
    return { kind, rule, line: own, column: start - begin + 1 };
  });
}

/** How many lines a text ends. */
export function linesIn(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
