/** TensorFlow's operators that resize images. */
import { apply } from "../../../../graph/op.ts";
import * as ops from "../../../../ops/index.ts";
import { int64s } from "../../../../ops/index.ts";
import { channelsFirst, channelsLast } from "../../channels.ts";
import type { Operator, Operators } from "../operator.ts";

/** x [N, H, W, C] to the height and width that operand 1 says. */
const resizing = (mode: "nearest" | "linear"): Operator => ({
  op: ops.Resize,
  build: (node) => {
    const x = channelsFirst(node.operand(0));
    const sizes = int64s([...x.shape.slice(0, 2), ...node.known(1)]);
    const [corners, centres] = [node.attributes.flag("align_corners"), node.attributes.flag("half_pixel_centers")];
    const resized = apply(ops.Resize, [x, undefined, undefined, sizes], {
      mode,
      coordinate_transformation_mode: corners ? "align_corners" : centres ? "half_pixel" : "asymmetric",
      // ⌊i · scale⌋ without centres; with them ⌊(i + 0.5) · scale⌋, and between corners the nearest, halves up.
      nearest_mode: corners || centres ? "round_prefer_ceil" : "floor",
    });
    return channelsLast(resized);
  },
});

export const resizeOperators: Operators = {
  ResizeBilinear: resizing("linear"),
  ResizeNearestNeighbor: resizing("nearest"),
};
