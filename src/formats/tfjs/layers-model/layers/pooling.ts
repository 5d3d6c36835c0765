/** Keras's pooling: over windows, and over the whole map. */
import { z } from "zod";
import type { Shape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import * as nn from "../../../../nn/index.ts";
import { unsqueeze } from "../../../../ops/index.ts";
import { extents, type Layout, layout, padding, toggle } from "../config.ts";
import { type LayerClass, type LayerClasses, plainLayer } from "../layer.ts";

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
class AveragePool1d extends Pool {}
class AveragePool2d extends Pool {}

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

interface GlobalOptions {
  readonly data_format: Layout;
  /** Keep the reduced axes with an extent of 1. */
  readonly keepdims: boolean;
}

/** Pooling over every axis between batch and channels. */
class GlobalPool extends nn.GlobalPool {
  readonly #options: GlobalOptions;
  constructor(average: boolean, options: GlobalOptions) {
    super(average);
    this.#options = options;
  }
  protected override call(x: Value): Value {
    const { data_format, keepdims } = this.#options;
    const y = super.call(data_format.into(x)); // [N, C]
    if (!keepdims) return y;
    const reduced = x.shape.slice(2).map((_, i) => i + 2);
    return data_format.back(unsqueeze(y, reduced));
  }
}

class GlobalAveragePool extends GlobalPool {}
class GlobalMaxPool extends GlobalPool {}

const globalPoolingClass = (Kind: typeof GlobalPool, average: boolean): LayerClass =>
  plainLayer(z.object({ data_format: layout, keepdims: toggle(false) }), (fields) => new Kind(average, fields));

const globalAverage = globalPoolingClass(GlobalAveragePool, true);
const globalMax = globalPoolingClass(GlobalMaxPool, false);

export const poolingClasses: LayerClasses = {
  MaxPooling1D: poolingClass(MaxPool1d, 1, false),
  MaxPooling2D: poolingClass(MaxPool2d, 2, false),
  AveragePooling1D: poolingClass(AveragePool1d, 1, true),
  AveragePooling2D: poolingClass(AveragePool2d, 2, true),
  GlobalAveragePooling1D: globalAverage,
  GlobalAveragePooling2D: globalAverage,
  GlobalMaxPooling1D: globalMax,
  GlobalMaxPooling2D: globalMax,
};
