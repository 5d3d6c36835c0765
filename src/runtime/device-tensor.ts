/** Tensors in the memory of a device. */
import type { Tensor as OrtTensor } from "onnxruntime-common";
import type { ArrayOf, DType } from "../core/dtype.ts";
import { DataError } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";

/**
 * A tensor in the memory of a device: an input of compiled graphs like any other, but its elements can be read on the host only after
 * they were fetched, and until it becomes another.
 */
export class DeviceTensor<D extends DType = DType> extends Tensor<D> {
  #handle: OrtTensor | undefined;
  #freed: (() => void) | undefined;

  /** @param read gives its elements where they were fetched; default they never are */
  constructor(dtype: D, shape: Shape, read: () => ArrayOf<D> = unfetched) {
    super(dtype, shape, read);
  }

  /** The engine's own, to hand to it; none where the device holds nothing of it. */
  get handle(): OrtTensor | undefined {
    return this.#handle;
  }

  /** Becomes what the engine computed; what it was is freed. @param freed is told when that is freed in its turn */
  become(handle: OrtTensor, freed: () => void): void {
    this.release();
    this.#handle = handle;
    this.#freed = freed;
  }

  /** Frees the device's memory. */
  release(): void {
    const freed = this.#freed;
    this.#handle?.dispose();
    [this.#handle, this.#freed] = [undefined, undefined];
    freed?.();
  }
}

function unfetched(): never {
  throw new DataError("these numbers are in the memory of the device; await trainer.sync() before reading them");
}
