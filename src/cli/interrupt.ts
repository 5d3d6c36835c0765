/** Ctrl-C: the first asks the work to stop when it can, the second ends the process at once. */

/** Thrown where work stops because it was asked to; everything worth keeping is saved by then. */
export class Interrupted extends Error {}

export interface Interruption {
  /** Whether Ctrl-C was pressed. */
  readonly requested: boolean;
  /** Ctrl-C means what it always means again. */
  release(): void;
}

/** Listens for Ctrl-C; `tell` is called at the first. */
export function onInterrupt(tell: () => void): Interruption {
  let requested = false;
  const listener = () => {
    if (requested) process.exit(130);
    requested = true;
    tell();
  };
  process.on("SIGINT", listener);
  return {
    get requested() {
      return requested;
    },
    release: () => void process.off("SIGINT", listener),
  };
}
