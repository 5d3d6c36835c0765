/** Everything that builds graphs: operators as functions. */

export * from "./activations.ts";
export * from "./cast.ts";
export * from "./channel-normalization.ts";
export { checkFed, checkIndices, checkNumbers, type IndexRange, placeOf } from "./checks.ts";
export { constant, full, int64s, iota, type Operand, ones, scalar, zeros } from "./constant.ts";
export * from "./convolution.ts";
export * from "./einsum.ts";
export * from "./elementwise.ts";
export * from "./functions.ts";
export * from "./fusions.ts";
export * from "./indexing.ts";
export * from "./interpolation.ts";
export * from "./logic.ts";
export * from "./matmul.ts";
export * from "./movement.ts";
export * from "./normalization.ts";
export * from "./pooling.ts";
export * from "./quantization.ts";
export * from "./random.ts";
export * from "./rearrange.ts";
export * from "./recurrent.ts";
export * from "./reduce.ts";
export * from "./scan.ts";
export * from "./slicing.ts";
export { range } from "./static-values.ts";
export { NonMaxSuppression, nonMaxSuppression, type SuppressionOptions } from "./suppression.ts";
