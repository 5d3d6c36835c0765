/** Batches by length. */
import { expect, test } from "vitest";
import { DataError, OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { bucketed, paddingMask, padRows } from "./buckets.ts";
import type { Dataset } from "./dataset.ts";

interface Made {
  readonly samples: readonly number[];
  readonly width: number;
}

/** Samples are their own lengths. */
const options = {
  size: 2,
  widths: [2, 4, 8],
  lengthOf: (sample: number) => sample,
  collate: (samples: readonly number[], width: number): Made => ({ samples, width }),
};

const epochOf = async (data: Dataset<Made>, epoch: number, skip = 0): Promise<Made[]> => {
  const batches: Made[] = [];
  for await (const batch of data.epoch(epoch, { skip })) batches.push(batch);
  return batches;
};

test("what does not fill a batch goes to the next wider one", async () => {
  const data = bucketed([1, 5, 2, 3, 2, 4, 6], options);
  expect(data.length).toBe(4);
  expect(await epochOf(data, 0)).toEqual([
    { samples: [1, 2], width: 2 },
    { samples: [2, 3], width: 4 }, // one of bucket 2, one of bucket 4
    { samples: [4, 5], width: 8 },
    { samples: [6], width: 8 },
  ]);
  // The rest of a narrow bucket stays narrow when no wider one follows.
  expect(await epochOf(bucketed([1, 2, 1], options), 0)).toEqual([
    { samples: [1, 2], width: 2 },
    { samples: [1], width: 2 },
  ]);
});

test("each epoch has its own order, the same shapes and all samples; it can be entered in its middle", async () => {
  const samples = Array.from({ length: 21 }, (_, i) => 1 + (i % 8));
  const data = bucketed(samples, { ...options, key: keyOf(1) });
  const [first, second] = [await epochOf(data, 0), await epochOf(data, 1)];
  expect(first).not.toEqual(second);
  expect(await epochOf(data, 0)).toEqual(first);
  expect(await epochOf(data, 1, 3)).toEqual(second.slice(3));
  const shapes = (batches: readonly Made[]) => batches.map((batch) => `${batch.samples.length}x${batch.width}`).sort();
  expect(shapes(first)).toEqual(shapes(second));
  expect(first.flatMap((batch) => batch.samples).sort()).toEqual([...samples].sort());
  expect(first.every((batch) => batch.samples.every((sample) => sample <= batch.width))).toBe(true);
});

test("a sample longer than every batch and options without sense are refused", () => {
  expect(() => bucketed([9], options)).toThrow(DataError);
  expect(() => bucketed([9], options)).toThrow("sample 0 is 9 long, the widest batch has 8");
  expect(() => bucketed([1], { ...options, widths: [4, 2] })).toThrow(OptionError);
  expect(() => bucketed([1], { ...options, size: 0 })).toThrow(OptionError);
});

test("rows are padded at the end", () => {
  expect(padRows([[1, 2], [3]], 3).toArray()).toEqual([
    [1, 2, 0],
    [3, 0, 0],
  ]);
  expect(padRows([[1]], 2, -1).toArray()).toEqual([[1, -1]]);
  expect(paddingMask(padRows([[3, 0], [5]], 3, 9), 9).toArray()).toEqual([
    [1, 1, 0],
    [1, 0, 0],
  ]);
  expect(() => padRows([[1, 2]], 1)).toThrow("row 0 has 2 ids, the width is 1");
});
