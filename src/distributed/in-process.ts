/** Ranks in one process, which share its memory: for tests, and to try what several would do. */
import { RankError } from "../core/errors.ts";
import { asideLines, type Communicator, type Exchanges } from "./communicator.ts";

/** What ranks of one call gave so far. */
interface Meeting {
  readonly given: unknown[];
  arrived: number;
  readonly done: Promise<readonly unknown[]>;
  readonly resolve: (all: readonly unknown[]) => void;
}

/** Meets all others at a call. */
type Meet = <T>(given: T) => Promise<readonly T[]>;

/**
 * Communicators of `size` ranks in this process; each goes to a piece of work of its own, and all run at once.
 * @example
 * const results = await Promise.all(ranksInProcess(2).map((communicator) => train(communicator)));
 */
export function ranksInProcess(size: number): readonly Communicator[] {
  let refuse: (error: RankError) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  failed.catch(() => undefined);
  const lines = Array.from({ length: 1 + asideLines }, () => newLine(size, failed));
  return Array.from({ length: size }, (_, rank): Communicator => {
    const [meet, ...aside] = lines.map((line) => line(rank)) as [Meet, ...Meet[]];
    return {
      ...exchangesOf(meet, rank, size),
      aside: aside.map((own) => exchangesOf(own, rank, size)),
      finished: (begun) => begun,
      gather: meet,
      async broadcast(bytes) {
        const [first] = await meet(bytes);
        return (first as Uint8Array).slice();
      },
      doing() {},
      async fail(why) {
        refuse(new RankError(`rank ${rank} of ${size} ended: ${why}`));
        return true;
      },
      async close() {
        await meet(undefined);
      },
    };
  });
}

/** A line between ranks, on which all meet at one call after the other. */
function newLine(size: number, failed: Promise<never>): (rank: number) => Meet {
  const meetings: Meeting[] = [];
  return (rank) => {
    let calls = 0;
    return async <T>(given: T): Promise<readonly T[]> => {
      const meeting = meetings[calls] ?? newMeeting();
      meetings[calls++] = meeting;
      meeting.given[rank] = given;
      if (++meeting.arrived === size) meeting.resolve(meeting.given);
      return (await Promise.race([meeting.done, failed])) as readonly T[];
    };
  };
}

const exchangesOf = (meet: Meet, rank: number, size: number): Exchanges => ({
  rank,
  size,
  async sum(values) {
    const all = await meet(values.slice());
    values.fill(0);
    for (const own of all) for (const [i, value] of own.entries()) values[i] = (values[i] ?? 0) + value;
  },
  async share(values, bounds) {
    const own = values.slice(bounds[rank], bounds[rank + 1]);
    for (const [from, part] of (await meet(own)).entries()) values.set(part, bounds[from]);
  },
  async deal(values, parts, received) {
    const all = await meet(parts.map(({ start, end }) => values.slice(start, end)));
    for (const [from, own] of all.map((dealt) => dealt[rank] ?? []).entries()) received.set(own, from * own.length);
  },
});

function newMeeting(): Meeting {
  let resolve: Meeting["resolve"] = () => undefined;
  const done = new Promise<readonly unknown[]>((keep) => {
    resolve = keep;
  });
  return { given: [], arrived: 0, done, resolve };
}
