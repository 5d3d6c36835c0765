/** Datasets: every combinator on indexed sources and on streams; determinism, resuming, partitions, bad input. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError, OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import {
  collect,
  type Dataset,
  type EpochOptions,
  fromIndexed,
  fromIterable,
  fromTensors,
  type Labelled,
} from "./dataset.ts";

const key = keyOf(7);
const numbers = (length: number) => Array.from({ length }, (_, i) => i);

async function all<T>(dataset: Dataset<T>, epoch = 0, options?: EpochOptions): Promise<T[]> {
  const elements: T[] = [];
  for await (const element of dataset.epoch(epoch, options)) elements.push(element);
  return elements;
}

/** The numbers 0 … n-1 as an indexed source and as a stream of known and of unknown length. */
const kinds = {
  indexed: (n: number) => fromIndexed(n, (i) => i),
  stream: (n: number) => fromIterable(() => numbers(n), { length: n }),
  "stream of unknown length": (n: number) => fromIterable(() => numbers(n)),
};

/** Rows [i, 10 * i] with label i. */
const table = (n: number) =>
  fromTensors({
    x: tensor(numbers(n).map((i) => [i, 10 * i])),
    y: tensor(numbers(n), { dtype: "int32" }),
  });

/** A stream of the same rows. */
const rowStream = (n: number) =>
  fromIterable<Labelled>(() => numbers(n).map((i) => ({ x: tensor([i, 10 * i]), y: tensor(i, { dtype: "int32" }) })));

const labels = (batches: readonly Labelled[]) => batches.map(({ y }) => y.toArray());

describe.each(Object.entries(kinds))("%s source", (_, make) => {
  const pipelines: Record<string, (d: Dataset<number>) => Dataset<number | string>> = {
    nothing: (d) => d,
    map: (d) => d.map((n, random) => `${n}:${random.uint32()}`, key),
    "async map": (d) => d.map(async (n) => n * 2),
    filter: (d) => d.filter((n) => n % 3 !== 0),
    shuffle: (d) => d.shuffle(key, { buffer: 5 }),
    take: (d) => d.take(9),
    skip: (d) => d.skip(4),
    "skip, take": (d) => d.skip(4).take(5),
    concat: (d) => d.concat(make(6)),
    "concat with a stream": (d) => d.concat(kinds["stream of unknown length"](6)),
    cache: (d) => d.cache(),
    prefetch: (d) => d.prefetch(3),
    "all of them": (d) =>
      d
        .shuffle(key)
        .map((n, random) => n + random.uniform(), key)
        .cache()
        .concat(make(3))
        .skip(2)
        .filter((n) => n !== 1)
        .prefetch(2),
  };

  it.each(Object.entries(pipelines))("%s: an epoch repeats, and skip gives its tail", async (_name, build) => {
    const dataset = build(make(17));
    for (const epoch of [0, 3]) {
      const whole = await all(dataset, epoch);
      expect(await all(build(make(17)), epoch)).toEqual(whole);
      for (const skip of [0, 1, 6, whole.length]) {
        expect(await all(dataset, epoch, { skip })).toEqual(whole.slice(skip));
        expect(await all(build(make(17)), epoch, { skip })).toEqual(whole.slice(skip)); // as a resumed process would
      }
      expect(await all(dataset, epoch, { skip: 1, stride: 3 })).toEqual(whole.filter((__, i) => i % 3 === 1));
    }
  });

  it.each(Object.entries(pipelines))("%s: length is the number of elements, or not known", async (_name, build) => {
    const dataset = build(make(17));
    expect([undefined, (await all(dataset)).length]).toContain(dataset.length);
  });

  it("shuffles into another order each epoch, losing nothing", async () => {
    const dataset = make(50).shuffle(key, { buffer: 20 });
    const [first, second] = [await all(dataset, 0), await all(dataset, 1)];
    expect(first).not.toEqual(second);
    expect(first).not.toEqual(numbers(50));
    for (const order of [first, second]) expect([...order].sort((a, b) => a - b)).toEqual(numbers(50));
  });

  it("gives map other random numbers for each key, step, epoch and element", async () => {
    const draw = (d: Dataset<unknown>, k = key) => d.map((_element, random) => random.uint32(), k);
    const drawn = [
      ...(await all(draw(make(20)))),
      ...(await all(draw(make(20)), 1)),
      ...(await all(draw(make(20), keyOf(8)))),
      ...(await all(draw(make(20).map((n) => n)))),
    ];
    expect(new Set(drawn).size).toBe(drawn.length);
  });

  it("caches: makes each element once, those of epoch 0", async () => {
    let made = 0;
    const cached = make(5)
      .map((n, random) => [n, random.uint32(), ++made])
      .cache();
    const first = await all(cached, 4);
    expect(await all(cached, 0)).toEqual(first);
    expect(made).toBe(5);
  });

  it("ends its source when the reader stops early", async () => {
    let ended = 0;
    const source = fromIterable(function* () {
      try {
        yield* numbers(10);
      } finally {
        ended++;
      }
    });
    for await (const n of source
      .map((n) => n)
      .shuffle(key, { buffer: 2 })
      .prefetch(2)
      .epoch(0))
      if (n >= 0) break;
    await all(source.take(3));
    expect(ended).toBe(2);
  });
});

