/** Distillation of sequences: what a teacher writes is what it finds likeliest, and a student learns it without references. */
import { beforeAll, expect, test } from "vitest";
import { DataError, OptionError, ShapeError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { bucketed, fromTensors, padRows } from "../../data/index.ts";
import { beginId, endId, paddingId } from "../../data/text/vocabulary.ts";
import { translator } from "../../decode/translator.ts";
import { gpt2Architectures } from "../../models/index.ts";
import { RecurrentTranslator } from "../../models/text/translators/recurrent-translator.ts";
import { type AnyModule, against, crossEntropy, dense } from "../../nn/index.ts";
import { adam, evaluate, fit, predict } from "../../train/index.ts";
import { distillation, softTargets, teacherTexts, teacherTranslations } from "./index.ts";

const random = new Random(keyOf(3));
const int32 = (...shape: number[]) => ({ dtype: "int32", shape }) as const;
const translatorOf = (width: number, seed: number) => {
  const model = new RecurrentTranslator({ vocabulary: 11, width, attention: "dot" });
  model.trace({ x: int32(1, 3), decoder: int32(1, 2), mask: int32(1, 3) });
  model.initialize(keyOf(seed));
  return model;
};
const teacher = translatorOf(8, 4);
const sources = Array.from({ length: 40 }, () =>
  Array.from({ length: 1 + random.integer(4) }, () => 4 + random.integer(7)),
);

beforeAll(() => {
  // Larger scores, so that one token is clearly the likeliest; and an end that comes.
  for (const { value } of teacher.parameters().values()) {
    const weights = value?.data as Float32Array;
    weights.set(weights.map((weight) => 3 * weight));
  }
});

test("translations are those of a beam search; what did not end is left out", async () => {
  const options = { widths: [4], batch: 8, beam: 2, longest: () => 6 };
  const written = await translator(teacher, options)(sources);
  const { pairs, leftOut } = await teacherTranslations(teacher, sources, options);
  const ended = written.flatMap(({ ids }, i) => (ids.at(-1) === endId ? [{ source: sources[i], target: ids }] : []));
  expect(pairs).toEqual(ended);
  expect(leftOut).toBe(sources.length - ended.length);
  expect([ended.length > 10, leftOut > 0]).toEqual([true, true]);
});

test("a student of half the width learns to write what the teacher writes, without references", async () => {
  const { pairs } = await teacherTranslations(teacher, sources, { beam: 1, longest: () => 6 });
  const train = bucketed(pairs, {
    size: 20,
    widths: [6],
    lengthOf: ({ source, target }) => Math.max(source.length, target.length),
    collate: (members, width) => {
      const x = padRows(
        members.map(({ source }) => source),
        width,
      );
      const y = padRows(
        members.map(({ target }) => target),
        width,
      );
      const decoder = padRows(
        members.map(({ target }) => [beginId, ...target.slice(0, -1)]),
        width,
      );
      return {
        x,
        y,
        decoder,
        mask: new Tensor(
          "int32",
          x.shape,
          Int32Array.from(x.data as Int32Array, (id) => Number(id !== paddingId)),
        ),
      };
    },
    key: keyOf(1),
  });
  const student = translatorOf(4, 5);
  await fit(student, train, {
    loss: crossEntropy({ ignoreIndex: paddingId }),
    optimizer: adam({ learningRate: 0.02 }),
    epochs: 120,
  });
  const own = await translator(student, { widths: [6], batch: 8, beam: 1, longest: () => 6 })(
    pairs.map(({ source }) => source),
  );
  const alike = own.filter(({ ids }, i) => ids.join() === pairs[i]?.target.join()).length;
  expect(alike / pairs.length).toBeGreaterThan(0.8);
});

const gpt = (): AnyModule => {
  const model = gpt2Architectures.GPT2LMHeadModel({
    sizes: { vocabulary: 12, positions: 16, width: 16, layers: 1, heads: 2, feedForward: 32 },
    details: {},
    embeddingDropout: 0,
  });
  model.initialize(keyOf(4), int32(1, 8));
  for (const { value } of model.parameters().values()) {
    const weights = value?.data as Float32Array;
    weights.set(weights.map((weight) => 4 * weight));
  }
  return model;
};

test("texts are the likeliest tokens, one after the other; with an end only those that ended", async () => {
  const model = gpt();
  const prompts = [[1, 2], [5, 6, 7], [9]];
  const greedy = { longest: 5, temperature: 0, random };
  const { pairs } = await teacherTexts(model, prompts, greedy);
  const { data, shape } = (await predict(
    model,
    padRows([[1, 2, ...(pairs[0]?.target ?? [])]], 7) as never,
  )) as unknown as Tensor;
  const likeliest = Array.from({ length: 5 }, (_, i) => {
    const row = [...(data as Float32Array).subarray((1 + i) * (shape[2] ?? 0), (2 + i) * (shape[2] ?? 0))];
    return row.indexOf(Math.max(...row));
  });
  expect(pairs[0]).toEqual({ source: [1, 2], target: likeliest });
  expect(pairs.map(({ target }) => target.length)).toEqual([5, 5, 5]);
  const end = pairs[0]?.target[2] ?? 0;
  const ended = await teacherTexts(model, prompts, { ...greedy, end });
  for (const { target } of ended.pairs) expect(target.indexOf(end)).toBe(target.length - 1);
  expect(ended.pairs.length + ended.leftOut).toBe(3);
  const drawn = await teacherTexts(model, [[1], [1]], { longest: 8, temperature: 5, random: new Random(keyOf(1)) });
  expect(drawn.pairs[0]?.target).not.toEqual(drawn.pairs[1]?.target);
});

test("rows whose label is padding do not count for the teacher's scores", async () => {
  const scores = (rows: number) =>
    new Tensor(
      "float32",
      [1, rows, 3],
      Float32Array.from({ length: 3 * rows }, (_, i) => Math.sin(i * i)),
    );
  const y = (...labels: number[]) => new Tensor("int32", [1, labels.length], Int32Array.from(labels));
  const x = (rows: number) =>
    new Tensor(
      "float32",
      [1, rows, 2],
      Float32Array.from({ length: 2 * rows }, (_, i) => i),
    );
  const student = dense(3);
  student.initialize(keyOf(1), { dtype: "float32", shape: [1, 1, 2] });
  const softOf = async (rows: number, labels: Tensor, loss = crossEntropy({ ignoreIndex: 0 })) => {
    const objective = distillation(student, { teacher: "teacher", labels: loss, share: 0.5 });
    const data = fromTensors({ x: x(rows), y: labels, teacher: scores(rows) }).batch(1);
    return Number((await evaluate(student, data, { objective })).results["soft"]);
  };
  const [padded, alone] = [await softOf(4, y(1, 2, 0, 0)), await softOf(2, y(1, 2))];
  expect(padded).toBeCloseTo(alone, 6);
  expect(await softOf(4, y(1, 2, 0, 0), crossEntropy())).not.toBeCloseTo(alone, 2);
  const flat = new Tensor("int32", [1, 4, 1], new Int32Array(4));
  await expect(softOf(4, flat)).rejects.toThrow(ShapeError);
  // Terms keep the shape of the labels, so that samples can be weighted.
  const data = fromTensors({ x: x(2), teacher: scores(2), weight: new Tensor("float32", [1], Float32Array.of(2)) });
  const loss = against("teacher", softTargets());
  const { results } = await evaluate(student, data.batch(1), { loss });
  const { results: unweighted } = await evaluate(student, fromTensors({ x: x(2), teacher: scores(2) }).batch(1), {
    loss,
  });
  expect(results["loss"]).toBeCloseTo(unweighted["loss"] ?? Number.NaN, 6);
});

test("what a teacher cannot write is refused", async () => {
  await expect(teacherTranslations(teacher, [[4], []])).rejects.toThrow(DataError);
  await expect(teacherTranslations(teacher, [[4, 5, 6]], { widths: [2] })).rejects.toThrow(
    "a source has 3 tokens; pass 1 to 2",
  );
  const { pairs } = await teacherTranslations(teacher, sources, { beam: 1, longest: () => 6 });
  const long = pairs.filter(({ target }) => target.length > 1).map(({ source }) => source);
  await expect(teacherTranslations(teacher, long, { longest: () => 1, beam: 1 })).rejects.toThrow(
    /none of \d+ sequences.*pass a larger `longest`/,
  );
  await expect(teacherTexts(gpt(), [[1], []], { longest: 4, random })).rejects.toThrow(/prompt 1 has no tokens/);
  await expect(teacherTexts(gpt(), [[1]], { longest: 40, random })).rejects.toThrow(/16/);
  await expect(teacherTexts(gpt(), [[1]], {} as never)).rejects.toThrow(OptionError);
});
