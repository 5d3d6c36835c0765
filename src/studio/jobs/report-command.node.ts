/** Reports that the command line makes for the page: a process each, few at once, what they print kept for a while. */
import { spawn } from "node:child_process";
import { DataError, OptionError } from "../../core/errors.ts";

/** Seconds that a report may take, bytes that it may have, how many are made at once, and how many are kept. */
const [mostSeconds, mostBytes, mostAtOnce, mostKept] = [120, 32 * 1024 * 1024, 2, 8];

/** The program, and where it runs. */
export interface ReportProgram {
  readonly root: string;
  readonly program: readonly [string, ...string[]];
}

/** What a command printed, and of which type it is. */
export interface Report {
  readonly bytes: Uint8Array;
  readonly type: string;
}

/** Makes reports. */
export class ReportMaker {
  readonly #where: ReportProgram;
  readonly #kept = new Map<string, Report>();
  #running = 0;
  #next = 1;

  constructor(where: ReportProgram) {
    this.#where = where;
  }

  /** A report that was made. Throws OptionError for one that is not kept any more. */
  get(id: string): Report {
    const report = this.#kept.get(id);
    if (report) return report;
    throw new OptionError(`report ${JSON.stringify(id)} is not kept any more; make it again`);
  }

  /** Makes the report of a command, and gives its number. Throws as `print`. */
  async make(words: readonly string[], type: string): Promise<string> {
    return this.keep({ bytes: await this.print(words), type });
  }

  /** Keeps a report, and gives its number. */
  keep(report: Report): string {
    const id = String(this.#next++);
    this.#kept.set(id, report);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest);
    return id;
  }

  /** What a command prints, by default in the folder of all. Throws DataError with what it says where it fails. */
  async print(words: readonly string[], root = this.#where.root): Promise<Uint8Array> {
    if (this.#running >= mostAtOnce) throw new OptionError("other reports are being made; wait until they are done");
    this.#running++;
    try {
      return await this.#output(words, root);
    } finally {
      this.#running--;
    }
  }

  #output(words: readonly string[], root: string): Promise<Uint8Array> {
    const [executable, ...first] = this.#where.program;
    return new Promise((resolve, reject) => {
      const process = spawn(executable, [...first, ...words], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
      const parts: Buffer[] = [];
      let [bytes, said] = [0, ""];
      const timer = setTimeout(() => process.kill("SIGKILL"), 1000 * mostSeconds);
      process.stdout.on("data", (part: Buffer) => {
        bytes += part.length;
        if (bytes > mostBytes) process.kill("SIGKILL");
        else parts.push(part);
      });
      process.stderr.on("data", (part: Buffer) => {
        said = (said + part.toString()).slice(-2000);
      });
      process.once("error", reject);
      process.once("close", (code) => {
        clearTimeout(timer);
        if (code === 0) resolve(Buffer.concat(parts));
        else
          reject(
            new DataError(
              said
                .trim()
                .replace(/^sardonyx: /, "")
                .replace(/ \[[A-Z_]+\]$/, "") ||
                `the report took more than ${mostSeconds} s or ${mostBytes >> 20} MiB; make it on the command line`,
            ),
          );
      });
    });
  }
}
