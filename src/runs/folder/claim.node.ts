/** A run's folder belongs to one process at a time. */
import { constants, copyFileSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { temporaryBeside } from "../../storage/atomic.node.ts";

/** The file that names the process. */
export const lockFile = "lock";

/** Gives a folder back. */
export type Release = () => void;

/** The process that a folder belongs to, `undefined` where there is none that lives. */
export const ownerOf = (folder: string): number | undefined => ownerIn(join(folder, lockFile));

function ownerIn(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 && lives(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Claims a folder that exists for this process. Throws OptionError while it belongs to another one. */
export function claim(folder: string, shown: string): Release {
  const path = join(folder, lockFile);
  const own = temporaryBeside(path);
  // Written first and linked then: whoever finds the file finds the process in it.
  writeFileSync(own, `${process.pid}\n`);
  try {
    while (!links(own, path)) {
      const owner = ownerOf(folder);
      if (owner !== undefined)
        throw new OptionError(
          `${shown} is being trained by process ${owner}; wait until it ends, stop it, or train into another folder`,
        );
      removeLeft(path);
    }
  } finally {
    rmSync(own, { force: true });
  }
  return () => {
    if (ownerOf(folder) === process.pid) rmSync(path, { force: true });
  };
}

/** Gives a file a second name. False where the name is taken, or where the one that has it cleared the file away. */
function links(file: string, name: string): boolean {
  try {
    linkSync(file, name);
    return true;
  } catch (error) {
    if (isAny(error, ["EEXIST", "ENOENT"])) return false;
  }
  // Disks that know no second names, such as those of cameras, can still copy.
  try {
    copyFileSync(file, name, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (isAny(error, ["EEXIST", "ENOENT"])) return false;
    throw error;
  }
}

const isAny = (error: unknown, codes: readonly string[]): boolean =>
  codes.includes((error as NodeJS.ErrnoException).code ?? "");

/** Removes the lock of a process that was killed; one that another process made in this moment is put back. */
function removeLeft(path: string): void {
  const aside = temporaryBeside(path);
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isAny(error, ["ENOENT"])) return;
    throw error;
  }
  if (ownerIn(aside) !== undefined) links(aside, path);
  rmSync(aside, { force: true });
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
