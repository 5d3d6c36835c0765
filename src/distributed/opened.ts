/** The ranks that this process was started among, once they were opened: known to what must not load MPI to ask. */
import type { Communicator } from "./communicator.ts";

let opened: Promise<Communicator> | undefined;

/** The ranks, if they were opened. */
export const openedRanks = (): Promise<Communicator> | undefined => opened;

/** Opens the ranks, unless that is done. */
export function openOnce(open: () => Promise<Communicator>): Promise<Communicator> {
  opened ??= open();
  return opened;
}
