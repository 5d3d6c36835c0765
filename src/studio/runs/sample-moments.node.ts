/** What a run keeps of fixed samples as it learns: where each moment stands in the file, read on as it grows, and the one that is asked for. */
import { parseJson } from "../../core/json.ts";
import { sampleRecordSchema, type WatchedInputs, type WatchedMoment } from "../../runs/samples/sample-records.ts";
import { openFile } from "../../storage/file-source.node.ts";
import { AppendedFile } from "./appended-file.node.ts";

/** Where a line stands in the file. */
interface Line {
  readonly epoch: number;
  readonly offset: number;
  readonly length: number;
}

/** A line as a record; nothing for what is none, or is of another version. */
function recordOf(line: Uint8Array): WatchedInputs | WatchedMoment | undefined {
  try {
    return sampleRecordSchema.parse(parseJson(new TextDecoder().decode(line)));
  } catch {
    return undefined;
  }
}

/** Follows the file of samples. Images and maps stay on disk: of each moment its place is kept. */
export class SampleMoments {
  readonly #path: string;
  readonly #file: AppendedFile;
  #inputs: WatchedInputs | undefined;
  #lines: Line[] = [];
  #offset = 0;

  constructor(path: string) {
    this.#path = path;
    this.#file = new AppendedFile(path);
  }

  /** Reads what is new. Gives the samples, and after how many epochs each moment is; no samples where there is no such file. */
  read(): { readonly inputs: WatchedInputs | undefined; readonly epochs: readonly number[] } {
    const { bytes, isAnew } = this.#file.read();
    if (isAnew) {
      this.#lines = [];
      [this.#inputs, this.#offset] = [undefined, 0];
    }
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      const record = recordOf(bytes.subarray(start, end));
      if (record?.type === "inputs") this.#inputs = record;
      else if (record) this.#lines.push({ epoch: record.epoch, offset: this.#offset + start, length: end - start });
      start = end + 1;
    }
    this.#offset += start;
    // A line that is being written is read when it is whole.
    this.#file.giveBack(bytes.length - start);
    return { inputs: this.#inputs, epochs: this.#lines.map(({ epoch }) => epoch) };
  }

  /** One of the moments; nothing where there is none, or the file has changed meanwhile. Throws KeyError for a file that no key opens. */
  moment(place: number): WatchedMoment | undefined {
    const line = this.#lines[place];
    if (!line) return undefined;
    const file = openFile(this.#path);
    try {
      const record = recordOf(file.read(line.offset, Math.min(line.length, file.size - line.offset)));
      return record?.type === "samples" ? record : undefined;
    } finally {
      file.close();
    }
  }
}
