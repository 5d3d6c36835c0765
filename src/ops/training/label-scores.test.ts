/** The loss over many classes in pieces: when it takes the place of the plain one, and that both are the same with frozen and packed weights. */
import { expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.ts";
import { foldIn, keyOf, Random } from "../../core/random.ts";
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { input, nodesOf, type Value } from "../../graph/ir.ts";
import { apply, makeNode } from "../../graph/op.ts";
import { simplify } from "../../graph/passes.ts";
import { compile } from "../../jit/compile.ts";
import { gatherElements, ones, reshape, UnpackBlocks } from "../index.ts";
import { linear } from "../matmul.ts";
import { logSoftmax } from "../normalization/normalization.ts";
import { LabelLogSoftmax } from "./label-scores.ts";

const opsBehind = (value: Value): readonly string[] => nodesOf([value]).map(({ op }) => op.type);

/** log softmax(x wᵀ) at labels, as crossEntropy has it. */
const chosenOf = (rows: number, classes: number, width = 64): Value => {
  const scores = linear(input("float32", [1, rows, width]), input("float32", [classes, width]));
  return gatherElements(logSoftmax(reshape(scores, [rows, classes])), input("int64", [rows, 1]), 1);
};

test("many scores are made in pieces, fewer as a whole", () => {
  expect(opsBehind(simplify([chosenOf(512, 1 << 17)])[0] as Value)).toEqual(["Constant", "Reshape", "LabelLogSoftmax"]);
  expect(opsBehind(simplify([chosenOf(511, 1 << 17)])[0] as Value)).toContain("LogSoftmax");
});

test("with frozen weights, also packed ones, values and gradients are those of whole scores", async () => {
  const [rows, classes, width, blocks] = [5, 11, 32, 2];
  const random = (name: string, shape: readonly number[]) => {
    const own = new Random(foldIn(keyOf(3), name));
    return new Tensor(
      "float32",
      shape,
      Float32Array.from({ length: size(shape) }, () => own.normal()),
    );
  };
  const bytes = Uint8Array.from({ length: classes * blocks * 8 }, (_, i) => (i * 37) % 256);
  const fed = [
    random("x", [rows, width]),
    new Tensor("uint8", [classes, blocks, 8], bytes),
    random("scales", [classes, blocks]),
    new Tensor("int64", [rows, 1], BigInt64Array.from([0n, 10n, 4n, 4n, 7n])),
  ];
  const values = fed.map(({ dtype, shape }) => input(dtype, shape)) as unknown as readonly [Value, Value, Value, Value];
  const [x, elements, scales, labels] = values;
  const packing = { bits: 4, columns: width };
  const w = apply(UnpackBlocks, [elements, scales], packing);
  const step = (chosen: Value) => [chosen, ...gradients([chosen], [ones(chosen.shape)], [x])];
  const whole = step(gatherElements(logSoftmax(linear(x, w)), labels, 1));
  const ofFloats = step(makeNode(LabelLogSoftmax, [x, w, labels], { pieces: 3 }).outputs[0]);
  const ofPacked = step(makeNode(LabelLogSoftmax, [x, elements, labels, scales], { pieces: 3, ...packing }).outputs[0]);
  const { run, session } = await compile(values, [...whole, ...ofFloats, ...ofPacked]);
  const results = (await run(fed)).map((tensor) => tensor.toNumbers());
  // Sums of 32 products of about 10 in float32, in another order.
  for (const offset of [2, 4])
    for (const part of [0, 1])
      for (const [i, value] of (results[part] ?? []).entries())
        expect(Math.abs((results[offset + part]?.[i] ?? Number.NaN) - value), `${offset} ${part} ${i}`).toBeLessThan(
          2e-4,
        );
  await session.release();
});
