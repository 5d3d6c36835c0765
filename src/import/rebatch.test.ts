/** Rules about samples hold for every operator that has one; graphs for another batch size compute each sample as before. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../core/random.ts";
import { type Shape, size } from "../core/shape.ts";
import { copyOf, type Tensor, tensor } from "../core/tensor.ts";
import { constantOf, graphOf, input, type Node, nodesOf, type Value } from "../graph/ir.ts";
import { apply, makeNode, type SampleAxes, type SampledNode } from "../graph/op.ts";
import { rewrite } from "../graph/rewrite.ts";
import { verify } from "../graph/verify.ts";
import { compile } from "../jit/compile.ts";
import { encodeModel, opsetVersion } from "../onnx/model.ts";
import { caseFamilies, keyOfCase } from "../ops/all.cases.ts";
import { inputTensors, inputValues } from "../ops/define.cases.ts";
import * as ops from "../ops/index.ts";
import { allOps } from "../ops/registry.ts";
import { ruleOf } from "../ops/sample-rules.ts";
import { NchwcUpsample, ReorderOutput } from "../ops/windows/nchwc.ts";
import { backend } from "../runtime/node.ts";
import { rebatch } from "./rebatch.ts";

/** Numbers in [-1, 1), or whole ones from 0 to 5. */
function noise<D extends "float32" | "uint8">(dtype: D, shape: Shape, seed: number): Tensor {
  const random = new Random(keyOf(seed));
  const draw = dtype === "uint8" ? () => random.integer(6) : () => random.uniform(-1, 1);
  return tensor(Array.from({ length: size(shape) }, draw), { dtype, shape });
}

/** The tensor with its first sample along an axis replaced by the second. */
function withFirstReplaced(tensor: Tensor, axis: number, count: number): Tensor {
  const result = copyOf(tensor);
  const chunk = size(tensor.shape.slice(axis)) / count;
  for (let begin = 0; begin < result.data.length; begin += chunk * count)
    for (let i = 0; i < chunk; i++) result.data[begin + i] = tensor.data[begin + chunk + i] as number;
  return result;
}

/** Operands that are no constants, and where the samples of them may be tried. */
function* assignments({ inputs }: Node): Generator<SampleAxes> {
  const free = inputs.flatMap((value, i) => (value && !constantOf(value) && value.rank > 0 ? [i] : []));
  const most = Math.max(0, ...inputs.map((value) => value?.rank ?? 0));
  for (let at = -most; at < 0; at++)
    for (const chosen of [...free.map((i) => [i]), free]) {
      // The same axis counted from the last, and, of operands of other ranks, from the first.
      for (const fromLast of [true, false]) {
        const axes = inputs.map((value, i) => {
          const axis = fromLast ? at + (value?.rank ?? 0) : at + most;
          return chosen.includes(i) && axis >= 0 && axis < (value?.rank ?? 0) ? axis : undefined;
        });
        if (axes.some((axis) => axis !== undefined)) yield axes;
      }
    }
}

interface Trial {
  readonly rule: SampledNode;
  readonly axes: SampleAxes;
  readonly count: number;
}

/** What the rule of a node says of samples along its operands' axes, whole extents or parts of them. */
function* trialsOf(node: Node): Generator<Trial> {
  for (const axes of assignments(node)) {
    const extents = new Set(axes.flatMap((axis, i) => (axis === undefined ? [] : [node.inputs[i]?.shape[axis] ?? 0])));
    const [extent = 0] = extents;
    if (extents.size > 1) continue;
    for (const count of new Set([extent, extent % 2 === 0 ? extent / 2 : 0].filter((own) => own > 1))) {
      const rule = ruleOf(node, axes, count);
      const wanted = rule?.operands ?? axes;
      const fits = wanted.every((axis, i) => {
        const shape = node.inputs[i]?.shape;
        return axis === undefined || !shape || shape[axis] === extent;
      });
      if (rule && fits) yield { rule, axes: wanted, count };
    }
  }
}

const tried = new Set<string>();

