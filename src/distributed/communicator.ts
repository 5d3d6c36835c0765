/** The ranks of a run: processes that train one model together, and what they tell one another. */
import { RankError } from "../core/errors.ts";
import { having } from "../core/option-types.ts";

/** What ranks exchange on one line between them: every rank calls the same functions in the same order; a promise is kept once all have called. */
export interface Exchanges {
  /** This process among `size`, from 0. Rank 0 leads: it alone writes and prints. */
  readonly rank: number;
  readonly size: number;
  /** Replaces each element by its sum over all ranks, the same bits on each. */
  sum(values: Float32Array | Float64Array): Promise<void>;
  /** Fills in what others have: rank r has the values from `bounds[r]` to `bounds[r + 1]`. */
  share(values: Float32Array | Uint16Array, bounds: readonly number[]): Promise<void>;
  /**
   * Hands each rank its part of the values, and fills in what each rank had for this one, in their order one after the other: as many times the
   * length of this rank's part as there are ranks.
   */
  deal<V extends Float32Array | Uint16Array>(values: V, parts: readonly Range[], received: V): Promise<void>;
}

/** What one rank sees of all. After an error nothing further can be told. */
export interface Communicator extends Exchanges {
  /**
   * Lines beside this one, on which calls go on while this process computes: their order matters among those of one line alone. What was begun
   * there is to be awaited by `finished`.
   */
  readonly aside: readonly Exchanges[];
  /** Waits for what was begun on a line aside; others hear meanwhile that this rank waits. */
  finished(begun: Promise<void>): Promise<void>;
  /** What each rank gives, in their order. */
  gather(text: string): Promise<readonly string[]>;
  /** The bytes that rank 0 gives, on each; the others' are passed over. */
  broadcast(bytes: Uint8Array): Promise<Uint8Array>;
  /** Says what this rank is about, in words that follow "it is": what others read when they wait for it. */
  doing(what: string): void;
  /** Tells all others that this rank ends, and why, and waits until rank 0 knows. Returns whether it does: then it says so, and this rank need not. */
  fail(why: string): Promise<boolean>;
  /** Waits for all, and leaves them. */
  close(): Promise<void>;
}

/** How many lines there are aside: so many pieces of gradients are under way at once. */
export const asideLines = 8;

/** Elements from `start` on, up to `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A communicator as an option. */
export const communicatorType = having<Communicator>("gather", "a communicator, such as await openRanks()");

/** Rows of a whole that are a rank's: as equal as can be, the later ranks with one more. */
export function shareOf(rows: number, { rank, size }: Pick<Communicator, "rank" | "size">): Range {
  return { start: Math.floor((rank * rows) / size), end: Math.floor(((rank + 1) * rows) / size) };
}

/** Whether something holds for any rank. */
export async function anyOf(communicator: Communicator, own: boolean): Promise<boolean> {
  const flag = Float64Array.of(own ? 1 : 0);
  await communicator.sum(flag);
  return (flag[0] ?? 0) > 0;
}

/** Puts the numbers of rank 0 in the place of those of each. */
export async function leadersNumbers(communicator: Communicator, numbers: Float64Array): Promise<void> {
  if (communicator.rank > 0) numbers.fill(0);
  await communicator.sum(numbers);
}

/** The number of rank 0, on each. */
export async function sameOnAll(communicator: Communicator | undefined, own: number): Promise<number> {
  const number = Float64Array.of(own);
  if (communicator) await leadersNumbers(communicator, number);
  return number[0] ?? Number.NaN;
}

/** Does work that all ranks share; what it fails with on one is told to the others, which then fail too. */
export async function together<T>(communicator: Communicator | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await communicator?.fail(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** Throws RankError where what describes a rank is not what describes rank 0. @param own what this rank is, by the names of its parts */
export async function requireSame(
  communicator: Communicator,
  own: Readonly<Record<string, string>>,
  mend: string,
): Promise<void> {
  const all = (await communicator.gather(JSON.stringify(own))).map(
    (text) => JSON.parse(text) as Readonly<Record<string, string>>,
  );
  const [first = {}] = all;
  for (const [rank, other] of all.entries()) {
    const name = Object.keys({ ...first, ...other }).find((key) => first[key] !== other[key]);
    if (name !== undefined)
      throw new RankError(
        `rank ${rank} of ${communicator.size} has another ${name} (${other[name] ?? "none"}) than rank 0 (${first[name] ?? "none"}); ${mend}`,
      );
  }
}
