/** Stretches of a text: every token is predicted once, in each epoch from another beginning. */
import { expect, test } from "vitest";
import { DataError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { textWindows } from "./text-windows.ts";

const tokens = Int32Array.from({ length: 20 }, (_, i) => i);

async function read(data: ReturnType<typeof textWindows>, epoch: number) {
  const found: number[][][] = [];
  for await (const { x, y } of data.epoch(epoch)) found.push([[...x.data], [...y.data]]);
  return found;
}

test("one after the other", async () => {
  const found = await read(textWindows(tokens, 6), 0);
  expect(found.map(([x]) => x?.[0])).toEqual([0, 6, 12]);
  expect(found[2]).toEqual([
    [12, 13, 14, 15, 16, 17],
    [13, 14, 15, 16, 17, 18],
  ]);
});

test("from another beginning in each epoch, the same for the same key", async () => {
  const data = textWindows(tokens, 6, keyOf(1));
  const starts = await Promise.all(
    [0, 1, 2, 3, 4, 5, 6, 7].map(async (epoch) => (await read(data, epoch))[0]?.[0]?.[0]),
  );
  expect(new Set(starts).size).toBeGreaterThan(2);
  expect(await read(textWindows(tokens, 6, keyOf(1)), 3)).toEqual(await read(data, 3));
});

test("a text that is too short", () => {
  expect(textWindows(tokens, 19).length).toBe(1);
  expect(() => textWindows(tokens, 20)).toThrow(
    "textWindows: 20 tokens give no window of 20; pass a longer text or a smaller length",
  );
  expect(() => textWindows(tokens, 19, keyOf(0))).toThrow(DataError);
});