/** Tries the rules of a node, whose operands are constants or graph inputs, with one sample replaced; returns how many. */
async function checkNode(node: Node, tensors: ReadonlyMap<Value, Tensor>, name: string): Promise<number> {
  const trials = [...trialsOf(node)];
  const feeds = [...new Set(node.inputs.flatMap((value) => (value && !constantOf(value) ? [value] : [])))];
  if (trials.length === 0 || !feeds.every((value) => tensors.has(value))) return 0;
  const isWritten = node.op.domain !== "sardonyx" && node.op.since <= opsetVersion;
  const { outputs } = isWritten ? node : rewrite(node.outputs, (own) => own.op.lower(own));
  const session = await backend.compile(encodeModel(graphOf(feeds, outputs)), { threads: 1 });
  const given = feeds.map((value) => tensors.get(value) as Tensor);
  const before = await session.run(given);
  for (const { rule, axes, count } of trials) {
    const changed = feeds.map((value, i) => {
      const axis = axes[node.inputs.indexOf(value)];
      return axis === undefined ? (given[i] as Tensor) : withFirstReplaced(given[i] as Tensor, axis, count);
    });
    const after = await session.run(changed);
    for (const [i, axis] of rule.outputs.entries()) {
      const was = before[i] as Tensor;
      const expected = (axis === undefined ? was : withFirstReplaced(was, axis, count)).toNumbers();
      const got = after[i]?.toNumbers() ?? [];
      // Another order of sums is no other result.
      const wrong = expected.findIndex((element, at) => !isNear(got[at] ?? Number.NaN, element));
      expect(wrong, `output ${i} of ${name}, ${count} samples along [${axes}], by ${expected} and ${got}`).toBe(-1);
    }
  }
  await session.release();
  return trials.length;
}

const isNear = (a: number, b: number): boolean => Object.is(a, b) || Math.abs(a - b) < 1e-4;

/** Operators whose cases are of one sample. */
const further: Readonly<Record<string, (make: (shape: Shape, dtype?: "uint8") => Value) => Value>> = {
  Tile: (make) => ops.tile(make([2, 3]), [1, 2]),
  SpaceToDepth: (make) => apply(ops.SpaceToDepth, [make([2, 1, 4, 4])], { blocksize: 2 }),
  ReorderOutput: (make) => apply(ReorderOutput, [make([2, 16, 2, 2])], { channels: 12, channels_last: 0 }),
  Upsample: (make) => apply(NchwcUpsample, [make([2, 16, 2, 2])], { scales: [1, 1, 2, 2], mode: "nearest" }),
  ConvInteger: (make) => apply(ops.ConvInteger, [make([2, 3, 4, 4], "uint8"), make([2, 3, 3, 3], "uint8")]),
  QLinearConv: (make) => {
    const [scale, zero] = [ops.scalar(0.5), ops.scalar(3, "uint8")];
    const [x, w] = [make([2, 3, 4, 4], "uint8"), make([2, 3, 3, 3], "uint8")];
    return apply(ops.QLinearConv, [x, scale, zero, w, scale, zero, ops.scalar(40), zero]);
  },
};

describe("rules about samples hold", () => {
  for (const [family, cases] of Object.entries(caseFamilies))
    test(family, async () => {
      for (const opCase of cases) {
        const values = inputValues(opCase);
        const tensors = inputTensors(opCase);
        const known = new Map(Object.entries(values).map(([name, value]) => [value, tensors[name] as Tensor]));
        for (const node of nodesOf(opCase.build(values)).filter(({ op }) => op === opCase.op))
          if ((await checkNode(node, known, keyOfCase(opCase))) > 0) tried.add(opCase.op.type);
      }
    });

  test.each(Object.entries(further))("%s", async (type, build) => {
    const known = new Map<Value, Tensor>();
    const y = build((shape, dtype = "uint8") => {
      const value = input(dtype === "uint8" && type.includes("Conv") ? "uint8" : "float32", shape);
      known.set(value, noise(value.dtype as "uint8", shape, known.size));
      return value;
    });
    expect(await checkNode(y.producer as Node, known, type)).toBeGreaterThan(0);
    tried.add(type);
  });

  test("and none is left out", () => {
    const rules = allOps.filter((op) => op.hasSampleRule).map(({ type }) => type);
    expect(rules.filter((type) => !tried.has(type))).toEqual([]);
  });
});

