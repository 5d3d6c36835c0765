/** Ranks in one process, which share its memory: for tests, and to try what several would do. */
import { RankError } from "../core/errors.ts";
import type { Communicator } from "./communicator.ts";

/** What ranks of one call gave so far. */
interface Meeting {
  readonly given: unknown[];
  arrived: number;
  readonly done: Promise<readonly unknown[]>;
  readonly resolve: (all: readonly unknown[]) => void;
}

/**
 * Communicators of `size` ranks in this process; each goes to a piece of work of its own, and all run at once.
 * @example
 * const results = await Promise.all(ranksInProcess(2).map((communicator) => train(communicator)));
 */
export function ranksInProcess(size: number): readonly Communicator[] {
  const meetings: Meeting[] = [];
  let refuse: (error: RankError) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  failed.catch(() => undefined);
  return Array.from({ length: size }, (_, rank): Communicator => {
    let calls = 0;
    const meet = async <T>(given: T): Promise<readonly T[]> => {
      const meeting = meetings[calls] ?? newMeeting();
      meetings[calls++] = meeting;
      meeting.given[rank] = given;
      if (++meeting.arrived === size) meeting.resolve(meeting.given);
      return (await Promise.race([meeting.done, failed])) as readonly T[];
    };
    return {
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

function newMeeting(): Meeting {
  let resolve: Meeting["resolve"] = () => undefined;
  const done = new Promise<readonly unknown[]>((keep) => {
    resolve = keep;
  });
  return { given: [], arrived: 0, done, resolve };
}
