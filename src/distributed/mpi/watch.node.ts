/**
 * Who is still there: each rank tells rank 0 every second what it is about, and rank 0 tells all. Whoever waits for the others and hears
 * nothing of one for too long ends, and names it. Rank 0 alone hears of all, so that what is told grows with their number, not its square.
 */
import { RankError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { type Calls, messageBytes } from "./calls.node.ts";

/** Milliseconds between two signs of life. */
const interval = 1000;

/** Seconds of silence, or of something else than computing, after which a rank counts as lost to those who wait for it. */
export const patience = 20;

/** What a rank tells: that it is there, or that it ends. */
type Message =
  | { readonly rank: number; readonly doing: string; readonly since: number; readonly waits: boolean }
  | { readonly rank: number; readonly ended: string };

export class Watch {
  readonly #calls: Calls;
  readonly #patience: number;
  /** Of the ranks that this one hears of: when it last did, and what was told. */
  readonly #heard = new Map<number, { at: number; doing: string; since: number; waits: boolean }>();
  readonly #timer: NodeJS.Timeout;
  #doing = "starting";
  #since = performance.now();
  #waitsSince: number | undefined;
  #lookedAt = 0;
  #leaderEnded = false;
  #lostLeader = false;
  /** The first that was heard to end. */
  #ended: { readonly rank: number; readonly why: string } | undefined;

  /** @param seconds of patience */
  constructor(calls: Calls, seconds = patience) {
    this.#calls = calls;
    this.#patience = 1000 * seconds;
    const now = performance.now();
    for (const rank of this.#others) this.#heard.set(rank, { at: now, doing: "starting", since: 0, waits: false });
    this.#timer = setInterval(() => this.#beat(), interval);
    this.#timer.unref();
  }

  /** Says what this rank is about. */
  doing(what: string): void {
    this.#doing = what;
    this.#since = performance.now();
  }

  /** Waits for others while `work` goes on, which calls `look`. @param forAny however long they take, as what rank 0 does alone at the end */
  async waiting<T>(work: () => Promise<T>, forAny = false): Promise<T> {
    this.#waitsSince = forAny ? Number.POSITIVE_INFINITY : performance.now();
    try {
      return await work();
    } finally {
      this.#waitsSince = undefined;
    }
  }

  /** Throws RankError where a rank ended or is lost. To be called while this one waits. */
  look(): void {
    const now = performance.now();
    if (now - this.#lookedAt < interval / 4) return;
    this.#lookedAt = now;
    this.#hear();
    if (this.#ended) throw this.#error(this.#ended.rank, `ended: ${this.#ended.why}`);
    const waited = now - (this.#waitsSince ?? now);
    if (waited < this.#patience) return;
    for (const [rank, { at, doing, since, waits }] of this.#heard) {
      const silent = (now - at) / 1000;
      if (now - at > this.#patience)
        throw this.#lost(rank, `has given no sign of life for ${silent.toFixed(0)} s; it was ${doing}`);
      // What computes comes to its end; what reads may wait for ever.
      if (!waits && doing.startsWith("reading") && since > this.#patience / 1000)
        throw this.#lost(rank, `has been ${doing} for ${since.toFixed(0)} s, and the others wait`);
    }
  }

  /**
   * Tells all others that this rank ends. Others than rank 0 stay until it knows and ends too, since a launcher ends all with the first that
   * goes. Returns whether rank 0 knows.
   */
  async ends(why: string): Promise<boolean> {
    const { rank } = this.#calls;
    // Without rank 0 the next one says it.
    if (this.#lostLeader) return rank !== 1;
    if (!this.#leaderEnded) this.#tellEnd(rank, why);
    const last = performance.now() + (rank === 0 ? 2000 : this.#patience);
    while (performance.now() < last) {
      if (rank === 0 && this.#calls.sending() === 0) return true;
      if (rank !== 0 && this.#leaderEnded) {
        // It writes and says why meanwhile; a launcher ends this one once it is done.
        await new Promise((resolve) => setTimeout(resolve, this.#patience / 2));
        return true;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
      this.#hear();
    }
    return rank === 0;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** The ranks that this one hears of. */
  get #others(): readonly number[] {
    const { rank, size } = this.#calls;
    return rank === 0 ? Array.from({ length: size - 1 }, (_, i) => i + 1) : [0];
  }

  #beat(): void {
    const { rank } = this.#calls;
    const since = (performance.now() - this.#since) / 1000;
    this.#tell({ rank, doing: this.#doing, since, waits: this.#waitsSince !== undefined });
    this.#hear();
  }

  #tell(message: Message): void {
    // What is not taken is from a rank that does not answer: it needs no more of it.
    if (this.#calls.sending() > 4 * this.#others.length && !("ended" in message)) return;
    for (const rank of this.#others) this.#calls.send(rank, JSON.stringify(message));
  }

  #tellEnd(rank: number, why: string): void {
    let ended = why;
    const isTooLong = () => new TextEncoder().encode(JSON.stringify({ rank, ended })).length >= messageBytes;
    while (isTooLong()) ended = `${ended.slice(0, Math.floor(0.8 * ended.length))}…`;
    this.#tell({ rank, ended });
  }

  #hear(): void {
    const now = performance.now();
    for (const text of this.#calls.received()) {
      const message = parseJson(text) as Message;
      if ("ended" in message) {
        this.#ended ??= { rank: message.rank, why: message.ended };
        this.#leaderEnded ||= message.rank === 0;
        if (this.#calls.rank === 0) this.#tellEnd(message.rank, message.ended);
      } else {
        const { rank, doing, since, waits } = message;
        this.#heard.set(rank, { at: now, doing, since, waits });
      }
    }
  }

  #lost(rank: number, why: string): RankError {
    this.#tellEnd(rank, why);
    this.#lostLeader ||= rank === 0;
    return this.#error(rank, why);
  }

  #error(rank: number, why: string): RankError {
    return new RankError(`rank ${rank} of ${this.#calls.size} ${why}`);
  }
}
