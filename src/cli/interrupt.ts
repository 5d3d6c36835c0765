/** Ctrl-C: the first asks the work to stop when it can, the second ends the process at once. */

export interface Interruption {
  /** Aborted at the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Ctrl-C means what it always means again. */
  release(): void;
}

/** Listens for Ctrl-C; `onFirst` is called at the first. */
export function onInterrupt(onFirst: () => void): Interruption {
  const controller = new AbortController();
  const listener = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
    onFirst();
  };
  process.on("SIGINT", listener);
  return { signal: controller.signal, release: () => void process.off("SIGINT", listener) };
}
