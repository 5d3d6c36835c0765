/** How a layer's parameter count comes about, in numbers, from the shapes of its tensors. */
import type { Shape } from "../../core/shape.ts";

export interface FormulaOptions {
  /** Kernels are stored [height, width, in, out]; default [out, in, height, width]. */
  readonly kernelFirst?: boolean | undefined;
}

/** `7·7·3·64 + 64`: a kernel's extents, then inputs and outputs; other tensors as they are. */
export const formulaOf = (shapes: readonly Shape[], { kernelFirst = false }: FormulaOptions = {}): string =>
  shapes.map((shape) => (kernelFirst ? shape : inOrder(shape)).join("·") || "1").join(" + ");

function inOrder(shape: Shape): Shape {
  const [filters = 1, channels = 1, ...kernel] = shape;
  return kernel.length > 0 ? [...kernel, channels, filters] : shape;
}
