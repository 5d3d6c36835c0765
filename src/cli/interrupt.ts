/** Signals that ask a program to end: the first asks the work to stop when it can, the second ends the process at once. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { launched } from "../distributed/mpi/launcher.node.ts";
import type { Output } from "./output.ts";

/** The signals, with the status that a shell expects of a program that one of them ended: 128 and its number (POSIX, 2.8.2). */
const statuses = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGUSR2: 130 } as const;

type EndingSignal = keyof typeof statuses;

/** The exit status of work that stopped because its signal was aborted for `reason`. */
export const statusOf = (reason: unknown): number => statuses[reason as EndingSignal] ?? statuses.SIGINT;

export interface Interruption {
  /** Aborted at the first signal, with its name as the reason. */
  readonly signal: AbortSignal;
  /** The signals mean what they always mean again. */
  release(): void;
}

/** Listens for Ctrl-C, `kill` and a terminal that closes; `onFirst` is called at the first. */
export function onInterrupt(onFirst: () => void): Interruption {
  const controller = new AbortController();
  const listener = (name: EndingSignal) => {
    if (controller.signal.aborted) process.exit(statuses[name]);
    controller.abort(name);
    onFirst();
  };
  const names = Object.keys(statuses).filter((name) => name !== "SIGHUP" || !isDetached());
  for (const name of names) process.on(name, listener);
  return {
    signal: controller.signal,
    release() {
      for (const name of names) process.off(name, listener);
    },
  };
}

/** Settles once a signal is aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** Listens for what ends training, and says at the first that it stops after the batch under way. */
export const stopOnSignal = (output: Pick<Output, "warn">): Interruption =>
  onInterrupt(() => {
    // A launcher that ends several processes after one of them asks them to stop first, which they cannot without it.
    if (!launched()) output.warn("\nStopping after this batch; Ctrl-C again stops at once.");
  });

/** Goes on when the terminal closes, where the program was started so. */
export function honourNohup(): void {
  if (isDetached()) process.on("SIGHUP", () => undefined);
}

/**
 * Whether the program was started to outlive its terminal, by `nohup`: Node takes back that signals are ignored as it
 * begins, so that this is seen by what the shell keeps of the command, and by the process that started this one.
 */
function isDetached(): boolean {
  if (basename(process.env["_"] ?? "") === "nohup") return true;
  try {
    const [, ignored = "0"] =
      /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${process.ppid}/status`, "utf8")) ?? [];
    return (BigInt(`0x${ignored}`) & 1n) === 1n;
  } catch {
    return false;
  }
}
