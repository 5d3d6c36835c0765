/** TCAV: directions and shares of a network whose units are concepts, chance that says so, Welch's test beside SciPy, and what is refused. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { Value } from "../../graph/ir.ts";
import { dense, sequential } from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import { messageOf } from "../testing/recorded.ts";
import { conceptVector } from "./concept-vectors.ts";
import { tcav } from "./tcav.ts";
import { welchProbability } from "./welch.ts";

test("Welch's test has SciPy's probabilities", () => {
  // scipy.stats.ttest_ind(a, b, equal_var=False).pvalue
  expect(welchProbability([1, 2, 3, 4], [2, 4, 6, 8])).toBeCloseTo(0.15158050484530383, 10);
  expect(welchProbability([0.9, 1, 1, 0.95], [0.1, 0.5, 0.9, 0.4])).toBeCloseTo(0.05845999970930435, 10);
  expect(welchProbability([1, 1], [1, 1])).toBe(1);
  expect(welchProbability([1, 1], [0, 0])).toBe(0);
  expect(welchProbability([1, 2], [1, 2])).toBeCloseTo(1, 12);
});

test("a concept's direction is that in which its examples lie", () => {
  const random = new Random(keyOf(1));
  const rows = (shift: number) =>
    Array.from({ length: 40 }, () => random.normals(5).map((z, i) => z + (i === 2 ? shift : 0)));
  const { vector, accuracy } = conceptVector(rows(6), rows(0), random);
  expect(vector[2]).toBeGreaterThan(0.9);
  expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  expect(accuracy).toBeGreaterThan(0.9);
});

describe("tcav", () => {
  /** The hidden units are the inputs; class 1 is 3 h1 - 2 h2 + tanh(h3) · 0. */
  function network() {
    const model = sequential([dense(4), dense(2)]);
    model.trace({ dtype: "float32", shape: [1, 4] });
    const values: Readonly<Record<string, Tensor>> = {
      "layers.0.weight": tensor([
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
      ]),
      "layers.0.bias": tensor([0, 0, 0, 0]),
      "layers.1.weight": tensor([
        [0, 0, 0, 0],
        [3, -2, 0, 0],
      ]),
      "layers.1.bias": tensor([0, 0]),
    };
    for (const [path, parameter] of model.parameters()) parameter.value = values[path] as Tensor;
    return model;
  }
  const examples = (count: number, key: number, shift: readonly number[] = []) =>
    new Tensor(
      "float32",
      [count, 4],
      new Random(keyOf(key)).normals(4 * count).map((z, i) => z + (shift[i % 4] ?? 0)),
    );
  const random = examples(120, 1);
  const samples = examples(12, 2);
  const options = { layer: "layers.0", target: 1 } as const;

  test.each(["module", "file"])("shows what speaks for a class and against it, of a %s", async (form) => {
    const model = form === "file" ? modelFromOnnx(encodeOnnx(network()).bytes) : network();
    const found = await tcav(model, { concept: examples(40, 3, [5, 0, 0, 0]), random, samples }, options);
    expect(found.concept.mean).toBe(1);
    expect([found.significant, found.notes]).toEqual([true, []]);
    expect(found.accuracy).toBeGreaterThan(0.9);
    const against = await tcav(model, { concept: examples(40, 4, [0, 5, 0, 0]), random, samples }, options);
    expect([against.concept.mean, against.significant]).toEqual([0, true]);
  });

  test("says of a concept that is none that it is not significant", async () => {
    const found = await tcav(network(), { concept: examples(40, 5), random, samples }, { ...options, key: keyOf(3) });
    const told = await tcav(
      network(),
      { concept: examples(40, 5, [0, 0, 0, 5]), random, samples },
      { ...options, level: 1e-9 },
    );
    expect(found.notes.at(-1)).toMatch(
      /^the layer hardly tells the concept from random examples: \d+ % of those kept aside/,
    );
    expect(told.significant).toBe(false);
    expect(told.notes[0]).toMatch(/^the concept is not significant: random examples do as much with probability/);
    expect(told.accuracy).toBeGreaterThan(0.9);
  });

  test("draws by the key, in any chunks, and takes a function", async () => {
    const data = { concept: examples(20, 5), random, samples };
    const first = await tcav(network(), data, { ...options, runs: 6 });
    expect(await tcav(network(), data, { ...options, runs: 6, chunk: 5 })).toEqual(first);
    expect((await tcav(network(), data, { ...options, runs: 6, key: keyOf(9) })).accuracy).not.toBe(first.accuracy);
    const target = (scores: Value) => ops.neg(ops.slice(scores, { axis: 1, start: 1, end: 2 }));
    const opposite = await tcav(
      network(),
      { ...data, concept: examples(40, 3, [5, 0, 0, 0]) },
      { layer: "layers.0", target },
    );
    expect(opposite.concept.mean).toBe(0);
  });

  test("refuses layers, classes and examples that do not fit", async () => {
    const data = { concept: examples(20, 5), random, samples };
    const bad = (own: object, given: object = {}) =>
      messageOf(tcav(network(), { ...data, ...given }, { ...options, ...own } as never));
    expect(await bad({ layer: "layers.9" })).toBe(
      'OptionError: tcav: there is no such layer "layers.9"; did you mean "layers.0"? there are layers.0, layers.1, layers',
    );
    expect(await bad({ target: "largest" })).toMatch(/a concept is held against one class; name it/);
    expect(await bad({ target: 7 })).toMatch(/there is no class 7 in scores of 2/);
    expect(await bad({}, { concept: examples(2, 1) })).toBe("DataError: tcav: concept has 2 examples; pass 4 at least");
    expect(await bad({}, { random: tensor(new Array(30).fill([1, 2])) })).toBe(
      "ShapeError: tcav: random is float32[30, 2], samples float32[12, 4]; pass examples of one kind",
    );
    expect(await bad({}, { samples: undefined })).toMatch(/samples is a undefined; pass a tensor/);
    expect(await bad({ runs: 1 })).toMatch(/runs is 1; pass a whole number from 2/);
  });
});
