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

/** A process that has a lock. */
export interface Owner {
  readonly pid: number;
  /** The machine that it runs on. */
  readonly host: string;
  /** When it took the lock, as ISO 8601 writes it. */
  readonly since: string;
}

/** A lock that this process has now, and the process that left it behind, if one did. */
export interface Lock {
  readonly release: Release;
  readonly leftBy: Owner | undefined;
}

/** Of a process on another machine nothing is known but that it touches its lock from time to time. */
const secondsBetweenTouches = 15;
const secondsOfSilence = 60;

/** The process that a lock belongs to, `undefined` where there is none that lives. */
export function ownerOf(path: string): Owner | undefined {
  const found = read(path);
  return found && isAlive(path, found) ? found : undefined;
}

/** What a lock's file says: process, machine, time, and which of the processes of that number it was. */
type Written = Owner & { readonly incarnation: string };

function read(path: string): Written | undefined {
  const text = attempt(() => readFileSync(path, "utf8"));
  const [process = "", host, since = "", incarnation = ""] = text?.split("\n") ?? [];
  const pid = Number(process);
  return Number.isSafeInteger(pid) && pid > 0 ? { pid, host: host || hostname(), since, incarnation } : undefined;
}

function isAlive(path: string, { pid, host, incarnation }: Written): boolean {
  const touched = attempt(() => statSync(path).mtimeMs) ?? 0;
  if (host !== hostname()) return Date.now() - touched < secondsOfSilence * 1000;
  // After a restart of the machine another process may have the number.
  return lives(pid) && (incarnation === "" || incarnation === incarnationOf(pid));
}

/** Which process of a number this is: when it was started, on Linux; "" where the system does not say. */
function incarnationOf(pid: number): string {
  const boot = attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  const status = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  // The 22nd field (proc_pid_stat(5)), counted behind the program's name, which may hold spaces and brackets.
  const started = status?.slice(status.lastIndexOf(")") + 2).split(" ")[19];
  return boot === undefined || started === undefined ? "" : `${boot} ${started}`;
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/** Locks for this process, by a file in a folder that exists. Returns the process that has the lock where it is another's. */
export function tryLock(path: string): Lock | Owner {
  const own = temporaryBeside(path);
  const content = `${process.pid}\n${hostname()}\n${new Date().toISOString()}\n${incarnationOf(process.pid)}\n`;
  let leftBy: Owner | undefined;
  try {
    // Written first and linked then: whoever finds the file finds the process in it.
    writeFileSync(own, content);
    while (!links(own, path)) {
      const owner = ownerOf(path);
      if (owner !== undefined) return owner;
      leftBy = read(path) ?? leftBy;
      removeLeft(path);
    }
  } finally {
    rmSync(own, { force: true });
  }
  const isOwn = () => attempt(() => readFileSync(path, "utf8")) === content;
  const touch = setInterval(() => {
    const now = new Date();
    // A lock that cannot be touched is no reason to end the work that it guards.
    if (isOwn()) attempt(() => utimesSync(path, now, now));
  }, secondsBetweenTouches * 1000).unref();
  return {
    leftBy,
    release() {
      clearInterval(touch);
      if (isOwn()) attempt(() => rmSync(path, { force: true }));
    },
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
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, and is somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
