/** Decoding: what is written is what the whole model finds likeliest, in batches as alone; its attention is a distribution. */
import { beforeAll, describe, expect, test } from "vitest";
import { DataError } from "../core/errors.ts";
import { keyOf } from "../core/random.ts";
import { padRows } from "../data/pipeline/buckets.ts";
import { beginId, endId } from "../data/text/vocabulary.ts";
import { compile } from "../jit/compile.ts";
import type { EncoderDecoder } from "../models/text/translators/encoder-decoder.ts";
import { RecurrentTranslator } from "../models/text/translators/recurrent-translator.ts";
import { Transformer } from "../models/text/translators/transformer.ts";
import { builtIn } from "../nn/parameter-inputs.ts";
import { attentionWeights, translator } from "./translator.ts";

const sizes = { vocabulary: 11, width: 8 };
const models: readonly (readonly [string, EncoderDecoder])[] = [
  ["additive", new RecurrentTranslator({ ...sizes, attention: "additive" })],
  ["dot", new RecurrentTranslator({ ...sizes, attention: "dot" })],
  ["transformer", new Transformer({ ...sizes, layers: 1, heads: 2, feedForward: 8 })],
];
const int32 = (...shape: number[]) => ({ dtype: "int32", shape }) as const;
const source = [5, 9, 4];

describe.each(models)("%s", (_, model) => {
  beforeAll(() => {
    model.trace({ x: int32(1, 3), decoder: int32(1, 2), mask: int32(1, 3) });
    model.initialize(keyOf(4));
    // Larger scores, so that one token is clearly the likeliest.
    for (const { value } of model.parameters().values()) {
      const weights = value?.data as Float32Array;
      weights.set(weights.map((weight) => 3 * weight));
    }
  });

  test("a beam of 1 takes the token that the whole model finds likeliest, each time", async () => {
    const length = 6;
    const { inputs, output } = model.trace({ x: int32(1, 3), decoder: int32(1, length) }, { bind: builtIn });
    const whole = await compile(inputs, [output]);
    const written: number[] = [beginId];
    while (written.length < length && written.at(-1) !== endId) {
      const [scores] = await whole.run([padRows([source], 3), padRows([written], length)]);
      const row = scores?.data.subarray((written.length - 1) * 11, written.length * 11) as Float32Array;
      // Padding, unknown words and beginnings are never written.
      written.push(row.reduce<number>((best, score, id) => (id > 2 && score > (row[best] ?? 0) ? id : best), endId));
    }
    const write = translator(model, { widths: [5], batch: 1, beam: 1, longest: () => length - 1 });
    expect((await write([source]))[0]?.ids).toEqual(written.slice(1));
  });

  test("sources are written in batches as alone, however wide they are", async () => {
    const options = { beam: 3, longest: () => 7 };
    const sources = [source, [4, 4, 6, 7, 8], [10], [8, 7]];
    const together = await translator(model, { ...options, widths: [3, 6], batch: 3 })(sources);
    for (const [i, own] of sources.entries()) {
      const [alone] = await translator(model, { ...options, widths: [8], batch: 1 })([own]);
      expect(together[i]?.ids).toEqual(alone?.ids);
      expect(together[i]?.score).toBeCloseTo(alone?.score ?? 0, 4);
    }
  });

  test("attention sums to 1 for each token", async () => {
    const weights = await attentionWeights(model, source, [7, 8, endId]);
    expect(weights.shape).toEqual([3, 3]);
    for (const row of weights.toArray() as number[][])
      expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
  });
});

test("a source that does not fit is refused", async () => {
  const [[, model] = []] = models;
  const write = translator(model as EncoderDecoder, { widths: [2], batch: 1, beam: 1 });
  await expect(write([[4, 5, 6]])).rejects.toThrow(DataError);
  await expect(write([[]])).rejects.toThrow("a source has 0 tokens; pass 1 to 2");
});
