/** A communicator over MPI, for processes that `mpirun`, `mpiexec` or `srun` started. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { RankError } from "../../core/errors.ts";
import { asideLines, type Communicator, type Exchanges, type Range } from "../communicator.ts";
import { openOnce } from "../opened.ts";
import { Calls } from "./calls.node.ts";
import { launched } from "./launcher.node.ts";
import { loadMpi } from "./library.node.ts";
import type { Line, Lookout } from "./line.node.ts";
import { ranksFolderVariable } from "./start.node.ts";
import { Watch } from "./watch.node.ts";

/**
 * The ranks that this process was started among; `undefined` for a process that is alone. Opens them once. Throws OptionError where koffi or
 * the library of MPI is missing, RankError where the launcher and the library do not belong together.
 * @example
 * // mpirun -n 2 node train.js
 * const communicator = await openRanks();
 * await fit(model, data, { ...options, training: { communicator } });
 * await communicator?.close();
 */
export async function openRanks(): Promise<Communicator | undefined> {
  const started = launched();
  if (!started || started.size === 1) return undefined;
  return openOnce(() => open(started));
}

async function open({ family, variable, size }: NonNullable<ReturnType<typeof launched>>): Promise<Communicator> {
  const library = await loadMpi(family, variable);
  const calls = new Calls(library, asideLines);
  if (calls.size !== size)
    throw new RankError(
      `${variable} says that there are ${size} processes, and ${library.file} knows of ${calls.size}: the launcher is of another MPI than the library; start with the mpirun of the same package`,
    );
  const folder = process.env[ranksFolderVariable];
  if (folder) writeFileSync(join(folder, String(process.pid)), String(calls.rank));
  return new MpiCommunicator(calls);
}

/** What goes around each call on a line. */
type Around = <T>(call: () => Promise<T>) => Promise<T>;

const exchangesOf = (line: Line, { rank, size }: Calls, look: Lookout, around: Around): Exchanges => ({
  rank,
  size,
  sum: (values) => around(() => line.sum(values, look)),
  share: (values, bounds) => {
    const parts = bounds.slice(0, -1).map((start, own) => ({ start, end: bounds[own + 1] ?? start }));
    return around(() => line.gather(values, parts, look));
  },
  deal: (values, parts, received) => around(() => line.deal(values, parts, received, look)),
});

class MpiCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly aside: readonly Exchanges[];
  readonly sum: Exchanges["sum"];
  readonly share: Exchanges["share"];
  readonly deal: Exchanges["deal"];
  readonly #calls: Calls;
  readonly #line: Line;
  readonly #watch: Watch;
  #failed: Promise<boolean> | undefined;
  readonly #look = () => this.#watch.look();

  constructor(calls: Calls) {
    const [line, ...aside] = calls.lines;
    this.rank = calls.rank;
    this.size = calls.size;
    this.#calls = calls;
    this.#line = line;
    this.#watch = new Watch(calls);
    const { sum, share, deal } = exchangesOf(line, calls, this.#look, (call) => this.#watch.waiting(call));
    this.sum = sum;
    this.share = share;
    this.deal = deal;
    this.aside = aside.map((own) => exchangesOf(own, calls, this.#look, (call) => call()));
  }

  finished(begun: Promise<void>): Promise<void> {
    return this.#watch.waiting(() => begun);
  }

  async gather(text: string): Promise<readonly string[]> {
    const own = new TextEncoder().encode(text);
    const lengths = new Float64Array(this.size);
    lengths[this.rank] = own.length;
    await this.sum(lengths);
    const parts: Range[] = [];
    for (const length of lengths) {
      const start = parts.at(-1)?.end ?? 0;
      parts.push({ start, end: start + length });
    }
    const all = new Uint8Array(parts.at(-1)?.end ?? 0);
    all.set(own, parts[this.rank]?.start);
    await this.#watch.waiting(() => this.#line.gather(all, parts, this.#look));
    const decoder = new TextDecoder();
    return parts.map((part) => decoder.decode(all.subarray(part.start, part.end)));
  }

  async broadcast(bytes: Uint8Array): Promise<Uint8Array> {
    const length = Float64Array.of(this.rank === 0 ? bytes.length : 0);
    await this.sum(length);
    const all = this.rank === 0 ? bytes : new Uint8Array(length[0] ?? 0);
    await this.#watch.waiting(() => this.#line.broadcast(all, this.#look));
    return all;
  }

  doing(what: string): void {
    this.#watch.doing(what);
  }

  fail(why: string): Promise<boolean> {
    this.#failed ??= this.#watch.ends(why);
    return this.#failed;
  }

  async close(): Promise<void> {
    this.#watch.close();
    // Once before the last messages are taken in, and once after.
    for (let i = 0; i < 2; i++) {
      await this.#watch.waiting(() => this.#line.sum(new Float64Array(1), this.#look), true);
      this.#watch.look();
    }
    await this.#calls.finalize();
  }
}
