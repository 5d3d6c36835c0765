/** What waits is joined, each gets its own, and one that is wrong harms no other; with a clock that is moved by hand. */
import { expect, test } from "vitest";
import { Batcher, type Clock } from "./batcher.ts";

/** A clock that stands still until it is moved. */
function handClock() {
  let time = 0;
  const due: { at: number; call: () => void }[] = [];
  const clock: Clock = {
    now: () => time,
    after(milliseconds, call) {
      const entry = { at: time + milliseconds, call };
      due.push(entry);
      return () => void due.splice(due.indexOf(entry), 1);
    },
    soon: (call) => void due.push({ at: time, call }),
  };
  /** Moves it, and lets promises settle. */
  const move = async (milliseconds: number) => {
    time += milliseconds;
    for (let i = 0; i < 20; i++) {
      const ready = due.findIndex(({ at }) => at <= time);
      if (ready >= 0) due.splice(ready, 1)[0]?.call();
      await Promise.resolve();
    }
  };
  return { clock, move };
}

function doubling(most = 4, wait = 5) {
  const { clock, move } = handClock();
  const batches: number[][] = [];
  const release: (() => void)[] = [];
  const batcher = new Batcher<number, number>({
    most,
    wait,
    clock,
    rowsOf: (item) => (item >= 100 ? 3 : 1),
    keyOf: (item) => (item < 0 ? "negative" : "positive"),
    async run(items) {
      batches.push([...items]);
      await new Promise<void>((resolve) => release.push(resolve));
      if (items.includes(13)) throw new Error("13 is refused");
      return items.map((item) => 2 * item);
    },
  });
  return { batcher, batches, move, finish: () => release.shift()?.() };
}

test("one that comes alone begins at once; those that come while it is computed go together", async () => {
  const { batcher, batches, move, finish } = doubling();
  const first = batcher.submit(1);
  await move(0);
  expect(batches).toEqual([[1]]);
  const others = [2, 3, -1, 4].map((item) => batcher.submit(item));
  await move(0);
  expect(batches.length).toBe(1);
  finish();
  await move(0);
  expect(await first).toBe(2);
  expect(batches[1]).toEqual([2, 3, 4]);
  finish();
  await move(10);
  expect(batches[2]).toEqual([-1]);
  finish();
  await move(0);
  expect(await Promise.all(others)).toEqual([4, 6, -2, 8]);
});

test("a batch waits for as many as the one before had, and no longer than it may", async () => {
  const { batcher, batches, move, finish } = doubling();
  const three = [1, 2, 3].map((item) => batcher.submit(item));
  await move(0);
  expect(batches).toEqual([[1, 2, 3]]);
  finish();
  await move(0);
  await Promise.all(three);
  void batcher.submit(4);
  await move(2);
  expect(batches.length).toBe(1);
  void batcher.submit(5);
  await move(2);
  expect(batches.length).toBe(1);
  await move(1);
  expect(batches[1]).toEqual([4, 5]);
  finish();
  await move(0);
  // The third makes it as many as before.
  for (const item of [6, 7]) void batcher.submit(item);
  await move(0);
  expect(batches[2]).toEqual([6, 7]);
});

test("rows fill a batch, and a request of more is one of its own", async () => {
  const { batcher, batches, move, finish } = doubling(2);
  const all = [1, 100, 2, 3].map((item) => batcher.submit(item));
  for (let i = 0; i < 4; i++) {
    await move(5);
    finish();
  }
  await move(0);
  expect(batches).toEqual([[1, 2], [100], [3]]);
  expect(await Promise.all(all)).toEqual([2, 200, 4, 6]);
});

test("one that is wrong is refused by itself", async () => {
  const { batcher, batches, move, finish } = doubling();
  const all = [1, 13, 2].map((item) => batcher.submit(item).catch((error: Error) => error.message));
  for (let i = 0; i < 5; i++) {
    await move(5);
    finish();
  }
  await move(0);
  expect(await Promise.all(all)).toEqual([2, "13 is refused", 4]);
  expect(batches).toEqual([[1, 13, 2], [1], [13], [2]]);
});

test("one whose client has gone is not computed", async () => {
  const { batcher, batches, move, finish } = doubling();
  void batcher.submit(1);
  await move(0);
  const gone = new AbortController();
  const left = batcher.submit(2, gone.signal).catch((error: unknown) => error);
  void batcher.submit(3);
  gone.abort("gone");
  expect(await left).toBe("gone");
  expect(batcher.length).toBe(1);
  finish();
  await move(5);
  expect(batches).toEqual([[1], [3]]);
});
