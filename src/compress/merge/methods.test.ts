/** Each method of merging against values worked by hand on tiny tensors, and by what must hold of it. */
import { describe, expect, test } from "vitest";
import { float16Bits } from "../../core/half.ts";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import {
  average,
  dare,
  fisher,
  greedySoup,
  type MergeMethod,
  mergeTensors,
  slerp,
  type TensorsByPath,
  taskArithmetic,
  ties,
} from "./index.ts";
import { trimmed } from "./ties.ts";

const model = (...w: readonly number[]): TensorsByPath => ({ w: tensor(w) });
const numbersOf = (merged: TensorsByPath): readonly number[] => merged["w"]?.toNumbers() ?? [];

/** Merges vectors, with a base where there is one. */
const merged = (method: MergeMethod, vectors: readonly (readonly number[])[], base?: readonly number[]) =>
  numbersOf(
    mergeTensors(
      vectors.map((own) => model(...own)),
      method,
      base && { base: model(...base) },
    ),
  );

const random = new Random(keyOf(3));
const drawn = (length: number) => Array.from(random.normals(length));

// By hand: all expected numbers of this block.
describe("values worked by hand", () => {
  test("average", () => {
    expect(
      merged(average(), [
        [1, 2],
        [3, -2],
      ]),
    ).toEqual([2, 0]);
    // (3·1 + 1·3) / 4, (3·2 + 1·(−2)) / 4.
    expect(
      merged(average({ weights: [3, 1] }), [
        [1, 2],
        [3, -2],
      ]),
    ).toEqual([1.5, 1]);
    expect(
      merged(average({ weights: [3, 1], normalize: false }), [
        [1, 2],
        [3, -2],
      ]),
    ).toEqual([6, 4]);
  });

  test("slerp", () => {
    // A right angle: half of the way is cos 45° of each; a third sin 60° and sin 30°.
    const half = Math.SQRT1_2;
    for (const [i, value] of merged(slerp(), [
      [1, 0],
      [0, 1],
    ]).entries())
      expect(value).toBeCloseTo([half, half][i] ?? 0, 6);
    const third = merged(slerp({ t: 1 / 3 }), [
      [1, 0],
      [0, 1],
    ]);
    expect(third[0]).toBeCloseTo(Math.sqrt(3) / 2, 6);
    expect(third[1]).toBeCloseTo(0.5, 6);
    // Parallel, opposite and zero vectors: linear.
    expect(
      merged(slerp({ t: 0.25 }), [
        [2, 4],
        [4, 8],
      ]),
    ).toEqual([2.5, 5]);
    expect(
      merged(slerp({ t: 0.25 }), [
        [2, 4],
        [-2, -4],
      ]),
    ).toEqual([1, 2]);
    expect(
      merged(slerp({ t: 0.25 }), [
        [0, 0],
        [4, 8],
      ]),
    ).toEqual([1, 2]);
  });

  test("task arithmetic", () => {
    // Task vectors [1, 0], [0, −2] on the base [1, 1].
    expect(
      merged(
        taskArithmetic(),
        [
          [2, 1],
          [1, -1],
        ],
        [1, 1],
      ),
    ).toEqual([2, -1]);
    expect(
      merged(
        taskArithmetic({ weights: [0.5, -1] }),
        [
          [2, 1],
          [1, -1],
        ],
        [1, 1],
      ),
    ).toEqual([1.5, 3]);
    expect(
      merged(
        taskArithmetic({ weights: [3, 1], normalize: true }),
        [
          [2, 1],
          [1, -1],
        ],
        [1, 1],
      ),
    ).toEqual([1.75, 0.5]);
  });

  test("ties", () => {
    // Task vectors [4, −3, 1, 0] and [2, 5, −1, 3]; of density 1/2: [4, −3, 0, 0] and [0, 5, 0, 3]. Signs of the sums: +, +, 0, +.
    const vectors = [
      [4, -3, 1, 0],
      [2, 5, -1, 3],
    ];
    expect(merged(ties({ density: 0.5 }), vectors, [0, 0, 0, 0])).toEqual([4, 5, 0, 3]);
    // Density 1: sums 6, 2, 0, 3; those of one sign: (4 + 2) / 2, 5, none, 3.
    expect(merged(ties({ density: 1 }), vectors, [0, 0, 0, 0])).toEqual([3, 5, 0, 3]);
    expect(merged(ties({ density: 1, normalize: false }), vectors, [0, 0, 0, 0])).toEqual([6, 5, 0, 3]);
    // Task vectors [−6, −13, −9, −10] and [−8, −5, −11, −7] of the base 10: means −7, −9, −10, −8.5, half of which is added.
    expect(merged(ties({ density: 1, scale: 0.5 }), vectors, [10, 10, 10, 10])).toEqual([6.5, 5.5, 5, 5.75]);
    // Weights 2 and 1 elect 2·4 + 2, 2·(−3) + 5 < 0, 2 − 1 > 0, 3: means (8 + 2) / 3, −3, 1, 3.
    const weighted = merged(ties({ density: 1, weights: [2, 1] }), vectors, [0, 0, 0, 0]);
    expect(weighted[0]).toBeCloseTo(10 / 3, 6);
    expect(weighted.slice(1)).toEqual([-3, 1, 3]);
    // A density for each: [4, 0, 0, 0] and all of the second.
    expect(merged(ties({ density: [0.25, 1] }), vectors, [0, 0, 0, 0])).toEqual([3, 5, -1, 3]);
  });

  test("trimming keeps the largest in size, and of equal ones the first", () => {
    expect([...trimmed(Float32Array.of(1, -3, 2, -2, 0.5), 0.4)]).toEqual([0, -3, 2, 0, 0]);
    expect([...trimmed(Float32Array.of(1, 1, -1, 1), 0.5)]).toEqual([1, 1, 0, 0]);
    expect([...trimmed(Float32Array.of(0, 0, 0), 0.3)]).toEqual([0, 0, 0]);
  });

  test("fisher", () => {
    const information = [model(3, 0, 1), model(1, 2, 0)];
    // (3·1 + 1·5) / 4; where one knows nothing, the other's but for the floor of 1e-6.
    const result = merged(fisher({ information }), [
      [1, 1, 1],
      [5, 5, 5],
    ]);
    expect(result[0]).toBeCloseTo(2, 6);
    expect(result[1]).toBeCloseTo(5, 4);
    expect(result[2]).toBeCloseTo(1, 4);
    // (2·3·1 + 1·1·5) / 7.
    expect(
      merged(fisher({ information, weights: [2, 1] }), [
        [1, 1, 1],
        [5, 5, 5],
      ])[0],
    ).toBeCloseTo(11 / 7, 6);
    // Of what no model has information, the mean.
    expect(merged(fisher({ information: [{}, {}] }), [[1], [5]])).toEqual([3]);
  });
});

