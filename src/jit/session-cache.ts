/** Compiled graphs by the types of what they take: so many at most, and so many bytes, those that were used last. */
import { count, positive } from "../core/option-types.ts";
import type { OptionTypes } from "../core/options.ts";
import type { Executable } from "./compile.ts";

/** How many compiled graphs are kept where one function compiles again for each type of inputs. */
export interface SessionLimits {
  /** The most compiled graphs to keep, one for each type of inputs; the one that was used longest ago goes. Default 16. */
  readonly sessions?: number | undefined;
  /** The most bytes that they may hold together, as estimated; one is always kept. Default half of the machine's memory. */
  readonly sessionBytes?: number | undefined;
}

export const sessionTypes: OptionTypes<SessionLimits> = { sessions: count(), sessionBytes: positive };

const defaultSessions = 16;

/** What is kept: it is released when it goes. */
export interface Compiled {
  readonly executables: readonly Executable[];
}

interface Entry<T> {
  readonly signature: string;
  readonly compiled: Promise<T>;
  /** What came of it, once it is there. */
  made: T | undefined;
  /** Runs under way, which it must outlive. */
  users: number;
  isDropped: boolean;
}

/** What is said once, when graphs have to go while others are compiled. */
const advice = (sessions: number): string =>
  `the shapes of inputs keep changing: a graph is compiled for each, and more than ${sessions} do not stay; ` +
  "let shapes repeat, by batches of one size (dropLast) and lengths that are padded or bucketed, or keep more: { sessions: … }";

/** Whether it was said: once is enough for a process. */
let warned = false;

/** Tells a warning of the process, or of the browser's console. */
function warn(text: string): void {
  const { emitWarning } =
    (globalThis as { readonly process?: { emitWarning?(text: string, type: string): void } }).process ?? {};
  if (emitWarning) emitWarning(text, "CompileWarning");
  else console.warn(text);
}

/** What is compiled of one function or model, by the signature of its inputs. */
export class SessionCache<T extends Compiled> {
  readonly #limits: SessionLimits;
  /** The one that was used last stands last. */
  readonly #entries = new Map<string, Entry<T>>();
  /** The last of them, which is mostly asked for again. */
  #latest: Entry<T> | undefined;

  constructor({ sessions, sessionBytes }: SessionLimits = {}) {
    this.#limits = { sessions, sessionBytes };
  }

  /** How many are kept. */
  get size(): number {
    return this.#entries.size;
  }

  /** What is compiled for a signature, if it is there. */
  known(signature: string): T | undefined {
    return this.#entries.get(signature)?.made;
  }

  /** What is compiled for a signature, which `build` makes where there is none; it stays at least until another is asked for. */
  get(signature: string, build: () => Promise<T>): Promise<T> {
    return this.use(signature, build, (compiled) => compiled);
  }

  /** Does something with what is compiled for a signature, which stays as long. */
  async use<R>(signature: string, build: () => Promise<T>, work: (compiled: T) => R | Promise<R>): Promise<R> {
    const found = this.#latest?.signature === signature ? this.#latest : this.#entries.get(signature);
    const entry = found ?? { signature, compiled: build(), made: undefined, users: 0, isDropped: false };
    if (entry !== this.#latest) {
      this.#entries.delete(signature);
      this.#entries.set(signature, entry);
      this.#latest = entry;
    }
    entry.users++;
    try {
      entry.made ??= await entry.compiled.catch((error: unknown) => {
        if (this.#entries.get(signature) === entry) this.#forget(entry);
        throw error;
      });
      return await work(entry.made);
    } finally {
      entry.users--;
      if (entry.isDropped) await letGo(entry);
      if (!found) await this.#trim();
    }
  }

  /** Lets go of everything; what is needed again is compiled anew. */
  async release(): Promise<void> {
    for (const signature of [...this.#entries.keys()]) await this.#drop(signature);
  }

  async #trim(): Promise<void> {
    const { sessions = defaultSessions, sessionBytes } = this.#limits;
    const entries = [...this.#entries];
    const held = entries.map(([, { made }]) => (made?.executables ?? []).reduce((sum, { bytes }) => sum + bytes, 0));
    let [left, bytes] = [entries.length, held.reduce((sum, own) => sum + own, 0)];
    for (const [i, [signature, { made }]] of entries.entries()) {
      const room = sessionBytes ?? made?.executables[0]?.room ?? Number.POSITIVE_INFINITY;
      if (left === 1 || (left <= sessions && bytes <= room)) return;
      left--;
      bytes -= held[i] ?? 0;
      if (!warned) warn(advice(left));
      warned = true;
      await this.#drop(signature);
    }
  }

  async #drop(signature: string): Promise<void> {
    const entry = this.#entries.get(signature);
    if (!entry) return;
    this.#forget(entry);
    entry.isDropped = true;
    await letGo(entry);
  }

  #forget(entry: Entry<T>): void {
    this.#entries.delete(entry.signature);
    if (this.#latest === entry) this.#latest = undefined;
  }
}

/** Releases what nothing runs any more; the last run does it otherwise. */
async function letGo<T extends Compiled>({ compiled, users }: Entry<T>): Promise<void> {
  if (users > 0) return;
  for (const { session } of (await compiled.catch(() => undefined))?.executables ?? []) await session.release();
}
