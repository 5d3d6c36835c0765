/** Average pooling to a wanted number of windows, whatever the input's extents. */
import type { Shape } from "../../core/shape.ts";
import { tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { averagePool, constant, matmul } from "../../ops/index.ts";
import { Module } from "../module.ts";
import { type PerAxis, perAxis, requireChannels } from "./convolution.ts";

/**
 * Averages [N, C, H, W] over windows, as many as asked for: [N, C, rows, columns]. Make one with
 * `adaptiveAveragePool2d`.
 */
export class AdaptiveAveragePool2d extends Module {
  override readonly kind = "pooling";
  readonly output: Shape;
  constructor(output: PerAxis) {
    super();
    this.output = perAxis("adaptiveAveragePool2d: output", output, 2);
  }
  protected call(x: Value): Value {
    requireChannels(x, 2);
    const spatial = x.shape.slice(2);
    if (spatial.every((extent, i) => extent === this.output[i])) return x;
    const kernel = spatial.map((extent, i) => extent / (this.output[i] ?? 1));
    if (kernel.every(Number.isInteger)) return averagePool(x, kernel);
    const [height = 1, width = 1] = spatial;
    const [rows = 1, columns = 1] = this.output;
    // A x Bᵀ averages along both axes: [rows, H] · [N, C, H, W] · [W, columns].
    const byColumn = averages(width, columns);
    const transposed = Array.from({ length: width }, (_, at) => byColumn.map((weights) => weights[at] ?? 0));
    return matmul(matmul(constant(tensor(averages(height, rows))), x), constant(tensor(transposed)));
  }
}

/** Weights [windows, extent]: window i averages the elements from ⌊i·extent/windows⌋ to ⌈(i+1)·extent/windows⌉. */
function averages(extent: number, windows: number): number[][] {
  return Array.from({ length: windows }, (_, i) => {
    const start = Math.floor((i * extent) / windows);
    const end = Math.ceil(((i + 1) * extent) / windows);
    return Array.from({ length: extent }, (_, at) => (at >= start && at < end ? 1 / (end - start) : 0));
  });
}

/**
 * [N, C, H, W] → [N, C, rows, columns]: the mean of each of the windows that share the map as evenly as possible;
 * they overlap where an extent does not divide, and repeat elements where there are too few. As in PyTorch.
 * @example
 * adaptiveAveragePool2d(7); // [N, 512, 9, 7] → [N, 512, 7, 7]
 */
export const adaptiveAveragePool2d = (output: PerAxis): AdaptiveAveragePool2d => new AdaptiveAveragePool2d(output);
