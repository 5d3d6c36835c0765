/** Cross-entropy over many classes without their scores as a whole: computed for some classes at a time, and again on the way back. */
import { ShapeError } from "../../core/errors.ts";
import { sameShape, showShape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { apply, defineOp, makeNode, type OpDef } from "../../graph/op.ts";
import type { Pass } from "../../graph/passes.ts";
import { rewrite } from "../../graph/rewrite.ts";
import { cast } from "../cast.ts";
import { add, mul, sub } from "../elementwise.ts";
import { exp } from "../functions.ts";
import { GatherElements, gather } from "../indexing.ts";
import { FusedMatMul, Gemm, matmul } from "../matmul.ts";
import { concat, Reshape, reshape } from "../movement.ts";
import { LogSoftmax } from "../normalization/normalization.ts";
import { after } from "../order.ts";
import {
  productWithUnpacked,
  rowsBetween,
  rowsOfUnpacked,
  UnpackBlocks,
  unpackedWeightOf,
} from "../quantized/quantization.ts";
import { reduceLogSumExp, reduceSum } from "../reduce.ts";
import { ScatterND } from "../selection/scatter.ts";

interface LabelAttributes {
  readonly pieces?: number;
  readonly bits?: number;
  readonly columns?: number;
}

/** The weight of the classes, of an operand that is packed in blocks the rows that it stands for. */
const weightOf = (
  [, w, , scales]: readonly [Value, Value, Value, Value?],
  { bits = 4, columns = 0 }: LabelAttributes,
): Value => (scales ? apply(UnpackBlocks, [w, scales], { bits, columns }) : w);

/** The rows of a weight, in parts of one length but for the last. */
function partsOf(w: Value, pieces = 1): readonly Value[] {
  const [count = 1] = w.shape;
  const length = Math.ceil(count / pieces);
  return Array.from({ length: Math.ceil(count / length) }, (_, i) =>
    rowsBetween(w, i * length, Math.min(count, (i + 1) * length)),
  );
}

/** x wᵀ; of packed rows without unpacking them, of float16 as float32. */
const scoresOf = (x: Value, w: Value): Value => productWithUnpacked(x, w) ?? whole(matmul(x, w, { transB: true }));

/** A value as float32 where it is float16: sums and logarithms are never taken in that. */
const whole = (x: Value): Value => (x.dtype === "float16" ? cast(x, "float32") : x);

/** The rows of a weight at the labels [N, 1]. */
function rowsAt(w: Value, labels: Value): Value {
  const places = reshape(labels, [labels.shape[0] ?? 1]);
  return rowsOfUnpacked(w, places) ?? gather(w, places);
}

/**
 * log softmax(x wᵀ) at the labels of rows x [N, K], for classes w [V, K] and labels [N, 1] → [N, 1]; and log Σ e^(x wᵀ), [N, 1]. w may be packed,
 * as `UnpackBlocks` has it, with its scales as the fourth operand; x and w may be float16, the results are float32 then. The scores [N, V] are made in pieces that are not kept: the way back makes
 * them again (cut cross-entropy, Wijmans et al. 2024, sec. 4).
 */
export const LabelLogSoftmax: OpDef = defineOp("LabelLogSoftmax", {
  domain: "sardonyx",
  arity: "3-4",
  kind: "dense",
  attributes: { pieces: "int", bits: "int", columns: "int" },
  infer: (inputs, attributes) => {
    const [x, , labels] = inputs;
    const w = weightOf(inputs, attributes);
    const [rows = 0, width] = x.shape;
    if (x.rank !== 2 || w.rank !== 2 || width !== w.shape[1] || !sameShape(labels.shape, [rows, 1]))
      throw new ShapeError(
        `LabelLogSoftmax takes x [N, K], w [V, K] and labels [N, 1], got ${[x, w, labels].map(({ shape }) => showShape(shape)).join(", ")}`,
      );
    const column = { dtype: x.dtype === "float16" ? "float32" : x.dtype, shape: [rows, 1] } as const;
    return [column, column];
  },
  // With p = softmax(x wᵀ) = exp(x wᵀ - s) and gradients g of the label's logarithm, h of s: of the scores (h - g) p, and g at the label.
  grad: ({ gs: [g, h], inputs, outputs: [, sum], attributes, needs }) => {
    const [x, , labels] = inputs;
    const w = weightOf(inputs, attributes);
    if (!sum) throw new ShapeError("LabelLogSoftmax: its sum is needed for the gradient");
    // The scores are made anew, rather than kept from the way forward as the same values.
    const again = after(x, sum);
    const factor = g ? (h ? sub(h, g) : mul(g, -1)) : (h as Value);
    const slopes = (rows: Value, part: Value) => mul(exp(sub(scoresOf(rows, part), sum)), factor);
    const rows: Value[] = [];
    let spread: Value | undefined;
    let behind = again;
    for (const part of partsOf(w, attributes.pieces)) {
      // One piece at a time: each is made after what the one before it came to.
      const own = slopes(behind, part);
      const toRows = needs[1] ? matmul(own, x, { transA: true }) : undefined;
      const toX = needs[0] ? matmul(own, part) : undefined;
      spread = spread && toX ? add(spread, toX) : toX;
      if (toRows) rows.push(toRows);
      behind = [spread, toRows].reduce<Value>((value, done) => (done ? after(value, done) : value), again);
    }
    const ofX = spread && g ? add(spread, mul(rowsAt(w, labels), g)) : spread;
    if (!needs[1]) return [ofX, undefined, undefined];
    const all = concat(rows, 0);
    return [ofX, g ? apply(ScatterND, [all, cast(labels, "int64"), mul(x, g)], { reduction: "add" }) : all, undefined];
  },
  lower: ({ inputs, attributes }) => {
    const [x, , labels] = inputs;
    const w = weightOf(inputs, attributes);
    const sums = partsOf(w, attributes.pieces).map((part) => reduceLogSumExp(scoresOf(x, part), 1, { keepDims: true }));
    const sum = reduceLogSumExp(concat(sums, 1), 1, { keepDims: true });
    const ofLabels = mul(whole(x), whole(rowsAt(w, labels)));
    return [sub(reduceSum(ofLabels, 1, { keepDims: true }), sum), sum];
  },
  macs: ({ inputs, attributes }) => (inputs[0].shape[0] ?? 1) * size(weightOf(inputs, attributes).shape),
  halves: ({ inputs: [, , , scales] }) => (scales ? [] : [0, 1]),
  packed: ({ inputs: [, w, , scales], attributes: { bits = 4, columns = 0 } }) =>
    scales && { position: 1, shape: [w.shape[0] ?? 1, columns], bits },
  samples: ({ axes: [ofRows, ofClasses, ofLabels, ofScales] }) =>
    ofRows === 0 && ofClasses === undefined && ofLabels === 0 && ofScales === undefined
      ? { outputs: [0, 0] }
      : undefined,
});

/** Scores of fewer elements, 256 MB, are made as a whole unless memory is short: nothing is computed twice. */
const wholeLimit = 1 << 26;
/** Scores of fewer elements, 8 MB, are always made as a whole. */
const leastLimit = 1 << 21;
/** Elements of the scores, and of the weight, in a piece. */
const pieceSize = 1 << 23;
/** Each piece is a dozen nodes: scores that would take more are made as a whole. */
const mostPieces = 1 << 10;

/** What scores are a product of, x wᵀ; `undefined` for any others. */
function factorsOf(scores: Value): readonly [x: Value, w: Value] | undefined {
  const node = scores.producer;
  if (!node) return undefined;
  const [x, w, bias] = node.inputs;
  const { transA = 0, transB = 0, alpha = 1 } = node.attributes;
  if ((node.op === Gemm || node.op === FusedMatMul) && x && w && !bias && !transA && transB === 1 && alpha === 1)
    return w.rank === 2 ? [x, w] : undefined;
  const unpacked = unpackedWeightOf(node);
  return x && unpacked ? [x, unpacked] : undefined;
}

/** The value under another shape, as far back as it only has that. */
const unshaped = (value: Value): Value => {
  const { producer } = value;
  return producer?.op === Reshape && producer.inputs[0] ? unshaped(producer.inputs[0]) : value;
};

/**
 * What `LabelLogSoftmax` computes in place of logarithms at labels [..., 1] along the last axis; `undefined` for scores of
 * fewer elements than the limit.
 */
export function labelsOfManyScores(
  logarithms: Value,
  labels: Value,
  axis: number,
  limit = wholeLimit,
): Value | undefined {
  const node = logarithms.producer;
  const [scores] = node?.inputs ?? [];
  const last = logarithms.rank - 1;
  const isLast = (given: unknown) => given === last || given === -1;
  if (node?.op !== LogSoftmax || !scores || size(scores.shape) < limit) return undefined;
  if (
    !isLast(axis) ||
    !isLast(node.attributes["axis"] ?? -1) ||
    size(labels.shape) * (scores.shape[last] ?? 1) !== size(scores.shape)
  )
    return undefined;
  const product = unshaped(scores);
  const factors = factorsOf(product);
  if (!factors || product.shape.at(-1) !== scores.shape[last]) return undefined;
  const [x, w] = factors;
  const [classes = 1, width = 1] = w.shape;
  const rows = size(labels.shape);
  const { op, inputs: parts, attributes: packing } = w.producer ?? { inputs: [], attributes: {} };
  const [stored, scales] = op === UnpackBlocks ? parts : [w];
  const operands = [reshape(x, [rows, width]), stored, reshape(labels, [rows, 1]), ...(scales ? [scales] : [])];
  const pieces = Math.ceil(classes / Math.max(1, Math.floor(Math.min(pieceSize, limit) / Math.max(rows, width))));
  if (pieces > mostPieces) return undefined;
  const attributes = { pieces, ...(scales && packing) };
  const [chosen] = makeNode(LabelLogSoftmax, operands, attributes, product.producer?.scope).outputs;
  return reshape(chosen, labels.shape);
}

/** Makes scores in pieces that would fit as a whole, where memory is short: the losses as they are, with a part of the scores at a time. */
export const scoresInPieces: Pass = (outputs) =>
  rewrite(outputs, ({ op, inputs: [x, labels], attributes: { axis = 0 } }) => {
    const chosen = op === GatherElements && x && labels && labelsOfManyScores(x, labels, Number(axis), leastLimit);
    return chosen ? [chosen] : undefined;
  }).outputs;
