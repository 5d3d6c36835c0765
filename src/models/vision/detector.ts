/** A single-shot detector (Liu et al. 2016, SSD): convolutions that predict at every place of several maps what is there, and where. */
import { count, listOf, matching, positive } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import {
  activation,
  batchNorm,
  type Context,
  conv2d,
  decodeBoxes,
  detections,
  Module,
  maxPool2d,
  sequential,
} from "../../nn/index.ts";
import { concat, reshape, type SuppressionOptions, slice, transpose } from "../../ops/index.ts";
import { suppressionTypes } from "../../ops/vision/suppression.ts";

const block = (filters: number, stride = 1) => [
  conv2d(filters, 3, { stride, padding: 1, bias: false, initializer: "heNormal" }),
  batchNorm(),
  activation("relu"),
];

/** Options of `SingleShotDetector`. */
export interface DetectorOptions {
  /** Kinds of objects, beside background. */
  readonly classes: number;
  /** Anchors in each cell of each map, the finest first: two maps or more, of S / 8, S / 16, S / 32 … cells. */
  readonly anchors: readonly number[];
  /** Filters of the first convolution, by which all others grow; default 16. */
  readonly width?: number;
}

const checkDetector = optionsOf<DetectorOptions>("SingleShotDetector", {
  classes: required(count()),
  anchors: required(
    matching<readonly number[]>(
      "anchors on each of two maps or more, such as [4, 2]",
      (value) => Array.isArray(value) && value.length >= 2 && value.every((own) => Number.isInteger(own) && own >= 1),
    ),
  ),
  width: count(),
});

/**
 * Images [N, 1 or 3, S, S] → [N, K, 4 + 1 + classes]: of each anchor of the maps of S / 8 and S / 16 cells, and of coarser ones where
 * there are anchors for them, the offsets of a box, then the logits of background and of the classes.
 */
export class SingleShotDetector extends Module {
  readonly fine: Module;
  readonly coarse: Module;
  /** Of the maps beyond the second. */
  readonly coarser: readonly Module[];
  readonly heads: readonly Module[];
  readonly #outputs: number;
  constructor(options: DetectorOptions) {
    super();
    const { classes, anchors, width = 16 } = checkDetector(options);
    this.#outputs = 5 + classes;
    this.fine = sequential([
      ...block(width, 2),
      ...block(2 * width),
      maxPool2d(2),
      ...block(4 * width),
      maxPool2d(2),
      ...block(4 * width),
      ...block(4 * width),
    ]);
    const halved = () => sequential([...block(6 * width, 2), ...block(6 * width)]);
    this.coarse = halved();
    this.coarser = anchors.slice(2).map(halved);
    this.heads = anchors.map((count) => conv2d(count * this.#outputs, 3, { padding: 1 }));
  }
  protected call(x: Value, context: Context): Value {
    const maps = [this.fine.apply(x, context)];
    for (const halve of [this.coarse, ...this.coarser]) maps.push(halve.apply(maps.at(-1) as Value, context));
    const predicted = this.heads.map((head, i) => {
      const cells = transpose(head.apply(maps[i] as Value, context), [0, 2, 3, 1]); // [N, H, W, anchors · outputs]
      return reshape(cells, [x.shape[0] ?? 1, size(cells.shape.slice(1)) / this.#outputs, this.#outputs]);
    });
    return concat(predicted, 1);
  }
}

/** Options of `ObjectFinder`: the anchors of its detector, and how overlapping boxes are left out. */
export interface ObjectFinderOptions extends SuppressionOptions {
  /** Left, top, right and bottom of each anchor, float32 [K, 4]. */
  readonly anchors: Tensor;
  /** Of the offsets; see decodeBoxes. */
  readonly scales: readonly number[];
}

const checkObjectFinder = optionsOf<ObjectFinderOptions>("ObjectFinder", {
  ...suppressionTypes,
  anchors: required(matching("a tensor [anchors, 4]", (value) => value instanceof Tensor)),
  scales: required(listOf(positive, "scales")),
});
/** Images → objects [N, classes · limit, 6], as `detections` gives them: a detector's outputs decoded, overlaps suppressed. */
export class ObjectFinder extends Module {
  readonly detector: Module;
  readonly #options: ObjectFinderOptions;
  constructor(detector: Module, options: ObjectFinderOptions) {
    super();
    this.detector = detector;
    this.#options = checkObjectFinder(options);
  }
  protected call(x: Value, context: Context): Value {
    const { anchors, scales, ...suppression } = this.#options;
    const predicted = this.detector.apply(x, context);
    const boxes = decodeBoxes(slice(predicted, { axis: 2, end: 4 }), anchors, scales);
    return detections(boxes, slice(predicted, { axis: 2, start: 4 }), suppression);
  }
}
