/** A run's folder belongs to one process at a time. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OptionError } from "../core/errors.ts";

/** The file that names the process. */
export const lockFile = "lock";

/** Gives a folder back. */
export type Release = () => void;

/** The process that a folder belongs to, `undefined` where there is none that lives. */
export function ownerOf(folder: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(folder, lockFile), "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 && lives(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Claims a folder that exists for this process. Throws OptionError while it belongs to another one. */
export function claim(folder: string, shown: string): Release {
  const path = join(folder, lockFile);
  for (;;) {
    try {
      writeFileSync(path, `${process.pid}\n`, { flag: "wx" });
      return () => {
        if (ownerOf(folder) === process.pid) rmSync(path, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = ownerOf(folder);
    if (owner !== undefined)
      throw new OptionError(
        `${shown} is being trained by process ${owner}; wait until it ends, stop it, or train into another folder`,
      );
    // Left by a process that was killed.
    rmSync(path, { force: true });
  }
}

/** Whether there is a process of this number. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, and is somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
