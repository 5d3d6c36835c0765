/** The first of several processes that answer: it listens, hands connections to workers, starts another in place of one that has ended, and sums what they count. */
import { type ChildProcess, fork } from "node:child_process";
import { createServer, type Socket } from "node:net";
import { RuntimeError, SardonyxError } from "../../core/errors.ts";
import { type ListenPlace, listenAt } from "../../storage/listen.node.ts";
import { settledLimits } from "../limits.ts";
import { type Counts, Metrics } from "../metrics.ts";
import { processCounts } from "../process-counts.node.ts";
import { type Assignment, assignmentVariable, type Failure, type ToPrimary, type ToWorker } from "./messages.ts";

/** Several processes that answer. */
export interface WorkersOptions {
  readonly count: number;
  /** What each of them runs, by Node: a script and its arguments. Its `workerLink` is given there. */
  readonly command: readonly string[];
  readonly listen: ListenPlace;
  /** Threads that each of them computes with. */
  readonly threads: number;
  /** Aborted when all are to end, while they start too. */
  readonly signal: AbortSignal;
  readonly onWorker?: (event: WorkerEvent) => void;
}

/** What is told of a worker. */
export interface WorkerEvent {
  readonly kind: "serving" | "ended";
  /** Its number, from 1. */
  readonly worker: number;
  /** The id of its process. */
  readonly process: number;
  /** How it ended. */
  readonly reason?: string;
  /** Seconds until another is started in its place. */
  readonly pause?: number;
}

/** Processes that answer. */
export interface Workers {
  /** `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Takes no more connections, and lets all workers finish what they began. */
  stop(): Promise<void>;
}

/** Connections that wait for a worker at most. */
const mostWaiting = 4096;

/** Seconds after which a worker that serves has not died at once. */
const steady = 5;

/** Seconds before another worker is started in place of one that died at once, as so many before it. */
const pauseAfter = (deaths: number): number => (deaths === 0 ? 0 : Math.min(30, 0.25 * 2 ** deaths));

/** A mistake in the input that a worker found. */
class WorkerMistake extends SardonyxError {
  override readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** One worker after another under one number. */
interface Place {
  readonly number: number;
  worker: Worker | undefined;
  /** How many died at once, one after the other. */
  deaths: number;
  /** Another is to be started. */
  timer: NodeJS.Timeout | undefined;
}

/** A process that answers. */
interface Worker {
  readonly child: ChildProcess;
  /** Connections that were handed to it and that it has not answered for, in their order. */
  readonly handed: Socket[];
  state: "loading" | "serving" | "ending";
  /** When it began to serve, in milliseconds, and when it was handed a connection last. */
  since: number;
  last: number;
  counts: Counts;
  failure: Failure | undefined;
  /** Settles once it serves. */
  readonly serving: Promise<void>;
  readonly serve: () => void;
  /** How it ended. */
  readonly ended: Promise<Error>;
}

/**
 * Starts workers: the first alone, so that what is wrong with a model is told once, then all others. Throws what the first throws, OptionError for
 * an address that cannot be listened on, RuntimeError where the first is ended before it serves.
 */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  const primary = new Primary(options);
  await primary.start();
  return primary;
}