describe("what must hold", () => {
  const [a, b, base] = [drawn(400), drawn(400), drawn(400)] as [number[], number[], number[]];
  const near = (got: readonly number[], wanted: readonly number[], tolerance = 1e-5) =>
    expect(Math.max(...got.map((value, i) => Math.abs(value - (wanted[i] ?? Number.NaN))))).toBeLessThan(tolerance);

  test.each([
    ["average", average(), undefined],
    ["weighted average", average({ weights: [5, 0.3] }), undefined],
    ["slerp", slerp({ t: 0.3 }), undefined],
    ["task arithmetic of weights that sum to 1", taskArithmetic({ weights: [0.4, 0.6] }), base],
    ["ties of all elements", ties({ density: 1 }), base],
    ["dare that keeps all", dare({ key: keyOf(1), density: 1, weights: [0.5, 0.5] }), base],
    ["fisher", fisher({ information: [{ w: tensor(a.map(Math.abs)) }, { w: tensor(b.map(Math.abs)) }] }), undefined],
  ])("%s of equal models is the model", (_, method, from) => near(merged(method, [a, a], from), a));

  test("slerp begins at the first and ends at the second", () => {
    near(merged(slerp({ t: 0 }), [a, b]), a);
    near(merged(slerp({ t: 1 }), [a, b]), b);
  });

  test("slerp keeps the length of vectors of one length", () => {
    const length = (values: readonly number[]) => Math.hypot(...values);
    const scaled = b.map((value) => (value * length(a)) / length(b));
    expect(length(merged(slerp({ t: 0.4 }), [a, scaled]))).toBeCloseTo(length(a), 3);
  });

  test("ties of density 1 and equal signs is the base with the mean of the task vectors", () => {
    const sizes = [a, b].map((own) => own.map((value, i) => (base[i] ?? 0) + Math.abs(value)));
    near(
      merged(ties({ density: 1 }), sizes, base),
      base.map((value, i) => value + (Math.abs(a[i] ?? 0) + Math.abs(b[i] ?? 0)) / 2),
    );
  });

  test("trimming agrees with sorting", () => {
    for (const density of [0.01, 0.2, 0.5, 0.77]) {
      const vector = Float32Array.from(a);
      const kept = trimmed(vector, density);
      const smallest = [...vector].map(Math.abs).sort((x, y) => y - x)[Math.ceil(density * vector.length) - 1] ?? 0;
      expect([...kept]).toEqual([...vector].map((value) => (Math.abs(value) >= smallest ? value : 0)));
    }
  });

  test("dare keeps the expectation over keys", () => {
    const keys = 400;
    const [first, second] = [a.slice(0, 50), b.slice(0, 50)];
    const start = base.slice(0, 50);
    const mean = start.map(() => 0);
    for (let key = 0; key < keys; key++)
      for (const [i, value] of merged(dare({ key: keyOf(key), density: 0.4 }), [first, second], start).entries())
        mean[i] = (mean[i] ?? 0) + value / keys;
    const wanted = merged(taskArithmetic(), [first, second], start);
    for (const [i, value] of mean.entries()) {
      // The variance of one draw is δ² (1 − p) / p a model; 5 deviations of the mean, of 50 elements, are passed once in 35,000 times.
      const deltas = [first, second].map((own) => (own[i] ?? 0) - (start[i] ?? 0));
      const deviation = Math.sqrt((deltas.reduce((sum, delta) => sum + delta * delta, 0) * 0.6) / 0.4 / keys);
      expect(Math.abs(value - (wanted[i] ?? 0))).toBeLessThan(5 * deviation);
    }
  });

  test("dare drops the share that it says, by its key alone", () => {
    const of = (key: number) => merged(dare({ key: keyOf(key), density: 0.3 }), [a], base);
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    const kept = of(1).filter((value, i) => value !== Math.fround(base[i] ?? 0)).length / a.length;
    // 5 deviations of a share of 400: 5 · √(0.3 · 0.7 / 400).
    expect(Math.abs(kept - 0.3)).toBeLessThan(0.115);
  });

  test("dare with elected signs drops before it elects", () => {
    const all = merged(dare({ key: keyOf(1), density: 1, combine: "ties", normalize: true }), [a, b], base);
    near(all, merged(ties({ density: 1 }), [a, b], base));
  });
});

