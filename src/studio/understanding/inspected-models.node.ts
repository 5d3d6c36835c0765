/** The models that the page inspects: a process each (`sardonyx inspect --each`), which reads the model once and answers what-ifs. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Inspection } from "../../analyze/report/schema.ts";
import { DataError } from "../../core/errors.ts";
import type { ReportProgram } from "../jobs/report-command.node.ts";

/** What bounds them. */
export interface InspectedLimits {
  /** Seconds that an answer may take, the reading of the model with the first. */
  readonly seconds: number;
  /** Megabytes that a process may take for what is reckoned. */
  readonly megabytes: number;
  /** Models that are kept. */
  readonly models: number;
  /** Milliseconds after which one that nobody asks about is let go. */
  readonly idle: number;
}

const usualLimits: InspectedLimits = { seconds: 60, megabytes: 2048, models: 3, idle: 5 * 60_000 };

/** What is asked of a model: options of `sardonyx inspect`, by their names. */
export type InspectQuestion = Readonly<Record<string, string | number | boolean | undefined>>;

/** A record that the process prints. */
type Answer =
  | ({ readonly type: "inspection" } & Inspection)
  | { readonly type: "document"; readonly text: string }
  | { readonly type: "error"; readonly message: string };

/** Keeps models. */
export class InspectedModels {
  readonly #where: ReportProgram;
  readonly #limits: InspectedLimits;
  /** By what they are and when their file changed, the one that was asked last at the end. */
  readonly #models = new Map<string, InspectedModel>();

  constructor(where: ReportProgram, limits: Partial<InspectedLimits> = {}) {
    this.#where = where;
    this.#limits = { ...usualLimits, ...limits };
  }

  /** How many are kept. */
  get size(): number {
    return this.#models.size;
  }

  /** The inspection of a model, a path or a name, with what is changed. Throws DataError with what the command says, and where it takes too long or too much. */
  async inspection(target: string, whatIf: InspectQuestion, signal: AbortSignal): Promise<Inspection> {
    const answer = await this.#of(target).ask({ ...whatIf, format: "json" }, signal);
    if (answer.type !== "inspection") throw new DataError(`${target} was answered by a ${answer.type}`);
    const { type: _, ...inspection } = answer;
    return inspection;
  }

  /** The same as a page of HTML. Throws as `inspection`. */
  async page(target: string, whatIf: InspectQuestion, signal: AbortSignal): Promise<string> {
    const answer = await this.#of(target).ask({ ...whatIf, format: "html" }, signal);
    if (answer.type !== "document") throw new DataError(`${target} was answered by an ${answer.type}`);
    return answer.text;
  }

  /** Lets go of all. */
  close(): void {
    for (const model of this.#models.values()) model.end();
  }

  #of(target: string): InspectedModel {
    const key = `${target} ${statSync(target, { throwIfNoEntry: false })?.mtimeMs}`;
    const known = this.#models.get(key);
    const model =
      known ??
      new InspectedModel(target, this.#where, this.#limits, () => {
        if (this.#models.get(key) === model) this.#models.delete(key);
      });
    this.#models.delete(key);
    this.#models.set(key, model);
    const [oldest] = this.#models.values();
    if (oldest && this.#models.size > this.#limits.models) oldest.end();
    return model;
  }
}

interface Waiting {
  readonly question: InspectQuestion;
  readonly signal: AbortSignal;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** One model, in its process. */
class InspectedModel {
  readonly #target: string;
  readonly #limits: InspectedLimits;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting: Waiting[] = [];
  #asked: Waiting | undefined;
  #timer: ReturnType<typeof setTimeout>;
  #said = "";
  #isLate = false;

  constructor(target: string, { root, program }: ReportProgram, limits: InspectedLimits, onEnd: () => void) {
    this.#target = target;
    this.#limits = limits;
    const [executable, ...first] = program;
    const words = [`--max-old-space-size=${limits.megabytes}`, ...first, "inspect", target, "--each", "--json"];
    this.#process = spawn(executable, words, { cwd: root });
    this.#timer = setTimeout(() => this.end(), limits.idle).unref();
    this.#process.stderr.on("data", (part: Buffer) => {
      this.#said = (this.#said + part.toString()).slice(-2000);
    });
    // One that has ended is told by its end.
    this.#process.stdin.on("error", () => undefined);
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#take(line));
    const ended = (why: unknown) => {
      clearTimeout(this.#timer);
      onEnd();
      for (const { reject } of [...(this.#asked ? [this.#asked] : []), ...this.#waiting.splice(0)]) reject(why);
      this.#asked = undefined;
    };
    this.#process.once("error", ended);
    this.#process.once("close", (code) => ended(this.#endOf(code)));
  }

  /** Asks, behind what was asked before. What nobody waits for any more is left out. */
  ask(question: InspectQuestion, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, signal, resolve, reject });
      this.#next();
    });
  }

  end(): void {
    this.#process.kill("SIGKILL");
  }

  #next(): void {
    if (this.#asked) return;
    clearTimeout(this.#timer);
    this.#asked = this.#waiting.shift();
    if (!this.#asked) {
      this.#timer = setTimeout(() => this.end(), this.#limits.idle).unref();
      return;
    }
    const { question, signal, reject } = this.#asked;
    if (signal.aborted) {
      this.#asked = undefined;
      reject(signal.reason);
      this.#next();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.end();
    }, 1000 * this.#limits.seconds).unref();
    this.#process.stdin.write(`${JSON.stringify(question)}\n`);
  }

  #take(line: string): void {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked) {
      const answer = JSON.parse(line) as Answer;
      if (answer.type === "error") asked.reject(new DataError(answer.message));
      else asked.resolve(answer);
    }
    this.#next();
  }

  /** Why it has ended. */
  #endOf(code: number | null): DataError {
    const { seconds, megabytes } = this.#limits;
    // Node ends by SIGABRT where its memory is used up.
    if (this.#isLate || code === 134 || /heap out of memory/.test(this.#said))
      return new DataError(
        `inspecting ${this.#target} took more than ${this.#isLate ? `${seconds} s` : `${megabytes} MB of memory`}; do it on the command line: sardonyx inspect`,
      );
    const said = this.#said
      .trim()
      .replace(/^sardonyx: /, "")
      .replace(/ \[[A-Z_]+\]$/, "");
    return new DataError(said || "the model was let go of, since others were looked at; ask again");
  }
}