/** The same function of x as a file for one batch has it, for another: x is the first graph input, others are the same for all. */
async function checkRebatched(
  shape: Shape,
  f: (x: Value) => Value,
  sizes: { from: number; to: number; axis?: number },
) {
  const { from, to, axis = 0 } = sizes;
  const of = (count: number) => shape.with(axis, ((shape[axis] ?? 1) / from) * count);
  const x = input("float32", shape, "x");
  const y = f(x);
  const wide = input("float32", of(to), "x");
  const [made] = rebatch([y], new Map([[x, { value: wide, axis }]]), { from, to });
  if (!made) throw new Error("no output");
  verify(graphOf([wide], [made.value]));
  const own = await compile([x], [y], { threads: 1 });
  const all = await compile([wide], [made.value], { threads: 1 });
  // Each sample fills the file's batch by itself.
  const samples = Array.from({ length: to }, (_, i) => noise("float32", of(1), i));
  const whole = (await all.run([joined(samples, axis)]))[0] as Tensor;
  const at = made.axis ?? Number.NaN;
  expect(whole.shape).toEqual(y.shape.map((extent, i) => (i === at ? (extent / from) * to : extent)));
  const parts = await Promise.all(
    samples.map(async (sample) => {
      const filled = joined(new Array<Tensor>(from).fill(sample), axis);
      return part((await own.run([filled]))[0] as Tensor, at, from);
    }),
  );
  const expected = joined(parts, at).toNumbers();
  const wrong = whole.toNumbers().findIndex((element, i) => !isNear(element, expected[i] ?? Number.NaN));
  expect(wrong, `${whole.toNumbers()} and ${expected}`).toBe(-1);
}

/** Tensors one after the other along an axis. */
function joined(tensors: readonly Tensor[], axis: number): Tensor {
  const [first] = tensors as readonly [Tensor, ...Tensor[]];
  const chunk = size(first.shape.slice(axis));
  const elements: number[] = [];
  for (let begin = 0; begin < first.data.length; begin += chunk)
    for (const own of tensors) elements.push(...own.toNumbers().slice(begin, begin + chunk));
  const shape = first.shape.map((extent, i) => (i === axis ? extent * tensors.length : extent));
  return tensor(elements, { dtype: "float32", shape });
}

/** The first of `count` parts along an axis. */
function part(whole: Tensor, axis: number, count: number): Tensor {
  const chunk = size(whole.shape.slice(axis));
  const elements: number[] = [];
  for (let begin = 0; begin < whole.data.length; begin += chunk)
    elements.push(...whole.toNumbers().slice(begin, begin + chunk / count));
  return tensor(elements, {
    dtype: "float32",
    shape: whole.shape.map((extent, i) => (i === axis ? extent / count : extent)),
  });
}

const weight = (...shape: number[]) => ops.constant(noise("float32", shape, 7));
const lstm = (x: Value, ...states: Value[]) =>
  makeNode(ops.LSTM, [x, weight(1, 16, 3), weight(1, 16, 4), undefined, undefined, ...states], { hidden_size: 4 })
    .outputs;

