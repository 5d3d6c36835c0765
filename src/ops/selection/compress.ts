/** What is picked out of a tensor by flags that are known while tracing. */
import { size } from "../../core/shape.ts";
import { int64s, requireConstant } from "../constant.ts";
import { gather } from "../indexing.ts";
import { reshape } from "../movement.ts";
import { defineComposition } from "../reading.ts";

/** The slices of x along an axis, or the elements of all, whose flag is set. */
export const Compress = defineComposition("Compress", {
  arity: "2",
  attributes: { axis: "int" },
  build: ({ inputs: [x, flags], attributes: { axis } }) => {
    const chosen = requireConstant("Compress", "the condition", flags).flatMap((flag, i) => (flag === 0 ? [] : [i]));
    return [gather(axis === undefined ? reshape(x, [size(x.shape)]) : x, int64s(chosen), axis ?? 0)];
  },
});
