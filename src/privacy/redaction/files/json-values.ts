/** The values of JSON that may hold personal data, strings and numbers, changed where they stand: everything else stays as it is written. */

import type { Redactor, TextChange } from "../redact-text.ts";
import { type Field, redactFields } from "./fields.ts";

interface JsonValue extends Field {
  /** Where it stands in the JSON. */
  readonly start: number;
  readonly end: number;
}

const literals = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/gs;

/** Strings and numbers with the names of their fields, those of lists with that of the list. The text has to be JSON. */
export function jsonValues(json: string): JsonValue[] {
  const values: JsonValue[] = [];
  let name = "";
  for (const { index, 0: literal } of json.matchAll(literals)) {
    const end = index + literal.length;
    const isString = literal[0] === '"';
    const text = isString ? String(JSON.parse(literal)) : literal;
    if (isString && /^\s*:/.test(json.slice(end, end + 64))) name = text;
    else values.push({ name, text, start: index, end });
  }
  return values;
}

/** JSON without personal data, and what was changed, each with the name of its field and its place in the JSON. */
export async function redactJson(
  redact: Redactor,
  json: string,
  isWanted: (name: string) => boolean,
): Promise<{ readonly text: string; readonly changes: readonly (readonly [name: string, change: TextChange])[] }> {
  const values = jsonValues(json).filter(({ name }) => isWanted(name));
  const fields = await redactFields(redact, values);
  const changes: [string, TextChange][] = [];
  const parts: string[] = [];
  let last = 0;
  for (const [i, { name, start, end }] of values.entries()) {
    const own = fields[i];
    if (!own || own.changes.length === 0) continue;
    parts.push(json.slice(last, start), JSON.stringify(own.text));
    last = end;
    for (const change of own.changes) changes.push([name, { ...change, start, end }]);
  }
  return { text: parts.join("") + json.slice(last), changes };
}
