/** Detection of objects by a single shot (Liu et al. 2016, SSD): the loss of its outputs, and the boxes that they mean. */
import { ShapeError } from "../../core/errors.ts";
import { nonNegative, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { showShape, size } from "../../core/shape.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import {
  add,
  cast,
  clip,
  concat,
  constant,
  equal,
  exp,
  gatherElements,
  greater,
  greaterOrEqual,
  iota,
  less,
  logSoftmax,
  maximum,
  mul,
  neg,
  nonMaxSuppression,
  reduceSum,
  reshape,
  type SuppressionOptions,
  slice,
  softmax,
  sub,
  topK,
  transpose,
  where,
} from "../../ops/index.ts";
import { defineLoss, type LossOfTerms } from "./loss.ts";

const columns = (x: Value, start: number, end?: number): Value =>
  slice(x, { axis: 2, start, ...(end !== undefined && { end }) });

/** Options of `detectionLoss`. */
export interface DetectionLossOptions {
  /** Anchors of background that count for each with an object: those that are most mistaken; default 3. */
  readonly negatives?: number;
  /** Anchors of background that count in an image at least, so that one without objects is learned from too; default 0. */
  readonly leastNegatives?: number;
  /** Weight of the boxes' error; default 1. */
  readonly boxWeight?: number;
}

const checkOptions = optionsOf<DetectionLossOptions>("detectionLoss", {
  negatives: positive,
  leastNegatives: nonNegative,
  boxWeight: nonNegative,
});

/**
 * The loss of a single-shot detector (eq. 1-3): outputs [N, K, 4 + 1 + C] of K anchors, a box's offsets, then logits of
 * background and classes, against targets [N, K, 5] of a class from 1, 0 for background or -1 for neither, and offsets. Cross-entropy over
 * the anchors with an object and the hardest of the others, plus the Huber loss of the offsets over those with an object, per
 * anchor with an object; an image with fewer objects than the least of background stands for counts as so many. Throws ShapeError.
 */
export function detectionLoss(options: DetectionLossOptions = {}): LossOfTerms {
  const { negatives = 3, leastNegatives = 0, boxWeight = 1 } = checkOptions(options);
  return defineLoss((output, target) => {
    const [batch = 1, anchors = 1, width = 0] = output.shape;
    if (output.rank !== 3 || width < 6 || showShape(target.shape) !== showShape([batch, anchors, 5]))
      throw new ShapeError(
        `detectionLoss: output is ${showShape(output.shape)} and targets are ${showShape(target.shape)}, expected [batch, anchors, 5 + classes] and [batch, anchors, 5]`,
      );
    const label = cast(columns(target, 0, 1), "int64"); // [N, K, 1]
    const isObject = cast(greater(label, 0), output.dtype);
    const isBackground = cast(equal(label, 0), output.dtype);
    const objects = reduceSum(isObject, 1, { keepDims: true }); // [N, 1, 1]
    const mistakes = neg(gatherElements(logSoftmax(columns(output, 4)), clip(label, 0), 2)); // [N, K, 1]
    // The hardest of the background come first when sorted; as many as may count are taken of each image.
    const background = reshape(mul(mistakes, isBackground), [batch, anchors]);
    const { values } = topK(background, anchors);
    const found = reshape(objects, [batch, 1]);
    const counted = leastNegatives > 0 ? maximum(found, leastNegatives / negatives) : found;
    const counts = cast(less(iota(anchors), cast(mul(counted, negatives), "int64")), output.dtype);
    const ofSamples = (values: Value) => reduceSum(reshape(values, [batch, size(values.shape) / batch]), 1);
    const classes = add(ofSamples(mul(mistakes, isObject)), ofSamples(mul(values, counts)));
    const difference = sub(columns(output, 0, 4), columns(target, 1));
    const clamped = clip(difference, -1, 1);
    const huber = mul(clamped, sub(difference, mul(clamped, 0.5)));
    return {
      terms: add(classes, mul(ofSamples(mul(huber, isObject)), boxWeight)),
      weights: reshape(counted, [batch]),
    };
  });
}

/**
 * Boxes [N, K, 4] as left, top, right, bottom, of offsets [N, K, 4] at anchors [K, 4] of that form: the centre in sizes of the
 * anchor, the logarithms of its sizes, each a multiple of its scale.
 */
export function decodeBoxes(offsets: Value, anchors: Tensor, scales: readonly number[]): Value {
  const [from, to] = [0, 2].map((start) => slice(constant(anchors), { axis: 1, start, end: start + 2 })) as [
    Value,
    Value,
  ];
  const sizes = sub(to, from);
  const scaled = mul(offsets, constant(tensor(scales)));
  const center = add(mul(columns(scaled, 0, 2), sizes), mul(add(from, to), 0.5));
  const half = mul(exp(columns(scaled, 2)), mul(sizes, 0.5));
  return concat([sub(center, half), add(center, half)], 2);
}

/**
 * The objects found, [N, C · limit, 6]: left, top, right, bottom, class from 0, probability; all 0 where there are no more. Of
 * boxes [N, K, 4] and logits [N, K, 1 + C], background first, by non-maximum suppression within each class.
 */
export function detections(boxes: Value, logits: Value, options: SuppressionOptions): Value {
  const [batch = 1, , width = 2] = logits.shape;
  const classes = width - 1;
  const scores = transpose(columns(softmax(logits, 2), 1), [0, 2, 1]); // [N, C, K]
  const places = nonMaxSuppression(boxes, scores, options); // [N, C, limit]
  const [found, own] = [greaterOrEqual(places, 0), clip(places, 0)];
  const rows = (x: Value) => reshape(x, [batch, classes * options.limit, 1]);
  const label = reshape(cast(iota(classes), "float32"), [1, classes, 1]);
  const at = rows(own);
  return concat(
    [
      where(rows(found), gatherElements(boxes, concat([at, at, at, at], 2), 1), 0),
      rows(where(found, label, 0)),
      rows(where(found, gatherElements(scores, own, 2), 0)),
    ],
    2,
  );
}
