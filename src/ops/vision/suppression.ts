/** Non-maximum suppression: of boxes that overlap, the likeliest. */

import { ShapeError } from "../../core/errors.ts";
import { count, number, share } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf, required } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { apply, defineOp, type OpDef } from "../../graph/op.ts";
import { int64s, requireConstant, scalar } from "../constant.ts";
import { where } from "../elementwise.ts";
import { greaterOrEqual } from "../logic.ts";
import { reshape } from "../movement.ts";
import { pad, slice } from "../slicing.ts";

/** Checks boxes [N, K, 4] and scores [N, C, K], float32 as the operator is defined. */
function checkOperands(where: string, boxes: Value, scores: Value): void {
  const [batch, count, four] = boxes.shape;
  if (boxes.rank !== 3 || four !== 4 || scores.rank !== 3 || scores.shape[0] !== batch || scores.shape[2] !== count)
    throw new ShapeError(
      `${where}: boxes are ${showShape(boxes.shape)} and scores ${showShape(scores.shape)}, expected [batch, boxes, 4] and [batch, classes, boxes]`,
    );
}

/**
 * Places (batch, class, box) of the boxes chosen, int64 [count, 3]. How many there are depends on the numbers; shapes here do
 * not, and this one is of the most: `max_output_boxes_per_class` of every class. Only operands that always give so many may
 * compute on with it, as those of `nonMaxSuppression` do.
 */
export const NonMaxSuppression: OpDef = defineOp("NonMaxSuppression", {
  arity: "2-5",
  attributes: { center_point_box: "int" },
  settings: [3, 4],
  infer: ([boxes, scores, most]) => {
    checkOperands("NonMaxSuppression", boxes, scores);
    const [batch = 1, classes = 1, count = 1] = scores.shape;
    const [limit = 0] = most ? requireConstant("NonMaxSuppression", "max_output_boxes_per_class", most) : [];
    return { dtype: "int64", shape: [batch * classes * Math.min(limit, count), 3] };
  },
  grad: "none",
  // Each box that is chosen is compared with every other: four bounds, two areas, a quotient.
  flops: ({ inputs: [, scores], outputs: [chosen] }) => 12 * (chosen.shape[0] ?? 0) * (scores.shape[2] ?? 0),
});

/** Options of non-maximum suppression. */
export interface SuppressionOptions {
  /** Boxes of each class at most. */
  readonly limit: number;
  /** Intersection over union with a likelier box above which a box is left out. */
  readonly overlap: number;
  /** Score from which boxes count. */
  readonly threshold: number;
}

export const suppressionTypes: OptionTypes<SuppressionOptions> = {
  limit: required(count()),
  overlap: required(share),
  threshold: required(number),
};
const checkOptions = optionsOf("nonMaxSuppression", suppressionTypes);

/**
 * Greedy non-maximum suppression, class by class: of boxes [N, K, 4] (two opposite corners) and
 * scores [N, C, K], the places 0 … K - 1 of those chosen, likeliest first, int64 [N, C, limit], -1 where there are no more.
 * Throws ShapeError and OptionError.
 */
export function nonMaxSuppression(boxes: Value, scores: Value, options: SuppressionOptions): Value {
  const { limit, overlap, threshold } = checkOptions(options);
  checkOperands("nonMaxSuppression", boxes, scores);
  // Boxes without area overlap nothing. With just the score that is asked for they take the places that no real box takes,
  // so that as many are chosen as may be.
  const [batch = 1, classes = 1, count = 0] = scores.shape;
  const behind = (axis: number) => [0, 1, 2].map((own): [number, number] => [0, own === axis ? limit : 0]);
  const chosen = apply(NonMaxSuppression, [
    pad(boxes, behind(1), 0),
    pad(scores, behind(2), threshold),
    int64s([limit]),
    scalar(overlap),
  ]);
  const places = reshape(slice(chosen, { axis: 1, start: 2 }), [batch, classes, limit]);
  return where(greaterOrEqual(places, count), -1, places);
}
