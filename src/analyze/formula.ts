/** How a layer's parameter count comes about, in numbers, from the shapes of its tensors. */
import type { Shape } from "../core/shape.ts";

/** `7·7·3·64 + 64`: a kernel's extents, then inputs and outputs; other tensors as they are. */
export const formulaOf = (shapes: readonly Shape[]): string => shapes.map(termOf).join(" + ");

function termOf(shape: Shape): string {
  const [filters = 1, channels = 1, ...kernel] = shape;
  return (kernel.length > 0 ? [...kernel, channels, filters] : shape).join("·") || "1";
}
