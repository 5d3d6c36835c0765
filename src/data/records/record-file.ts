/** Files of records any of which can be had at once, without the file in memory. */
import type { FileRecord } from "../tables/json-records.ts";

/** A file of records that is open. */
export interface RecordFile {
  readonly count: number;
  /** A record by its number, from 0. */
  read(index: number): FileRecord | Promise<FileRecord>;
  /** To be called when no more is read of it. */
  close(): void | Promise<void>;
}
