/** A run's folder belongs to one process at a time. */
import { join } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { ownerOf as ownerOfLock, type Release, tryLock } from "../../storage/process-lock.node.ts";

export type { Release };

/** The file that names the process. */
export const lockFile = "lock";

/** The process that a folder belongs to, `undefined` where there is none that lives. */
export const ownerOf = (folder: string): number | undefined => ownerOfLock(join(folder, lockFile));

/** Claims a folder that exists for this process. Throws OptionError while it belongs to another one. */
export function claim(folder: string, shown: string): Release {
  const locked = tryLock(join(folder, lockFile));
  if (typeof locked === "function") return locked;
  throw new OptionError(
    `${shown} is being trained by process ${locked}; wait until it ends, stop it, or train into another folder`,
  );
}
