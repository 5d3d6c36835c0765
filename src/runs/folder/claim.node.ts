/** A run's folder belongs to one process at a time. */
import { join } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { onDisk } from "../../storage/disk.node.ts";
import {
  type Lock,
  type Owner,
  ownerOf as ownerOfLock,
  type Release,
  tryLock,
} from "../../storage/process-lock.node.ts";

export type { Lock, Release };

/** The file that names the process. */
export const lockFile = "lock";

/** The process that a folder belongs to, `undefined` where there is none that lives. */
export const ownerOf = (folder: string): Owner | undefined => ownerOfLock(join(folder, lockFile));

/** A process as a person is told of it. */
export const describeOwner = ({ pid, since }: Owner): string => `process ${pid}${since && ` since ${since}`}`;

/** Claims a folder that exists for this process. Throws OptionError while it belongs to another one, FileError for a folder that takes no file. */
export function claim(folder: string, shown: string): Lock {
  const path = join(folder, lockFile);
  const locked = onDisk(path, () => tryLock(path));
  if ("release" in locked) return locked;
  throw new OptionError(
    `${shown} is in use by ${describeOwner(locked)}; wait until it ends, stop it, or train into another folder`,
  );
}
