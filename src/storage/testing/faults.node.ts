/** A disk that refuses: every call that writes can be made to fail, one at a time, as SQLite's tests do. */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** What the disk does at a call. */
export interface Fault {
  /** The call that fails, from 0; those before it succeed. */
  readonly at: number;
  /** What the system says. */
  readonly code: "ENOSPC" | "EIO" | "EACCES" | "EROFS";
  /** All later calls that need room fail as well, as of a disk that stays full. */
  readonly lasting?: boolean;
}

/** Calls that write, of `fs` and of `fs.promises`. */
const calls = {
  sync: "writeFileSync appendFileSync mkdirSync renameSync linkSync copyFileSync truncateSync utimesSync openSync writeSync",
  promises: "writeFile appendFile mkdir rename link copyFile truncate open symlink",
  /** Of an open file. */
  handle: "writeFile write sync truncate",
} as const;

const namesOf = (kind: keyof typeof calls): readonly string[] => calls[kind].split(" ");

type Call = (...args: unknown[]) => unknown;

/** Whether a file is opened to be written. */
const opensForWriting = (name: string, flags: unknown): boolean =>
  !name.startsWith("open") ||
  (typeof flags === "number" ? (flags & 3) !== 0 : typeof flags === "string" && flags !== "r");

/**
 * Runs an action on a disk that fails at a call. Of what was to be written half is, before it fails. Returns what the action gave or threw, and
 * how many calls were made.
 */
export async function withFault<T>(
  fault: Fault | undefined,
  action: () => Promise<T>,
): Promise<{ readonly calls: number; readonly value?: T; readonly error?: unknown }> {
  let made = 0;
  const undo: (() => void)[] = [];
  const isDue = (): boolean => {
    const at = made++;
    return fault !== undefined && (fault.lasting ? at >= fault.at : at === fault.at);
  };
  const failure = (name: string, path: unknown) =>
    Object.assign(new Error(`${fault?.code}: made to fail, ${name} '${path}'`), {
      code: fault?.code,
      syscall: name,
      path,
    });
  const replace = (owner: object, name: string, made: (real: Call) => Call) => {
    const holder = owner as Record<string, Call>;
    const real = holder[name] as Call;
    holder[name] = made(real);
    undo.push(() => (holder[name] = real));
  };
  /** A call that fails when it is due, with half of its content written. */
  const failing =
    (name: string, isAsync: boolean) =>
    (real: Call): Call =>
      function (this: unknown, ...args) {
        if (!opensForWriting(name, args[1]) || !isDue()) return real.apply(this, args);
        const at = args.findIndex((arg) => typeof arg === "string" || arg instanceof Uint8Array);
        const content = /^(write|append)/.test(name)
          ? args[name.endsWith("Sync") || typeof args[0] === "string" ? 1 : at]
          : undefined;
        const half =
          content instanceof Uint8Array || typeof content === "string"
            ? content.slice(0, content.length / 2)
            : undefined;
        const partly =
          half === undefined
            ? undefined
            : () =>
                real.apply(
                  this,
                  args.map((arg) => (arg === content ? half : arg)),
                );
        if (!isAsync) {
          if (name !== "writeSync") partly?.();
          throw failure(name, args[0]);
        }
        return Promise.resolve(partly?.()).then(() => Promise.reject(failure(name, args[0])));
      };
  for (const name of namesOf("sync")) replace(fs, name, failing(name, false));
  for (const name of namesOf("promises"))
    replace(fs.promises, name, (real) => {
      const own = failing(name, true)(real);
      if (name !== "open") return own;
      return async (...args) => {
        const handle = (await own(...args)) as object;
        if (opensForWriting("open", args[1] ?? "r"))
          for (const call of namesOf("handle"))
            Object.defineProperty(handle, call, { value: failing(call, true)(Reflect.get(handle, call).bind(handle)) });
        return handle;
      };
    });
  syncBuiltinESMExports();
  try {
    return { value: await action(), calls: made };
  } catch (error) {
    return { error, calls: made };
  } finally {
    for (const step of undo) step();
    syncBuiltinESMExports();
  }
}
