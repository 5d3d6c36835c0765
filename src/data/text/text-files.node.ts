/** Labelled texts and pairs of texts from files: CSV, TSV, JSON Lines, JSON and Parquet. */
import { loadRecords } from "../tables/file-records.node.ts";
import { type LabelledTextsOptions, labelledTexts, type TextsWithLabels } from "./labelled-records.ts";
import { type TextPair, type TextPairsOptions, textPairs } from "./text-pairs.ts";

/**
 * Labelled texts of a file (.csv, .tsv, .jsonl, .ndjson, .json, .parquet); see `labelledTexts`. Throws FileError when it cannot be
 * read, DataError for a record without text or label.
 * @example const { texts, labels, classes } = await loadLabelledTexts("reviews.csv", { text: "review", label: "sentiment" });
 */
export async function loadLabelledTexts(path: string, options: LabelledTextsOptions = {}): Promise<TextsWithLabels> {
  labelledTexts([], options); // mistaken options are reported before a large file is read
  return labelledTexts(await loadRecords(path), options);
}

/**
 * Pairs of texts of a file, as `loadLabelledTexts` reads them; see `textPairs`.
 * @example await loadTextPairs("questions.jsonl", { anchor: "question", positive: "answer" });
 */
export async function loadTextPairs(path: string, options: TextPairsOptions = {}): Promise<TextPair[]> {
  textPairs([], options);
  return textPairs(await loadRecords(path), options);
}
