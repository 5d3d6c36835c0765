/** What is not understood of a model, in sentences. */

import { groupBy } from "../../core/group-by.ts";
import type { UnknownReason } from "../../import/unknown.ts";

/** Something of a type that is not understood. */
export interface Unknown extends UnknownReason {
  readonly type: string;
}

/** A sentence for each kind of thing that is not understood; `noun` is what they are, nodes or layers. */
export function unknownNotes(unknown: readonly Unknown[], noun: "node" | "layer"): readonly string[] {
  const operators = groupBy(
    unknown.filter(({ kind }) => kind === "operator"),
    ({ type, why }) => `${type}: ${why}`,
  );
  const notes = Array.from(operators, ([text, all]) => {
    const times = all.length > 1 ? ` (${all.length} ${noun}s)` : "";
    return `Not understood: ${text}${times}. It is named and its weights are counted; it costs nothing here, and no gradient passes it.`;
  });
  const blind = unknown.filter(({ kind }) => kind === "shape").length;
  const those = `${blind} ${blind === 1 ? noun : `${noun}s`} of known operators`;
  if (blind > 0 && notes.length > 0)
    notes.push(`The shapes after it are not known: what ${those} cost is not known either.`);
  else if (blind > 0) notes.push(`The shapes of ${those} are not known, nor what they cost.`);
  return notes;
}
