/** Records of files that together are larger than memory: any of them is read when its turn comes. */

import { DataError, OptionError } from "../../core/errors.ts";
import { endingOf } from "../../storage/ending.ts";
import { type Dataset, fromIndexed } from "../pipeline/dataset.ts";
import type { FileRecord } from "../tables/json-records.ts";
import { openJsonLines } from "./json-lines.node.ts";
import { openParquetRows } from "./parquet-rows.node.ts";
import type { RecordFile } from "./record-file.ts";
import { openTarSamples } from "./tar-samples.node.ts";

const readers: Readonly<Record<string, (path: string) => RecordFile | Promise<RecordFile>>> = {
  ".jsonl": openJsonLines,
  ".ndjson": openJsonLines,
  ".tar": openTarSamples,
  ".parquet": openParquetRows,
};

/** Records of files, which stay open until `close`. */
export interface OpenedRecords {
  /** The records, in the order of the files. */
  readonly records: Dataset<FileRecord>;
  /** Lets go of the files. */
  close(): Promise<void>;
}

/**
 * The records of files: lines of JSON (`.jsonl`, `.ndjson`), rows of `.parquet`, samples of `.tar` as WebDataset writes them, of which each has the
 * bytes of its files by their endings. Only where records begin is kept in memory; what is shuffled is read in any order, of Parquet a group of rows
 * at a time. Several processes that train together read each record once between them (see `rowwise`). Throws OptionError for another kind of file,
 * FileError for one that is missing or damaged, DataError where there is no record.
 * @example
 * const { records, close } = await openRecords(["train-000.tar", "train-001.tar"]);
 * const samples = records.map(async ({ fields }) => ({ x: await decode(fields["jpg"]), y: labelOf(fields["cls"]) }));
 * const batches = samples.shuffle(keyOf(0)).batch(32);
 */
export async function openRecords(paths: string | readonly string[]): Promise<OpenedRecords> {
  const named = typeof paths === "string" ? [paths] : paths;
  const files: RecordFile[] = [];
  const close = async () => {
    for (const file of files) await file.close();
  };
  try {
    for (const path of named) {
      const ending = endingOf(path);
      const open = readers[ending];
      if (!open)
        throw new OptionError(
          `openRecords: ${path} ends with "${ending}"; pass files that end with ${Object.keys(readers).join(", ")}`,
        );
      files.push(await open(path));
    }
    const starts = [0];
    for (const { count } of files) starts.push((starts.at(-1) ?? 0) + count);
    const total = starts.at(-1) ?? 0;
    if (total === 0)
      throw new DataError(
        `openRecords: there is no record in ${named.join(", ") || "no file"}; name files that have some`,
      );
    const records = fromIndexed(total, (index) => {
      const file = starts.findLastIndex((start) => start <= index);
      return (files[file] as RecordFile).read(index - (starts[file] ?? 0));
    });
    return { records, close };
  } catch (error) {
    await close();
    throw error;
  }
}
