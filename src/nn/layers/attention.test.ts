/** Attention against its definition written out in loops: heads that share keys, masks, biases, windows. */
import { describe, expect, test } from "vitest";
import { ShapeError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { size } from "../../core/shape.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { constantOf, input, nodesOf } from "../../graph/ir.ts";
import { compile } from "../../jit/compile.ts";
import { constant, keyTensor } from "../../ops/index.ts";
import { Context } from "../context.ts";
import { expectClose, randomTensor } from "../testing/check-layer.ts";
import { type AttendOptions, attend, joinHeads, splitHeads } from "./attention.ts";
import { sequential } from "./sequential.ts";

const evaluation = new Context(sequential([]));
const [q, k, v] = [randomTensor([2, 4, 3, 2], 1), randomTensor([2, 2, 5, 2], 2), randomTensor([2, 2, 5, 2], 3)];

/** The definition for the tensors above; `seen` says which keys a query sees, `bias` what its product gains. */
function reference(seen: (n: number, i: number, j: number) => boolean, bias: (at: number[]) => number, scale: number) {
  const at = ({ data, shape }: Tensor, ...index: number[]) =>
    Number(data[index.reduce((offset, position, axis) => offset * (shape[axis] ?? 1) + position, 0)]);
  const numbers: number[] = [];
  for (let n = 0; n < 2; n++)
    for (let h = 0; h < 4; h++)
      for (let i = 0; i < 3; i++) {
        const shared = Math.floor(h / 2);
        const weights = [0, 1, 2, 3, 4].map((j) => {
          const product = [0, 1].reduce((sum, d) => sum + at(q, n, h, i, d) * at(k, n, shared, j, d), 0);
          return seen(n, i, j) ? Math.exp(scale * product + bias([n, h, i, j])) : 0;
        });
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (const d of [0, 1])
          numbers.push(weights.reduce((sum, weight, j) => sum + (weight / total) * at(v, n, shared, j, d), 0));
      }
  return tensor(numbers, { shape: q.shape });
}

const inputFor = ({ dtype, shape }: Tensor) => input(dtype, shape);

/** What the options that are no tensors give, with the mask and bias fed as inputs. */
async function attended(options: AttendOptions, mask?: Tensor, bias?: Tensor): Promise<Tensor | undefined> {
  const heads = [inputFor(q), inputFor(k), inputFor(v)] as const;
  const [maskValue, biasValue] = [mask && inputFor(mask), bias && inputFor(bias)];
  const y = attend(...heads, { ...options, mask: maskValue, bias: biasValue }, evaluation);
  const present = [...heads, maskValue, biasValue].filter((value) => value !== undefined);
  const executable = await compile(present, [y]);
  const [result] = await executable.run([q, k, v, mask, bias].filter((tensor) => tensor !== undefined));
  await executable.session.release();
  return result;
}

describe("values", () => {
  const everything = () => true;
  const none = () => 0;
  const scale = 1 / Math.sqrt(2);
  const mask = tensor([1, 1, 1, 1, 1, 1, 0, 1, 0, 0], { dtype: "int64", shape: [2, 5] });
  const unmasked = (n: number, _: number, j: number) => Number(mask.data[5 * n + j]) === 1;

  test("all keys", async () => expectClose(await attended({}), reference(everything, none, scale), "attention"));
  test("another scale", async () =>
    expectClose(await attended({ scale: 2 }), reference(everything, none, 2), "attention"));
  test("causal: the last query stands at the last key", async () =>
    expectClose(
      await attended({ causal: true }),
      reference((_, i, j) => j <= i + 2, none, scale),
      "attention",
    ));
  test("a window of two keys", async () =>
    expectClose(
      await attended({ causal: true, window: 2 }),
      reference((_, i, j) => j <= i + 2 && j > i, none, scale),
      "attention",
    ));
  test("a mask of keys", async () =>
    expectClose(await attended({}, mask), reference(unmasked, none, scale), "attention"));
  test("a mask of keys as bools, causal", async () =>
    expectClose(
      await attended({ causal: true }, tensor(mask.toNumbers(), { dtype: "bool", shape: [2, 5] })),
      reference((n, i, j) => unmasked(n, i, j) && j <= i + 2, none, scale),
      "attention",
    ));
  test.each([1, 2])("a bias for %i samples", async (samples) => {
    const bias = randomTensor([samples, 4, 3, 5], 4);
    const added = ([n = 0, h = 0, i = 0, j = 0]: number[]) =>
      Number(bias.data[(((samples === 1 ? 0 : n) * 4 + h) * 3 + i) * 5 + j]);
    expectClose(await attended({}, undefined, bias), reference(everything, added, scale), "attention");
  });
  test("a query without any key averages all values", async () => {
    const nothing = tensor(new Array<number>(10).fill(0), { dtype: "int64", shape: [2, 5] });
    // Equal weights are those of products with a scale of zero.
    expectClose(await attended({}, nothing), reference(everything, none, 0), "attention");
  });
});

test("attention weights are dropped while training, and only then", () => {
  const key = constant(keyTensor(keyOf(1)));
  const heads = [inputFor(q), inputFor(k), inputFor(v)] as const;
  const traced = (training: boolean) =>
    nodesOf([attend(...heads, { dropout: 0.5 }, new Context(sequential([]), { training, key }))]);
  expect(traced(false).some(({ op }) => op.type === "Where")).toBe(false);
  expect(traced(true).some(({ op }) => op.type === "Where")).toBe(true);
});

test("a long sequence puts no large tensor into the graph", () => {
  const heads = input("float32", [1, 8, 8192, 64]);
  const mask = input("int64", [1, 8192]);
  const y = attend(heads, heads, heads, { causal: true, window: 4096, mask }, evaluation);
  const constants = nodesOf([y]).flatMap(({ outputs }) => constantOf(outputs[0]) ?? []);
  expect(constants.length).toBeGreaterThan(0);
  expect(Math.max(...constants.map(({ shape }) => size(shape)))).toBeLessThan(10);
});

test("heads are split off and joined again", async () => {
  const x = randomTensor([2, 3, 8], 6);
  const value = input("float32", x.shape);
  const heads = splitHeads(value, 4);
  expect(heads.shape).toEqual([2, 4, 3, 2]);
  const executable = await compile([value], [heads, joinHeads(heads)]);
  const [parts, whole] = await executable.run([x]);
  // Head 1 of the first token has its features 2 and 3.
  expect(parts?.toNumbers().slice(6, 8)).toEqual(x.toNumbers().slice(2, 4));
  expect(whole?.data).toEqual(x.data);
  await executable.session.release();
});

test("operands that do not fit are reported", () => {
  const heads = (...shape: number[]) => input("float32", shape);
  const run = (a: number[], b: number[], options: AttendOptions = {}) => {
    return () => attend(heads(...a), heads(...b), heads(...b), options, evaluation);
  };
  expect(run([2, 3, 4], [2, 3, 4])).toThrow(ShapeError);
  expect(run([2, 3, 4], [2, 3, 4])).toThrow(/attention takes heads, got queries \[2, 3, 4\].*see splitHeads/);
  expect(run([2, 4, 3, 2], [1, 4, 3, 2])).toThrow(/do not fit; make the batches equal/);
  expect(run([2, 4, 3, 2], [2, 4, 3, 8])).toThrow(/do not fit/);
  expect(run([2, 4, 3, 2], [2, 3, 3, 2])).toThrow("3 heads of keys do not divide 4 of queries; pass a divisor");
  expect(run([2, 4, 3, 2], [2, 4, 5, 2], { mask: input("int64", [2, 3]) })).toThrow(
    "its mask is [2, 3]; pass [batch, keys], here [2, 5]",
  );
  expect(run([2, 4, 3, 2], [2, 4, 5, 2], { bias: heads(4, 3, 5) })).toThrow(
    "its bias is [4, 3, 5]; pass [1 or batch, heads, 1 or queries, keys], here [2, 4, 3, 5]",
  );
  expect(() => splitHeads(heads(2, 3, 8), 3)).toThrow(
    "[2, 3, 8] does not split into 3 heads; pass [batch, time, features], features a multiple of 3",
  );
});
