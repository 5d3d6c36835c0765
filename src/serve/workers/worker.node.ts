/** A worker's part: it answers on connections that its primary hands to it, tells what it counts, and ends with the primary. */
import type { Socket } from "node:net";
import { SardonyxError } from "../../core/errors.ts";
import type { ModelServer } from "../http/server.node.ts";
import type { Counts } from "../metrics.ts";
import { type Assignment, assignmentVariable, type ToPrimary, type ToWorker } from "./messages.ts";

/** Milliseconds between counts that a worker sends: what is lost of them when it is killed. */
const countsEvery = 200;

/** What a worker has of its primary. */
export interface WorkerLink extends Assignment {
  /** Aborted when the worker is to finish what it began, and end. */
  readonly signal: AbortSignal;
  /** Takes connections from now on. */
  begin(server: ModelServer, counts: () => Counts): void;
  /** What all workers have counted, as text. Before `begin` it does not come. */
  metrics(): Promise<string>;
  /** Tells why the worker cannot serve. */
  fail(error: unknown): void;
  /** Tells what was counted last, and lets go of the primary, so that the process can end. */
  release(): void;
}

/** What this process has of its primary; `undefined` for one that no primary started. */
export function workerLink(): WorkerLink | undefined {
  const assignment = process.env[assignmentVariable];
  // What the worker starts is none.
  delete process.env[assignmentVariable];
  return assignment === undefined || !process.connected ? undefined : new Link(JSON.parse(assignment) as Assignment);
}

class Link implements WorkerLink {
  readonly number: number;
  readonly authority: string;
  readonly threads: number;
  readonly #end = new AbortController();
  readonly #questions: ((text: string) => void)[] = [];
  #server: ModelServer | undefined;
  #counts: () => Counts = () => ({});
  #timer: NodeJS.Timeout | undefined;

  constructor({ number, authority, threads }: Assignment) {
    this.number = number;
    this.authority = authority;
    this.threads = threads;
    process.on("message", (message: ToWorker, connection?: Socket) => this.#hear(message, connection));
    process.on("disconnect", this.#orphaned);
    // A terminal sends these to all its processes: the primary says when to end.
    for (const name of ["SIGINT", "SIGHUP", "SIGUSR2"]) process.on(name, () => undefined);
    // At the second the process ends at once.
    process.once("SIGTERM", () => this.#ending());
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  begin(server: ModelServer, counts: () => Counts): void {
    this.#server = server;
    this.#counts = counts;
    this.#tell({ kind: "counts", counts: counts() });
    this.#timer = setInterval(() => this.#tell({ kind: "counts", counts: counts() }), countsEvery);
    if (!this.signal.aborted) this.#tell({ kind: "serving" });
  }

  metrics(): Promise<string> {
    return new Promise((resolve) => {
      this.#questions.push(resolve);
      this.#tell({ kind: "metrics", counts: this.#counts() });
    });
  }

  fail(error: unknown): void {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    const code = error instanceof SardonyxError ? error.code : undefined;
    this.#tell({ kind: "failed", failure: { message, code, stack } });
  }

  release(): void {
    this.#tell({ kind: "counts", counts: this.#counts() });
    clearInterval(this.#timer);
    process.off("disconnect", this.#orphaned);
    if (process.connected) process.disconnect();
  }

  #hear(message: ToWorker, connection: Socket | undefined): void {
    if (message.kind === "end") this.#ending();
    else if (message.kind === "metrics") this.#questions.shift()?.(message.text);
    else {
      const isTaken = !this.signal.aborted;
      // Before a byte is read: what nobody answered for is handed to another worker.
      this.#tell({ kind: "connection", isTaken });
      // As those that a server of HTTP accepts itself.
      if (connection) connection.allowHalfOpen = true;
      if (isTaken && connection) this.#server?.take(connection);
      else connection?.destroy();
    }
  }

  #ending(): void {
    if (this.signal.aborted) return;
    this.#tell({ kind: "ending" });
    this.#end.abort();
  }

  /** Nobody hands over connections any more, or starts another worker. */
  readonly #orphaned = (): never => process.exit(1);

  #tell(message: ToPrimary): void {
    // Whether the primary is still there, "disconnect" tells.
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  }
}
