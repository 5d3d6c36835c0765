/** Fields of records, such as cells of a table, searched many at once, each behind its name: a date behind "born: " is one of birth. */
import { changed, type Redactor, type TextChange } from "../redact-text.ts";

/** A field and what it is called. */
export interface Field {
  readonly name: string;
  readonly text: string;
}

/** A field without personal data. */
export interface RedactedField {
  readonly text: string;
  readonly changes: readonly TextChange[];
}

/** Redacts fields, in their order; where a finding reaches over the border of a field, that field is looked at by itself. */
export async function redactFields(redact: Redactor, fields: readonly Field[]): Promise<RedactedField[]> {
  const parts: string[] = [];
  const starts: number[] = [];
  let length = 0;
  for (const { name, text } of fields) {
    const front = name === "" ? "" : `${name.replace(/[_\s]+/g, " ")}: `;
    starts.push(length + front.length);
    parts.push(front, text, "\n");
    length += front.length + text.length + 1;
  }
  const { changes } = await redact(parts.join(""));
  const made: RedactedField[] = [];
  let next = 0;
  for (const [i, { text }] of fields.entries()) {
    const start = starts[i] as number;
    const end = start + text.length;
    while (next < changes.length && (changes[next] as TextChange).end <= start) next++;
    const own: TextChange[] = [];
    for (let at = next; at < changes.length && (changes[at] as TextChange).start < end; at++)
      own.push(changes[at] as TextChange);
    if (own.some((change) => change.start < start || change.end > end)) made.push(await redact(text));
    else {
      const moved = own.map((change) => ({ ...change, start: change.start - start, end: change.end - start }));
      made.push({ text: changed(text, moved), changes: moved });
    }
  }
  return made;
}