describe("a graph for one batch size as one for another", () => {
  test.each<[string, Shape, (x: Value) => Value]>([
    [
      "a convolutional network with its batch in a target shape",
      [1, 2, 6, 6],
      (x) =>
        ops.softmax(
          ops.linear(
            ops.reshape(ops.maxPool(ops.relu(ops.conv(x, weight(4, 2, 3, 3))), [2, 2]), [1, 16]),
            weight(5, 16),
          ),
        ),
    ],
    [
      "attention with heads, whose shapes are written out",
      [1, 5, 8],
      (x) => {
        const heads = (y: Value) => ops.transpose(ops.reshape(y, [1, 5, 2, 4]), [0, 2, 1, 3]);
        const rows = ops.reshape(x, [5, 8]);
        const [q, k, v] = [1, 2, 3].map(() => heads(ops.reshape(ops.linear(rows, weight(8, 8)), [1, 5, 8]))) as [
          Value,
          Value,
          Value,
        ];
        const scores = ops.softmax(ops.matmul(q, k, { transB: true }));
        return ops.reshape(ops.transpose(ops.matmul(scores, v), [0, 2, 1, 3]), [1, 5, 8]);
      },
    ],
    [
      "heads that join the batch",
      [1, 6, 4],
      (x) => {
        const heads = ops.transpose(ops.reshape(ops.transpose(x, [1, 0, 2]), [6, 2, 2]), [1, 0, 2]); // [N · heads, T, width]
        const sums = ops.matmul(ops.softmax(ops.matmul(heads, heads, { transB: true })), heads);
        return ops.transpose(ops.reshape(ops.transpose(sums, [1, 0, 2]), [6, 1, 4]), [1, 0, 2]);
      },
    ],
    [
      "a recurrent network that begins with states of one sample",
      [1, 5, 3],
      (x) => {
        const [, last] = lstm(ops.transpose(x, [1, 0, 2]), weight(1, 1, 4), weight(1, 1, 4));
        return ops.reshape(last as Value, [1, 4]);
      },
    ],
    ["a token in front of each sample", [1, 3, 4], (x) => ops.concat([weight(1, 1, 4), x], 1)],
    ["an expansion to the batch", [1, 1, 4], (x) => ops.expand(x, [1, 3, 4])],
    [
      "a slice of other axes and a mean over them",
      [1, 5, 4],
      (x) => ops.reduceMean(ops.slice(x, { axis: 1, start: 1 }, { axis: 0, start: 0 }), [1]),
    ],
    ["what no sample changes", [1, 3], (x) => ops.add(ops.mul(x, 0), ops.exp(weight(1, 3)))],
  ])("%s", async (_, shape, f) => {
    await checkRebatched(shape, f, { from: 1, to: 3 });
    await checkRebatched(shape, f, { from: 1, to: 1 });
  });

  test("from two samples to one and to five", async () => {
    const f = (x: Value) => ops.softmax(ops.reshape(ops.transpose(x, [0, 2, 1]), [2, 12]));
    await checkRebatched([2, 3, 4], f, { from: 2, to: 1 });
    await checkRebatched([2, 3, 4], f, { from: 2, to: 5 });
  });

  test("samples along another axis", () =>
    checkRebatched([5, 1, 3], (x) => lstm(x)[0] as Value, { from: 1, to: 4, axis: 1 }));
});

describe("refused, with the node that does not compute each sample by itself", () => {
  const refused = (shape: Shape, f: (x: Value) => Value, message: string) => {
    const x = input("float32", shape, "x");
    const wide = input("float32", [3, ...shape.slice(1)], "x");
    expect(() => rebatch([f(x)], new Map([[x, { value: wide, axis: 0 }]]), { from: shape[0] ?? 1, to: 3 })).toThrow(
      message,
    );
  };
  test.each<[string, Shape, (x: Value) => Value, string]>([
    [
      "a mean over the batch",
      [1, 4],
      (x) => ops.sub(x, ops.reduceMean(x)),
      "written for a batch of 1, got 3: ReduceMean [] computes across samples",
    ],
    ["a softmax along it", [1, 4], (x) => ops.softmax(x, 0), "Softmax [1, 4] computes across samples"],
    [
      "products with what each sample is",
      [1, 4],
      (x) => ops.matmul(x, x, { transA: true }),
      "FusedMatMul [4, 4] computes across samples",
    ],
    [
      "an axis that is dropped",
      [1, 4],
      (x) => ops.squeeze(x, [0]),
      "Squeeze [4] computes across samples or drops their axis",
    ],
    [
      "the first of the batch",
      [1, 4],
      (x) => ops.gather(x, ops.constant(tensor(0n)), 0),
      "Gather [4] computes across samples",
    ],
    ["what is repeated along the batch", [1, 4], (x) => ops.add(x, weight(5, 4)), "Add [5, 4] computes across samples"],
    [
      "positions in all samples together",
      [1, 1, 4, 4],
      (x) => makeNode(ops.MaxPool, [x], { kernel_shape: [2, 2] }).outputs[1] as Value,
      "MaxPool [1, 1, 3, 3]",
    ],
    [
      "a range of all numbers, which has no rule",
      [1, 4],
      (x) => apply(ops.DynamicQuantizeLinear, [x]),
      "DynamicQuantizeLinear [1, 4] has no rule about samples",
    ],
    ["states of several samples for others", [2, 4], (x) => ops.concat([weight(2, 4), x], 1), "Concat [2, 8]"],
  ])("%s", (_, shape, f, message) => refused(shape, f, message));
});
