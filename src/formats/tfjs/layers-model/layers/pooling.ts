/** Keras's pooling: over windows, and over the whole map. */
import * as z from "zod";
import { ShapeError } from "../../../../core/errors.ts";
import { type Shape, showShape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import * as nn from "../../../../nn/index.ts";
import { requireChannels } from "../../../../nn/layers/convolution.ts";
import { cast, concat, div, mul, reduceMax, reduceMean, reduceSum, slice, unsqueeze } from "../../../../ops/index.ts";
import type { LayerCall } from "../calls.ts";
import { extents, type Layout, layout, padding, toggle } from "../config.ts";
import { CallLayer, defineLayer, type LayerClass, type LayerClasses, plainLayer } from "../layer.ts";
import { requireExtents } from "./resizing.ts";

/** Pooling over windows, whose channels lie as the file says. */
class Pool extends nn.Pool {
  readonly #layout: Layout;
  constructor(kernel: Shape, average: boolean, options: nn.PoolOptions, own: Layout) {
    super(kernel.length, kernel, average, options);
    this.#layout = own;
  }
  protected override call(x: Value): Value {
    return this.#layout.back(super.call(this.#layout.into(x)));
  }
}

class MaxPool1d extends Pool {}
class MaxPool2d extends Pool {}
class MaxPool3d extends Pool {}
class AveragePool1d extends Pool {}
class AveragePool2d extends Pool {}
class AveragePool3d extends Pool {}

function poolingClass(Kind: typeof Pool, rank: number, average: boolean): LayerClass {
  const fields = {
    pool_size: extents(rank).default(new Array<number>(rank).fill(2)),
    strides: extents(rank).nullish(),
    padding,
    data_format: layout,
  };
  return plainLayer(z.object(fields), ({ pool_size: kernel, strides, padding: way, data_format }) => {
    const options = { stride: strides ?? kernel, padding: way === "same" ? ("same" as const) : 0 };
    // TensorFlow averages over what lies in the map alone.
    return new Kind(kernel, average, average ? { ...options, countIncludePad: false } : options, data_format);
  });
}

/** Pooling to a given number of windows, which divide an axis as evenly as they can and may overlap (PyTorch's). */
class AdaptivePool extends nn.Module {
  override readonly kind = "pooling";
  readonly #output: Shape;
  readonly #average: boolean;
  readonly #layout: Layout;
  constructor(output: Shape, average: boolean, own: Layout) {
    super();
    this.#output = output;
    this.#average = average;
    this.#layout = own;
  }
  protected call(x: Value): Value {
    requireChannels(x, this.#output.length);
    const first = this.#layout.into(x);
    return this.#layout.back(this.#output.reduce((y, windows, i) => this.#along(y, i + 2, windows), first));
  }
  /** Of windows that are products of intervals, the mean and the maximum are those along one axis after another. */
  #along(x: Value, axis: number, windows: number): Value {
    const extent = x.shape[axis] ?? 1;
    const reduce = this.#average ? reduceMean : reduceMax;
    const parts = Array.from({ length: windows }, (_, i) => {
      const [start, end] = [Math.floor((i * extent) / windows), Math.ceil(((i + 1) * extent) / windows)];
      return reduce(slice(x, { axis, start, end }), [axis], { keepDims: true });
    });
    return concat(parts, axis);
  }
}

const adaptive = (rank: number, average: boolean): LayerClass =>
  plainLayer(z.object({ output_size: extents(rank), data_format: layout }), ({ output_size, data_format }) => {
    requireExtents(output_size);
    return new AdaptivePool(output_size, average, data_format);
  });

const globalFields = z.object({ data_format: layout, keepdims: toggle(false) });
type GlobalFields = z.output<typeof globalFields>;

/** What pooling leaves of x, with the reduced axes as extents of 1 where the settings keep them. */
function pooled(x: Value, { data_format, keepdims }: GlobalFields, pool: (x: Value) => Value): Value {
  const y = pool(data_format.into(x)); // [N, C]
  if (!keepdims) return y;
  const reduced = x.shape.slice(2).map((_, i) => i + 2);
  return data_format.back(unsqueeze(y, reduced));
}

/** Pooling over every axis between batch and channels. */
class GlobalPool extends nn.GlobalPool {
  readonly #fields: GlobalFields;
  constructor(average: boolean, fields: GlobalFields) {
    super(average);
    this.#fields = fields;
  }
  protected override call(x: Value): Value {
    return pooled(x, this.#fields, (first) => super.call(first));
  }
}

class GlobalAveragePool extends GlobalPool {}
class GlobalMaxPool extends GlobalPool {}

/** The mean over the steps of sequences, of those alone that a mask keeps. */
class MaskedAveragePool extends CallLayer {
  override readonly kind = "pooling";
  readonly #fields: GlobalFields;
  constructor(fields: GlobalFields) {
    super();
    this.#fields = fields;
  }
  protected call({ inputs: [x], masks: [mask] }: LayerCall): Value {
    if (x?.rank !== 3)
      throw new ShapeError(`input ${x && showShape(x.shape)} needs three axes; pass [batch, steps, features]`);
    return pooled(x, this.#fields, (first) => {
      if (!mask) return reduceMean(first, [2]);
      const counts = unsqueeze(cast(mask, x.dtype), [1]); // [N, 1, T]
      return div(reduceSum(mul(first, counts), [2]), reduceSum(counts, [2]));
    });
  }
}

const globalPoolingClass = (Kind: typeof GlobalPool, average: boolean): LayerClass =>
  plainLayer(globalFields, (fields) => new Kind(average, fields));

const globalAverage = globalPoolingClass(GlobalAveragePool, true);
const globalMax = globalPoolingClass(GlobalMaxPool, false);

export const poolingClasses: LayerClasses = {
  MaxPooling1D: poolingClass(MaxPool1d, 1, false),
  MaxPooling2D: poolingClass(MaxPool2d, 2, false),
  MaxPooling3D: poolingClass(MaxPool3d, 3, false),
  AveragePooling1D: poolingClass(AveragePool1d, 1, true),
  AveragePooling2D: poolingClass(AveragePool2d, 2, true),
  AveragePooling3D: poolingClass(AveragePool3d, 3, true),
  AdaptiveMaxPooling1D: adaptive(1, false),
  AdaptiveMaxPooling2D: adaptive(2, false),
  AdaptiveMaxPooling3D: adaptive(3, false),
  AdaptiveAveragePooling1D: adaptive(1, true),
  AdaptiveAveragePooling2D: adaptive(2, true),
  AdaptiveAveragePooling3D: adaptive(3, true),
  GlobalAveragePooling1D: defineLayer(globalFields, (fields) => ({ module: new MaskedAveragePool(fields) }), [
    "inputs",
    "mask",
  ]),
  GlobalAveragePooling2D: globalAverage,
  GlobalAveragePooling3D: globalAverage,
  GlobalMaxPooling1D: globalMax,
  GlobalMaxPooling2D: globalMax,
  GlobalMaxPooling3D: globalMax,
};
