/** Pairs of texts that belong together, to learn embeddings that tell them from others. */
import { DataError } from "../../core/errors.ts";
import { string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { FileRecord } from "../tables/json-records.ts";
import { textFieldOf } from "../tables/record-fields.ts";

/** Two texts that belong together, such as a question and its answer. */
export interface TextPair {
  /** The text that is looked up with. */
  readonly anchor: string;
  /** One that belongs to it. */
  readonly positive: string;
  /** One that does not, though it looks alike. */
  readonly negative?: string;
}

/** Options of `textPairs` and `loadTextPairs`: names of fields. */
export interface TextPairsOptions {
  /** The field of the anchors; default "anchor". */
  readonly anchor?: string;
  /** The field of what belongs to them; default "positive". */
  readonly positive?: string;
  /** The field of what does not; default "negative", where the first record has it. */
  readonly negative?: string;
}

const checkOptions = optionsOf<TextPairsOptions>("textPairs", { anchor: string, positive: string, negative: string });

/**
 * The pairs of records, with a negative in all of them or in none. Throws DataError naming the record of a field that is missing (with
 * those that there are) or empty, and of a positive or negative that is the anchor itself or the other.
 * @example textPairs(parseJsonRecords('{"query":"2 + 2?","answer":"4"}', "a.jsonl"), { anchor: "query", positive: "answer" })
 */
export function textPairs(records: readonly FileRecord[], options: TextPairsOptions = {}): TextPair[] {
  const { anchor = "anchor", positive = "positive", negative } = checkOptions(options);
  const third = negative ?? (Object.hasOwn(records[0]?.fields ?? {}, "negative") ? "negative" : undefined);
  return records.map((record) => {
    const pair: TextPair = {
      anchor: textFieldOf(record, anchor, "anchor"),
      positive: textFieldOf(record, positive, "positive"),
      ...(third !== undefined && { negative: textFieldOf(record, third, "negative") }),
    };
    const texts = Object.values(pair);
    if (new Set(texts).size < texts.length)
      throw new DataError(
        `${record.where}: has the same text twice, expected different ones in ${[anchor, positive, third].filter((name) => name !== undefined).join(", ")}; remove the record`,
      );
    return pair;
  });
}
