/** `sardonyx serve --workers N`: what the first process says of the others, and what each worker adds to its records. */
import { plural } from "../core/number-text.ts";
import { defaultThreads } from "../runtime/threads.node.ts";
import type { WorkerEvent } from "../serve/workers/primary.node.ts";
import type { WorkerLink } from "../serve/workers/worker.node.ts";
import type { ListenPlace } from "../storage/listen.node.ts";
import { aborted, onInterrupt } from "./interrupt.ts";
import type { Output } from "./output.ts";

/** Processes to start. */
export interface ServedByWorkers {
  readonly count: number;
  /** Names of the models. */
  readonly models: readonly string[];
  readonly listen: ListenPlace;
  /** Threads that each computes with; default their share of the cores. */
  readonly threads: number | undefined;
  /** The command line, which each worker runs too. */
  readonly line: readonly string[];
}

/** Lets workers answer until a signal ends them. Throws what the first of them throws before it serves. */
export async function serveByWorkers(
  { count, models, listen, threads = defaultThreads(count), line }: ServedByWorkers,
  output: Output,
): Promise<void> {
  const interruption = interruptServing(output);
  const [, script = ""] = process.argv;
  try {
    const { startWorkers } = await import("../serve/workers/primary.node.ts");
    const workers = await startWorkers({
      ...{ count, listen, threads, command: [script, ...line], signal: interruption.signal },
      onWorker: (event) => tellWorker(event, output),
    });
    if (!interruption.signal.aborted) tellServing({ url: workers.url, models, workers: count }, output);
    await aborted(interruption.signal);
    await workers.stop();
  } finally {
    interruption.release();
  }
}

/** Listens for the signals that end a server. */
export const interruptServing = (output: Output) =>
  onInterrupt(() => output.warn("\nFinishing the requests under way; again to stop at once."));

/** Says where models are served. */
export function tellServing(
  serving: { readonly url: string; readonly models: readonly string[]; readonly workers?: number },
  output: Output,
): void {
  const { url, models, workers } = serving;
  output.record("serving", serving);
  const by = workers === undefined ? "" : ` by ${plural(workers, "worker")}`;
  output.line(`Serving ${plural(models.length, "model")} at ${url}${by}; Ctrl-C ends it`, "good");
}

function tellWorker({ kind, ...event }: WorkerEvent, output: Output): void {
  output.record(`worker-${kind}`, event);
  const { worker, process: id, reason = "", pause = 0 } = event;
  const when = pause === 0 ? "now" : `in ${pause} s`;
  if (kind === "serving") output.line(`Worker ${worker} answers, process ${id}`, "soft");
  else output.warn(`Worker ${worker} (process ${id}): ${reason}; another is started in its place ${when}`, "caution");
}

/** Where a worker writes: as the first process does, and each record has the worker's number. */
export const outputOfWorker = ({ number }: WorkerLink, output: Output): Output => ({
  ...output,
  record: (type, fields) => output.record(type, { ...fields, worker: number }),
});
