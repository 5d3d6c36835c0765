/** Gradient transforms: one a file. */
export { accumulate } from "./accumulate.ts";
export { clipNorm, clipValue } from "./clip.ts";
export { gradientNorms } from "./gradient-norms.ts";
export type { BoundTransform, GradientTransform, Transformed, TransformStep } from "./transform.ts";