describe("records of tensors", () => {
  test("float16 stays float16, rounded once", () => {
    const half = (value: number) => ({ w: new Tensor("float16", [1], Uint16Array.of(float16Bits(value))) });
    const result = mergeTensors([half(1), half(1 + 2 ** -9)], average());
    expect([result["w"]?.dtype, numbersOf(result)]).toEqual(["float16", [1 + 2 ** -10]]);
  });

  test("whole numbers are equal, or taken from the first with a note", () => {
    const counted = (count: number) => ({ w: tensor([count]), n: tensor([count], { dtype: "int32" }) });
    const notes: string[] = [];
    const result = mergeTensors([counted(1), counted(3)], average(), { report: (note) => notes.push(note) });
    expect([result["w"]?.item(), result["n"]?.item()]).toEqual([2, 1]);
    expect(notes).toEqual(["n (int32) differs between the models, and is taken from the first"]);
    mergeTensors([counted(1), counted(1)], average(), { report: (note) => notes.push(note) });
    expect(notes.length).toBe(1);
  });

  test("the models stay as they are", () => {
    const models = [model(1, 2), model(3, 4)];
    mergeTensors(models, average());
    expect(models.map(numbersOf)).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  const two = [model(1), model(2)];
  test.each([
    [
      "names",
      () => mergeTensors([model(1), { v: tensor([1]) }], average()),
      "models to merge of different tensors: model 2 lacks w; model 1 lacks v",
    ],
    [
      "shapes",
      () => mergeTensors([model(1), model(1, 2)], average()),
      "models to merge of different shapes: w is [1] in model 1 and [2] in model 2",
    ],
    [
      "types",
      () => mergeTensors([model(1), { w: tensor([1], { dtype: "int32" }) }], average()),
      "models to merge of different types: w is float32 in model 1 and int32 in model 2",
    ],
    ["the base", () => mergeTensors(two, ties(), { base: model(1, 2) }), "w is [1] in model 1 and [2] in the base"],
    [
      "many names",
      () =>
        mergeTensors(
          [
            { a: tensor([1]), b: tensor([1]), c: tensor([1]), d: tensor([1]), e: tensor([1]), f: tensor([1]) },
            { x: tensor([1]) },
          ],
          average(),
        ),
      "lacks a, b, c, d and 2 others",
    ],
    ["no tensors", () => mergeTensors([{}, {}], average()), "model 1 has no tensors"],
    ["no models", () => mergeTensors([], average()), "there are 0 models"],
    ["float64", () => mergeTensors([{ w: tensor([1], { dtype: "float64" }) }], average()), "w is float64"],
    ["no base", () => mergeTensors(two, taskArithmetic()), "task-arithmetic adds differences from a base"],
    ["a base that nothing reads", () => mergeTensors(two, average(), { base: model(1) }), "average reads no base"],
    ["weights", () => mergeTensors(two, average({ weights: [1] })), "there is 1 weight for 2 models"],
    ["weights of sum 0", () => mergeTensors(two, average({ weights: [1, -1] })), "sum to 0"],
    ["no numbers", () => mergeTensors(two, average({ weights: [1, Number.NaN] })), "average: weights[1] is NaN"],
    ["three models of slerp", () => mergeTensors([...two, model(3)], slerp()), "slerp: there are 3 models"],
    ["t", () => slerp({ t: 1.5 }), "slerp: t is 1.5"],
    ["density", () => ties({ density: 0 }), "ties: density is 0"],
    [
      "densities",
      () => mergeTensors(two, ties({ density: [0.5] }), { base: model(1) }),
      "there is 1 density for 2 models",
    ],
    ["a key", () => dare({} as never), "dare: key is missing"],
    ["information", () => mergeTensors(two, fisher({ information: [model(1)] })), "the information of 1 model for 2"],
    [
      "information of one",
      () => mergeTensors(two, fisher({ information: [model(1), {}] })),
      'one model has information of "w"',
    ],
    [
      "information of another shape",
      () => mergeTensors(two, fisher({ information: [model(1, 2), model(1, 2)] })),
      "2 elements of information for the 1",
    ],
    ["weights below 0", () => mergeTensors(two, fisher({ information: two, weights: [1, -1] })), "numbers from 0"],
  ])("%s", (_, act, message) => expect(act).toThrow(message));
});

describe("greedy soup", () => {
  /** How near to 0 the sum of the elements is. */
  const nearZero = (tensors: TensorsByPath) => -Math.abs(numbersOf(tensors).reduce((sum, value) => sum + value, 0));

  test("adds models from the best on, and keeps those that do not make it worse", async () => {
    // By hand: alone −1, −2, −9. The mean of 1 and −2 is −0.5: better. With 9 it is 8/3: worse.
    const soup = await greedySoup([model(9), model(1), model(-2)], { validate: nearZero });
    expect(soup).toMatchObject({ members: [1, 2], result: -0.5, results: [-9, -1, -2] });
    expect(numbersOf(soup.tensors)).toEqual([-0.5]);
  });

  test("is never worse than the best member", async () => {
    for (let i = 0; i < 20; i++) {
      const models = Array.from({ length: 6 }, () => model(...drawn(3)));
      const up = await greedySoup(models, { validate: nearZero });
      expect(up.result).toBeGreaterThanOrEqual(Math.max(...up.results));
      expect(nearZero(up.tensors)).toBe(up.result);
      const down = await greedySoup(models, { validate: (own) => -nearZero(own), direction: "down" });
      expect(down.members).toEqual(up.members);
    }
  });

  test("refuses results that are none, and models that do not fit", async () => {
    await expect(greedySoup([model(1)], { validate: () => Number.NaN })).rejects.toThrow(
      "the result of model 1 is NaN",
    );
    let measured = 0;
    const counted = () => measured++;
    await expect(greedySoup([model(1), model(1, 2)], { validate: counted })).rejects.toThrow("different shapes");
    await expect(greedySoup([], { validate: counted })).rejects.toThrow("there are 0 models");
    expect(measured).toBe(0);
  });
});
