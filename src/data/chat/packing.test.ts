/** Packing: every token once, every learned token a label once, nothing across a border; and rows by hand. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { DataError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { jit } from "../../jit/jit.ts";
import { crossEntropy } from "../../nn/losses/losses.ts";
import { bucketed } from "../pipeline/buckets.ts";
import { ignoredLabel } from "../text/masking.ts";
import type { ChatExample } from "./chat-examples.ts";
import { packExamples, padExamples } from "./packing.ts";

/** Ids from 1000 times the example's number on, so that each is of one example. */
const example = (number: number, marks: readonly number[]): ChatExample => ({
  ids: Int32Array.from(marks, (_, i) => 1000 * (number + 1) + i),
  learned: Uint8Array.from(marks, (mark, i) => (i === 0 ? 0 : mark)),
});

const i = ignoredLabel;

test("two examples in a row, by hand", () => {
  const { all, members, padding } = packExamples(
    [example(0, [0, 1]), example(1, [0, 0, 1, 1]), example(2, [0, 1, 1])],
    {
      length: 7,
      padding: 5,
    },
  );
  // Longest first: 4 and 3 fill a row, 2 needs another.
  expect(members).toEqual([[1, 2], [0]]);
  expect([...all.tensors.x.data]).toEqual([2000, 2001, 2002, 2003, 3000, 3001, 3002, 1000, 1001, 5, 5, 5, 5, 5]);
  expect([...all.tensors.y.data]).toEqual([i, 2002, 2003, i, 3001, 3002, i, 1001, i, i, i, i, i, i]);
  expect([...all.tensors.positions.data]).toEqual([0, 1, 2, 3, 0, 1, 2, 0, 1, 0, 0, 0, 0, 0]);
  expect([...all.tensors.segments.data]).toEqual([1, 1, 1, 1, 2, 2, 2, 1, 1, 0, 0, 0, 0, 0]);
  expect(padding).toBeCloseTo(5 / 14, 12);
});

test("the best row is the one with the least room left", () => {
  const of = (...lengths: number[]) =>
    packExamples(
      lengths.map((length, number) => example(number, Array(length).fill(1))),
      { length: 10 },
    ).members;
  expect(of(3, 8, 7, 2)).toEqual([
    [1, 3],
    [2, 0],
  ]);
  expect(of(5, 5, 5, 5)).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect(of(10)).toEqual([[0]]);
});

const marks = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 12 });