class Primary implements Workers {
  readonly #options: WorkersOptions;
  readonly #door;
  readonly #places: readonly Place[];
  /** Connections for which there is no worker yet. */
  readonly #waiting: Socket[] = [];
  readonly #own = new Metrics();
  /** What workers counted that have ended. */
  readonly #past = new Metrics();
  #authority = "";
  /** Whether any worker has served: what keeps the first from it is the caller's to hear. */
  #hasServed = false;
  #isEnding = false;
  #handed = 0;
  #stopped: Promise<void> | undefined;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.count }, (_, i) => ({
      ...{ number: i + 1, worker: undefined, deaths: 0, timer: undefined },
    }));
    // Workers read what arrives; a connection that breaks off shows itself to them.
    this.#door = createServer({ pauseOnConnect: true, noDelay: true }, (connection) => {
      connection.on("error", () => undefined);
      this.#hand(connection);
    });
    this.#door.maxConnections = mostWaiting;
  }

  get url(): string {
    return `${this.#options.listen.tls ? "https" : "http"}://${this.#authority}`;
  }

  async start(): Promise<void> {
    const { listen, signal } = this.#options;
    this.#authority = await listenAt(this.#door, listen);
    signal.addEventListener("abort", () => void this.stop(), { once: true });
    const [first, ...others] = this.#places;
    const failure = first && (await this.#startAt(first));
    if (failure && !this.#isEnding) {
      await this.stop();
      throw failure;
    }
    await Promise.all(others.map((place) => this.#startAt(place)));
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#isEnding = true;
    this.#door.close();
    for (const connection of this.#waiting.splice(0)) connection.destroy();
    for (const { timer } of this.#places) clearTimeout(timer);
    const left = this.#places.flatMap(({ worker }) => worker ?? []);
    for (const worker of left)
      if (worker.state === "loading") worker.child.kill("SIGKILL");
      else tell(worker, { kind: "end" });
    // The workers end the requests that take longer; what still runs then is stuck.
    const late = setTimeout(
      () => {
        for (const { child } of left) child.kill("SIGKILL");
      },
      1000 * (settledLimits({}).grace + 5),
    );
    await Promise.all(left.map(({ ended }) => ended));
    clearTimeout(late);
  }

  /** Starts a worker. Gives why it ended where it ended before it served. */
  async #startAt(place: Place): Promise<Error | undefined> {
    if (this.#isEnding) return undefined;
    const { command, threads } = this.#options;
    const [script = "", ...args] = command;
    const assignment: Assignment = { number: place.number, authority: this.#authority, threads };
    const child = fork(script, args, { env: { ...process.env, [assignmentVariable]: JSON.stringify(assignment) } });
    let serve: () => void = () => undefined;
    const serving = new Promise<void>((resolve) => {
      serve = resolve;
    });
    const ended = new Promise<Error>((resolve) => {
      // Behind all messages, which "exit" is not.
      child.once("close", (status, signal) => resolve(endOf(worker, status, signal)));
      child.on("error", (error) => {
        if (child.pid === undefined) resolve(new RuntimeError(`it cannot be started (${error.message})`));
        else child.kill("SIGKILL");
      });
    });
    const worker: Worker = {
      ...{ child, handed: [], state: "loading", since: 0, last: 0, counts: {}, failure: undefined },
      ...{ serving, serve, ended },
    };
    place.worker = worker;
    child.on("message", (message: ToPrimary) => this.#hear(place, worker, message));
    void ended.then((how) => this.#ended(place, worker, how));
    return (await Promise.race([serving, ended])) ?? undefined;
  }

  #hear(place: Place, worker: Worker, message: ToPrimary): void {
    if (message.kind === "connection") {
      const connection = worker.handed.shift();
      if (message.isTaken) connection?.destroy();
      else if (connection) this.#hand(connection);
    } else if (message.kind === "counts") worker.counts = message.counts;
    else if (message.kind === "metrics") {
      worker.counts = message.counts;
      tell(worker, { kind: "metrics", text: this.#metrics() });
    } else if (message.kind === "failed") worker.failure = message.failure;
    else if (message.kind === "ending") worker.state = "ending";
    else {
      this.#hasServed = true;
      worker.state = "serving";
      worker.since = performance.now();
      this.#options.onWorker?.({ kind: "serving", worker: place.number, process: worker.child.pid ?? 0 });
      worker.serve();
      for (const connection of this.#waiting.splice(0)) this.#hand(connection);
    }
  }

  #ended(place: Place, worker: Worker, how: Error): void {
    place.worker = undefined;
    const counted = new Metrics();
    counted.include(worker.counts);
    this.#past.include(counted.counts({ growing: true }));
    for (const connection of worker.handed.splice(0)) this.#hand(connection);
    if (this.#isEnding || !this.#hasServed) return;
    const wasSteady = worker.since > 0 && performance.now() - worker.since >= 1000 * steady;
    place.deaths = wasSteady ? 0 : place.deaths + 1;
    const pause = pauseAfter(place.deaths);
    const event = { kind: "ended", worker: place.number, process: worker.child.pid ?? 0 } as const;
    this.#options.onWorker?.({ ...event, reason: how.message, pause });
    place.timer = setTimeout(() => {
      this.#own.restarts.add({});
      void this.#startAt(place);
    }, 1000 * pause);
  }

  /** Hands a connection to the worker with the fewest that it has not answered for, in turns. */
  #hand(connection: Socket): void {
    if (this.#isEnding) return void connection.destroy();
    const [worker] = this.#places
      .flatMap(({ worker: own }) => (own?.state === "serving" ? own : []))
      .sort((a, b) => a.handed.length - b.handed.length || a.last - b.last);
    if (!worker) return void this.#waiting.push(connection);
    worker.last = ++this.#handed;
    worker.handed.push(connection);
    // Kept open here until the worker answers for it: one that is killed before loses none.
    const message: ToWorker = { kind: "connection" };
    worker.child.send(message, connection, { keepOpen: true }, () => undefined);
  }

  /** What all have counted, those that have ended too. */
  #metrics(): string {
    const workers = this.#places.flatMap(({ worker }) => worker ?? []);
    this.#own.workers.set({}, workers.filter(({ state }) => state === "serving").length);
    const sum = new Metrics();
    for (const counts of [processCounts(this.#own), this.#past.counts(), ...workers.map((own) => own.counts)])
      sum.include(counts);
    return sum.text();
  }
}

/** What is not sent is of no concern: the worker's end is heard of. */
function tell({ child }: Worker, message: ToWorker): void {
  child.send(message, () => undefined);
}

/** How a worker ended. */
function endOf({ failure, since }: Worker, status: number | null, signal: NodeJS.Signals | null): Error {
  if (failure?.code !== undefined) return new WorkerMistake(failure.code, failure.message);
  if (failure) return Object.assign(new Error(failure.message), { stack: failure.stack });
  const how = signal === null ? `it ended with status ${status}` : `it was ended by ${signal}`;
  return new RuntimeError(since > 0 ? how : `${how} before it served; serve without --workers to see why`);
}
