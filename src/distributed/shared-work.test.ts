/** Pieces of work given to ranks: each done once, all known to each, in order; a mistake ends all. */
import { expect, test } from "vitest";
import { ranksInProcess } from "./in-process.ts";
import { leadersData, shareOut } from "./shared-work.ts";

const pieces = [0, 1, 2, 3, 4];

test("every piece is done by one rank, and its result is known to all in order, numbers that are none too", async () => {
  const doneBy: number[][] = [[], []];
  const all = await Promise.all(
    ranksInProcess(2).map(async (communicator) => {
      const results = [];
      const work = async (piece: number) => {
        doneBy[communicator.rank]?.push(piece);
        return { half: piece === 3 ? Number.NaN : piece / 2, text: "é" };
      };
      for await (const own of shareOut(communicator, pieces, work)) results.push(own);
      return results;
    }),
  );
  expect(doneBy).toEqual([
    [0, 2, 4],
    [1, 3],
  ]);
  for (const results of all)
    expect(results).toEqual(
      pieces.map((piece) => ({ piece, result: { half: piece === 3 ? Number.NaN : piece / 2, text: "é" } })),
    );
});

test("what one fails with ends all; a process alone does everything", async () => {
  const ended = await Promise.allSettled(
    ranksInProcess(2).map(async (communicator) => {
      const work = async (piece: number) => {
        if (piece === 3) throw new Error("no memory");
        return piece;
      };
      for await (const _ of shareOut(communicator, pieces, work));
    }),
  );
  expect(ended.map((own) => own.status === "rejected" && own.reason.message)).toEqual([
    "rank 1 of 2 ended: no memory",
    "no memory",
  ]);
  const alone = [];
  for await (const { result } of shareOut(undefined, pieces, async (piece) => 2 * piece)) alone.push(result);
  expect(alone).toEqual([0, 2, 4, 6, 8]);
});

test("what rank 0 reads is known to all", async () => {
  const read = await Promise.all(
    ranksInProcess(3).map((communicator) => leadersData(communicator, async () => ({ from: communicator.rank }))),
  );
  expect(read).toEqual([{ from: 0 }, { from: 0 }, { from: 0 }]);
});