test("every token appears once, every learned token is a label once, none crosses a border", () => {
  fc.assert(
    fc.property(fc.array(marks, { minLength: 1, maxLength: 20 }), fc.integer({ min: 12, max: 30 }), (lists, length) => {
      const examples = lists.map((list, number) => example(number, list));
      const { all, members, padding } = packExamples(examples, { length });
      const { x, y, positions, segments } = all.tensors;
      const tokens = [...x.data].filter((_, at) => segments.data[at] !== 0);
      expect(tokens.toSorted((a, b) => a - b)).toEqual(examples.flatMap(({ ids }) => [...ids]));
      const labels = [...y.data].filter((label) => label !== ignoredLabel);
      expect(labels.toSorted((a, b) => a - b)).toEqual(
        examples.flatMap(({ ids, learned }) => [...ids].filter((_, at) => learned[at] === 1)),
      );
      for (const [at, label] of y.data.entries()) {
        const token = x.data[at] ?? 0;
        if (label !== ignoredLabel)
          expect([label, x.data[at + 1], segments.data[at + 1]]).toEqual([token + 1, label, segments.data[at]]);
        expect(positions.data[at]).toBe(segments.data[at] === 0 ? 0 : token % 1000);
      }
      expect(members.flat().toSorted((a, b) => a - b)).toEqual(examples.map((_, number) => number));
      expect(padding).toBeCloseTo(1 - tokens.length / x.data.length, 12);
      // A row more than half empty cannot be joined with another such one; best fit leaves one at most.
      const halfEmpty = members.filter(
        (own) => own.reduce((sum, at) => sum + (examples[at]?.ids.length ?? 0), 0) <= length / 2,
      );
      expect(halfEmpty.length).toBeLessThanOrEqual(1);
      expect(packExamples(examples, { length }).members).toEqual(members);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("padded: one example a row, with a mask; and as batches by length", async () => {
  const examples = [example(0, [0, 1]), example(1, [0, 0, 1])];
  const { x, y, mask } = padExamples(examples, 4, 5);
  expect([...x.data]).toEqual([1000, 1001, 5, 5, 2000, 2001, 2002, 5]);
  expect([...y.data]).toEqual([1001, i, i, i, i, 2002, i, i]);
  expect([...mask.data]).toEqual([1, 1, 0, 0, 1, 1, 1, 0]);
  const batches = bucketed(examples, {
    size: 1,
    widths: [2, 8],
    lengthOf: ({ ids }) => ids.length,
    collate: padExamples,
    key: keyOf(1),
  });
  const widths: number[] = [];
  for await (const batch of batches.epoch(0)) widths.push(batch.x.shape[1] ?? 0);
  expect(widths.toSorted((a, b) => a - b)).toEqual([2, 8]);
});

test("crossEntropy counts the learned tokens and nothing else, packed and padded alike", async () => {
  const examples = [
    { ids: Int32Array.of(3, 1, 2), learned: Uint8Array.of(0, 0, 1) },
    { ids: Int32Array.of(0, 2), learned: Uint8Array.of(0, 1) },
    { ids: Int32Array.of(1, 3, 0, 1), learned: Uint8Array.of(0, 1, 0, 1) },
  ];
  // Logits of a bigram model: of the token alone, so that packing must not change them.
  const logit = (token: number, next: number) => ((token * 7 + next * 5) % 11) / 4;
  const lossOf = async ({ x, y }: { readonly x: Tensor<"int32">; readonly y: Tensor<"int32"> }) => {
    const logits = Float32Array.from([...x.data].flatMap((token) => [0, 1, 2, 3].map((next) => logit(token, next))));
    const loss = jit((output: Value, target: Value) => crossEntropy({ ignoreIndex: ignoredLabel })(output, target));
    return (await loss(new Tensor("float32", [...x.shape, 4], logits), y)).item();
  };
  const nats = ([token, next]: readonly number[]) =>
    Math.log([0, 1, 2, 3].reduce((sum, other) => sum + Math.exp(logit(token ?? 0, other)), 0)) -
    logit(token ?? 0, next ?? 0);
  const learned = [
    [1, 2],
    [0, 2],
    [1, 3],
    [0, 1],
  ];
  const expected = learned.reduce((sum, pair) => sum + nats(pair), 0) / learned.length;
  expect(await lossOf(packExamples(examples, { length: 6 }).all.tensors)).toBeCloseTo(expected, 5);
  expect(await lossOf(padExamples(examples, 5))).toBeCloseTo(expected, 5);
});

test("ten thousand examples in rows of 4,096 take a moment", () => {
  const examples = Array.from({ length: 10_000 }, (_, number) =>
    example(0, Array(1 + ((number * 7919) % 1500)).fill(1)),
  );
  const { padding, members } = packExamples(examples, { length: 4096 });
  expect(members.flat()).toHaveLength(10_000);
  expect(padding).toBeLessThan(0.01);
});

test("what does not fit is an error", () => {
  const long = example(0, [0, 1, 1]);
  expect(() => packExamples([example(1, [0, 1]), long], { length: 2 })).toThrow(
    'packExamples: examples[1] has 3 tokens, a row has 2; raise the length, or leave it out with tooLong: "drop"',
  );
  expect(() => padExamples([long], 2)).toThrow("padExamples: examples[0] has 3 tokens");
  expect(() => packExamples([], { length: 2 })).toThrow(DataError);
  expect(() => padExamples([{ ids: long.ids, learned: new Uint8Array(2) }], 4)).toThrow("has 3 ids and 2 marks");
});
