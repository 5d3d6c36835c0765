/** Trainings that the studio starts, one after another: each a process of the command line, which is shown as it is. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { command } from "../../core/printable.ts";
import { makeFolder } from "../../storage/disk.node.ts";
import { dataFolder } from "../data/data-places.node.ts";

/** A training of the queue. */
export interface Job {
  readonly id: number;
  /** The run's folder, below that of the studio. */
  readonly run: string;
  /** The command that does the same, to be typed in the studio's folder. */
  readonly command: string;
  readonly state: "waiting" | "running" | "stopping" | "done" | "stopped" | "failed";
  /** The end of what it said of its failure. */
  readonly message: string;
}

/** The most that is kept of what a process says. */
const keptText = 4000;
/** The most trainings that are kept, those that have ended among them. */
const mostJobs = 500;

interface Kept extends Omit<Job, "state" | "message"> {
  readonly words: readonly string[];
  state: Job["state"];
  message: string;
  process?: ChildProcess;
}

/** What a queue is made with. */
export interface QueueOptions {
  /** The folder in which commands run. */
  readonly root: string;
  /** The program: Node's path and the arguments before those of the command. */
  readonly program: readonly [string, ...string[]];
  /** Told of each change. */
  readonly onChange: () => void;
}

/** A command as it is typed. */
export const commandText = ([verb = "", ...rest]: readonly string[]): string =>
  rest.reduce((text, word) => `${text} ${command`${word}`}`, `sardonyx ${verb}`);

/** Trains one after another. */
export class JobQueue {
  readonly #options: QueueOptions;
  readonly #jobs: Kept[] = [];
  #next = 1;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** All trainings, the latest first. */
  get jobs(): readonly Job[] {
    return this.#jobs.map(({ id, run, command, state, message }) => ({ id, run, command, state, message })).reverse();
  }

  /** Puts a training behind the others. Throws OptionError for a run that waits or is trained already. */
  add(run: string, words: readonly string[]): Job {
    if (this.#jobs.some((job) => job.run === run && !isOver(job)))
      throw new OptionError(`${run} is in the queue already; stop it first, or name another folder`);
    const job: Kept = { id: this.#next++, run, command: commandText(words), words, state: "waiting", message: "" };
    this.#jobs.push(job);
    while (this.#jobs.length > mostJobs) {
      const over = this.#jobs.findIndex(isOver);
      if (over < 0) break;
      this.#jobs.splice(over, 1);
    }
    this.#goOn();
    return job;
  }

  /** Ends a training as Ctrl-C does, with a checkpoint; one that waits leaves the queue. Throws OptionError for one that is over. */
  stop(id: number): void {
    const job = this.#jobs.find((own) => own.id === id);
    if (!job || isOver(job)) throw new OptionError(`training ${id} is over; look at the list again`);
    if (job.state === "waiting") job.state = "stopped";
    else {
      job.state = "stopping";
      job.process?.kill("SIGINT");
    }
    this.#options.onChange();
  }

  /** Ends all, with checkpoints, and waits for them. */
  async close(): Promise<void> {
    for (const job of this.#jobs) if (!isOver(job)) this.stop(job.id);
    await Promise.all(
      this.#jobs.map(
        ({ process }) =>
          process &&
          new Promise((resolve) =>
            (process.exitCode ?? process.signalCode) !== null ? resolve(undefined) : process.once("close", resolve),
          ),
      ),
    );
  }

  #goOn(): void {
    const { onChange, root, program } = this.#options;
    const [executable, ...first] = program;
    const job = this.#jobs.some(({ state }) => state === "running" || state === "stopping")
      ? undefined
      : this.#jobs.find(({ state }) => state === "waiting");
    if (job) {
      job.state = "running";
      makeFolder(root);
      const process = spawn(executable, [...first, ...job.words], { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
      job.process = process;
      process.stderr.on("data", (data: Buffer) => {
        job.message = (job.message + data.toString()).slice(-keptText);
      });
      process.once("error", (error) => {
        job.message = error.message;
      });
      process.once("close", (code, signal) => {
        const stopped = job.state === "stopping" || code === 130;
        job.state = code === 0 ? "done" : stopped ? "stopped" : "failed";
        if (code !== 0 && job.message === "") job.message = `it ended with ${signal ?? code}`;
        this.#goOn();
      });
    }
    onChange();
  }
}

const isOver = ({ state }: Pick<Job, "state">): boolean =>
  state === "done" || state === "stopped" || state === "failed";

/** The folder of a new run, by a name: letters, digits, and what folders below others are named by. Throws OptionError for a path that leads elsewhere, or among the data. */
export function folderFor(root: string, name: string): string {
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._-]*(\/[\p{L}\p{N}][\p{L}\p{N} ._-]*)*$/u.test(name) || name.length > 200)
    throw new OptionError(
      `"${name.slice(0, 80)}" is no name for a run's folder; take letters, digits, ".", "_" and "-"`,
    );
  if (name === dataFolder || name.startsWith(`${dataFolder}/`))
    throw new OptionError(`${dataFolder} is the folder of uploaded data; name another one for the run`);
  return join(root, name);
}

/** A folder's name that is not taken: a name, or that with a number. */
export function freeName(root: string, queue: JobQueue, name: string): string {
  for (let number = 1; ; number++) {
    const own = number === 1 ? name : `${name}-${number}`;
    if (!existsSync(folderFor(root, own)) && !queue.jobs.some(({ run }) => run === own)) return own;
  }
}

/** The folder of a new run: the name that was given, else a free one. Throws OptionError for one that is taken. */
export function newRun(root: string, queue: JobQueue, given: string | undefined, standard: string): string {
  if (given !== undefined && existsSync(folderFor(root, given)))
    throw new OptionError(`there is a folder ${given} already; name another one, or resume the run in it`);
  return given ?? freeName(root, queue, standard);
}
