/** Files that name the process that something on disk belongs to, one at a time. */
import {
  constants,
  copyFileSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { temporaryBeside } from "./atomic.node.ts";

/** Gives back what was locked. */
export type Release = () => void;

/** Of a process on another machine nothing is known but that it touches its lock from time to time. */
const secondsBetweenTouches = 15;
const secondsOfSilence = 60;

/** The process that a lock belongs to, `undefined` where there is none that lives. */
export function ownerOf(path: string): number | undefined {
  try {
    const [process = "", host = hostname()] = readFileSync(path, "utf8").split("\n").filter(Boolean);
    const pid = Number(process);
    if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
    const isAlive = host === hostname() ? lives(pid) : Date.now() - statSync(path).mtimeMs < secondsOfSilence * 1000;
    return isAlive ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Locks for this process, by a file in a folder that exists. Returns the process that has the lock where it is another's. */
export function tryLock(path: string): Release | number {
  const own = temporaryBeside(path);
  const content = `${process.pid}\n${hostname()}\n`;
  // Written first and linked then: whoever finds the file finds the process in it.
  writeFileSync(own, content);
  try {
    while (!links(own, path)) {
      const owner = ownerOf(path);
      if (owner !== undefined) return owner;
      removeLeft(path);
    }
  } finally {
    rmSync(own, { force: true });
  }
  const isOwn = () => ownerOf(path) === process.pid && readFileSync(path, "utf8") === content;
  const touch = setInterval(() => {
    const now = new Date();
    if (isOwn()) utimesSync(path, now, now);
  }, secondsBetweenTouches * 1000).unref();
  return () => {
    clearInterval(touch);
    if (isOwn()) rmSync(path, { force: true });
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
  if (ownerOf(aside) !== undefined) links(aside, path);
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