describe("batch", () => {
  it.each([
    ["table", table],
    ["stream", rowStream],
  ])("stacks rows of a %s along a new leading axis", async (_, make) => {
    const batches = await all(make(5).batch(2));
    expect(batches.map(({ x }) => x.toArray())).toEqual([
      [
        [0, 0],
        [1, 10],
      ],
      [
        [2, 20],
        [3, 30],
      ],
      [[4, 40]],
    ]);
    expect(batches.map(({ y }) => [y.dtype, y.shape])).toEqual([
      ["int32", [2]],
      ["int32", [2]],
      ["int32", [1]],
    ]);
    expect(labels(await all(make(5).batch(2, { dropLast: true })))).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it("partitions any dataset, in order, however it is made and resumed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(10),
        async (n, size, skip) => {
          for (const make of [
            table,
            rowStream,
            (m: number) => table(m).map((e) => e),
            (m: number) => table(m).map(async (e) => e),
          ]) {
            const dataset = make(n).batch(size, { dropLast: false });
            const batches = labels(await all(dataset));
            expect(batches.flat()).toEqual(numbers(n));
            expect(batches.slice(0, -1).every((batch) => (batch as number[]).length === size)).toBe(true);
            if (dataset.length !== undefined) expect(batches.length).toBe(dataset.length);
            expect(labels(await all(dataset, 0, { skip }))).toEqual(batches.slice(skip));
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it("gathers the same rows as it would stack, after shuffle, skip, take and split", async () => {
    const prepare = (d: Dataset<Labelled>) => d.shuffle(key).skip(3).split(0.7, key)[0].take(9);
    const fast = await all(prepare(table(30)).batch(4), 2);
    const slow = await all(prepare(table(30).map((e) => e)).batch(4), 2);
    // map adds a step, and with it another order: what must agree is each row with its label.
    expect(fast.length).toBe(slow.length);
    for (const { x, y } of [...fast, ...slow])
      expect(x.toArray()).toEqual((y.toArray() as number[]).map((i) => [i, 10 * i]));
  });

  it("gives arrays of its own: changing a batch leaves the data alone", async () => {
    const data = table(4);
    for await (const { x } of data.batch(2).epoch(0)) (x.data as Float32Array).fill(9);
    expect(labels([data.tensors])).toEqual([[0, 1, 2, 3]]);
    expect(data.tensors.x.toArray()).toEqual([
      [0, 0],
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
  });

  it("keeps 64-bit integers and wide rows", async () => {
    const x = new Tensor(
      "int64",
      [3, 20],
      BigInt64Array.from({ length: 60 }, (_, i) => BigInt(i)),
    );
    const [batch] = await all(fromTensors({ x, y: x }).skip(1).batch(2));
    expect(batch?.x.data).toEqual(x.data.slice(20));
  });

  it("reports a size above the dataset's, unless it is wanted", async () => {
    expect(() => table(10).batch(64)).toThrow(DataError);
    expect(() => table(10).batch(64)).toThrow(
      "batch(64): the dataset has 10 elements; pass a size of at most 10, or { dropLast: false } to take them as one smaller batch",
    );
    expect(labels(await all(table(3).batch(64, { dropLast: false })))).toEqual([[0, 1, 2]]);
    await expect(all(rowStream(3).batch(64, { dropLast: true }))).rejects.toThrow(
      "batch(64): the dataset has only 3 elements",
    );
    expect(() => table(3).batch(0)).toThrow(OptionError);
    expect(() => table(3).batch(1.5)).toThrow("batch(size): got 1.5, expected a whole number from 1");
  });

  it("reports samples that do not stack", async () => {
    const ragged = fromIterable(() => [{ x: tensor([1]) }, { x: tensor([1, 2]) }]).batch(2);
    await expect(all(ragged)).rejects.toThrow(
      'batch(): "x" of element 1 in the batch is float32 [2], that of element 0 is float32 [1]',
    );
    const mixed = fromIterable(() => [{ x: tensor([1]) }, { x: tensor([1], { dtype: "int32" }) }]).batch(2);
    await expect(all(mixed)).rejects.toThrow(DataError);
  });
});

describe("batches in parts", () => {
  const batches = fromTensors({ x: tensor(numbers(11)) })
    .batch(4)
    .inParts(2);
  const rows = (elements: readonly { readonly x: Tensor }[]) => elements.map(({ x }) => x.toNumbers());

  it("have as many rows as can be, the last ones too", async () => {
    expect(batches.length).toBe(6);
    expect(rows(await all(batches))).toEqual([[0, 1], [2, 3], [4, 5], [6, 7], [8], [9, 10]]);
  });

  it("can be read from any part on", async () => {
    const whole = rows(await all(batches));
    for (const skip of numbers(6))
      expect(rows(await all(batches, 0, { skip })), `skip ${skip}`).toEqual(whole.slice(skip));
  });

  it("are one of each sample where there are fewer", async () => {
    const few = fromTensors({ x: tensor(numbers(5)) })
      .batch(3)
      .inParts(3);
    expect(rows(await all(few))).toEqual([[0], [1], [2], [3], [4]]);
    expect(() => batches.inParts(0)).toThrow(OptionError);
  });
});

describe("split", () => {
  it("divides without loss or repetition, the same way each time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 60 }),
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        fc.option(fc.nat()),
        async (n, fraction, seed) => {
          const border = Math.round(n * fraction);
          fc.pre(border > 0 && border < n);
          const splitKey = seed === null ? undefined : keyOf(seed);
          const parts = await Promise.all(
            kinds
              .indexed(n)
              .split(fraction, splitKey)
              .map((part) => all(part, 1)),
          );
          const again = await Promise.all(
            kinds
              .indexed(n)
              .split(fraction, splitKey)
              .map((part) => all(part, 2)),
          );
          expect(parts).toEqual(again);
          expect(parts[0]?.length).toBe(border);
          expect(parts.flat().sort((a, b) => a - b)).toEqual(numbers(n));
          if (splitKey === undefined) expect(parts.flat()).toEqual(numbers(n));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("splits streams in order, and reports what it cannot do", async () => {
    const [first, rest] = kinds.stream(10).split(0.3);
    expect([await all(first), await all(rest)]).toEqual([
      [0, 1, 2],
      [3, 4, 5, 6, 7, 8, 9],
    ]);
    expect(() => kinds.stream(10).split(0.3, key)).toThrow(/leave the key out/);
    expect(() => kinds["stream of unknown length"](10).split(0.3)).toThrow(/take\(n\) and skip\(n\)/);
    expect(() => kinds.indexed(3).split(0.01)).toThrow(/parts of 0 and 3/);
    expect(() => kinds.indexed(3).split(1)).toThrow(OptionError);
  });
});

it("select gives the elements with some numbers, in that order, also in batches", async () => {
  const data = fromTensors({ x: tensor([[0], [1], [2], [3]]), y: tensor([0, 10, 20, 30]) });
  const own = data.select(Uint32Array.of(3, 1, 1));
  expect(own.length).toBe(3);
  expect((await collect(own)).y.toNumbers()).toEqual([30, 10, 10]);
  for await (const { x } of own.batch(3).epoch(2)) expect(x.toArray()).toEqual([[3], [1], [1]]);
  expect(() => data.select(Uint32Array.of(0, 4))).toThrow(
    "select(): the dataset has no element 4; it has 4, numbered from 0",
  );
  expect(() => data.select(new Uint32Array())).toThrow(DataError);
  expect(() => data.filter(() => true).select(Uint32Array.of(0))).toThrow("the elements of a stream have no numbers");
});

describe("bad input", () => {
  it("reports an empty dataset, however it comes about", async () => {
    const empty = new Tensor("float32", [0, 2], new Float32Array(0));
    expect(() => fromTensors({ x: empty })).toThrow(
      "fromTensors(): the tensors have 0 rows, expected at least one; a dataset cannot be empty",
    );
    expect(() => fromTensors({})).toThrow(DataError);
    expect(() => fromIndexed(0, (i) => i)).toThrow(DataError);
    expect(() => fromIterable(() => [], { length: 0 })).toThrow(DataError);
    expect(() => kinds.indexed(3).skip(3)).toThrow(DataError);
    await expect(all(fromIterable(() => []))).rejects.toThrow(DataError);
    await expect(all(kinds.indexed(3).filter(() => false))).rejects.toThrow("filter(): no element was kept");
    expect(() => kinds.indexed(3).take(0)).toThrow(OptionError);
  });

  it("reports tensors that disagree", () => {
    expect(() => fromTensors({ x: tensor([[1], [2]]), y: tensor([1]) })).toThrow('"y" has 1 rows, "x" has 2');
    expect(() => fromTensors({ x: tensor(1) })).toThrow('"x" is a scalar');
  });

  it("reports epochs and places that are no whole numbers", () => {
    expect(() => kinds.indexed(3).epoch(-1)).toThrow(OptionError);
    expect(() => kinds.indexed(3).epoch(0, { skip: 0.5 })).toThrow("epoch: skip is 0.5; pass a whole number from 0");
    expect(() => kinds.indexed(3).epoch(0, { stride: 0 })).toThrow(OptionError);
  });

  it("passes errors of map on when their turn comes, also through prefetch", async () => {
    const failing = (d: Dataset<number>) =>
      d.map(async (n) => {
        if (n === 3) throw new DataError("three");
        return n;
      });
    for (const make of Object.values(kinds)) {
      const seen: number[] = [];
      const read = async () => {
        for await (const n of failing(make(6)).prefetch(4).epoch(0)) seen.push(n);
      };
      await expect(read()).rejects.toThrow("three");
      expect(seen).toEqual([0, 1, 2]);
    }
  });
});

it("prefetch overlaps the making of elements of an indexed source, in order", async () => {
  let running = 0;
  let most = 0;
  const slow = fromIndexed(12, async (i) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, i % 2 ? 1 : 4));
    running--;
    return i;
  });
  expect(await all(slow.prefetch(4))).toEqual(numbers(12));
  expect(most).toBe(5); // four ahead of the one that is waited for
});

it("collect gives the whole dataset as one batch", async () => {
  expect((await collect(table(3).shuffle(key).take(2))).y.shape).toEqual([2]);
  await expect(collect(rowStream(3))).rejects.toThrow(/take\(n\)/);
});

it("a bootstrap sample draws with replacement, the same in every epoch", async () => {
  const numbers = fromIndexed(1000, (i) => i).bootstrap(keyOf(3));
  const read = async (epoch: number) => {
    const found: number[] = [];
    for await (const element of numbers.epoch(epoch)) found.push(element);
    return found;
  };
  const drawn = await read(0);
  expect(drawn).toEqual(await read(1));
  // 1 - 1/e of the elements are drawn at least once; the deviation for 1,000 is 0.010.
  expect(new Set(drawn).size / 1000).toBeCloseTo(1 - 1 / Math.E, 1);
  expect(() => fromIterable(() => [1]).bootstrap(keyOf(0))).toThrow("bootstrap(): the dataset is a stream");
});
