/** Records of a file of JSON Lines, found by where its lines begin. */
import { isUtf8 } from "node:buffer";
import { FileError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { openFile } from "../../storage/file-source.node.ts";
import { recordOfLine } from "../tables/json-records.ts";
import type { RecordFile } from "./record-file.ts";

/** Bytes that are looked through at a time. */
const block = 1 << 22;
const lineFeed = 10;

/** Where the lines of a file that hold something lie: numbers side by side, of which there may be many millions. */
interface Lines {
  readonly starts: number[];
  readonly ends: number[];
  /** Their numbers, from 1. */
  readonly numbers: number[];
}

/** The lines of a file that hold more than blanks. */
function linesOf(source: ReturnType<typeof openFile>, path: string): Lines {
  const lines: Lines = { starts: [], ends: [], numbers: [] };
  let [start, number, isBlank] = [0, 1, true];
  const endAt = (end: number) => {
    if (end - start > limits.recordLength)
      throw new FileError(
        `${path}: line ${number} has ${end - start} bytes, more than recordLength (${limits.recordLength}); write one object a line`,
      );
    if (!isBlank) {
      lines.starts.push(start);
      lines.ends.push(end);
      lines.numbers.push(number);
    }
    [start, number, isBlank] = [end + 1, number + 1, true];
  };
  for (let from = 0; from < source.size; from += block) {
    const bytes = source.read(from, Math.min(block, source.size - from));
    for (let at = 0; at < bytes.length; ) {
      const found = bytes.indexOf(lineFeed, at);
      const end = found < 0 ? bytes.length : found;
      // Blanks and ends of lines of other systems are below.
      for (; isBlank && at < end; at++) isBlank = (bytes[at] as number) <= 32;
      if (found >= 0) endAt(from + found);
      at = end + 1;
    }
  }
  endAt(source.size);
  return lines;
}

/** The objects of a file, one a line. What is no object is found when it is read: then throws DataError with its line. */
export function openJsonLines(path: string): RecordFile {
  const source = openFile(path);
  const { starts, ends, numbers } = linesOf(source, path);
  return {
    count: starts.length,
    read(index) {
      const [start, end, number] = [starts[index], ends[index], numbers[index]] as [number, number, number];
      const bytes = source.read(start, end - start);
      if (!isUtf8(bytes))
        throw new FileError(`${path}: line ${number} is no text in UTF-8; save the file in this encoding`);
      return recordOfLine(new TextDecoder().decode(bytes), path, number);
    },
    close: () => source.close(),
  };
}
