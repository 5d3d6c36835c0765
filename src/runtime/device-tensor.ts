/** Tensors in the memory of a device. */
import type { Tensor as OrtTensor } from "onnxruntime-common";
import type { ArrayOf, DType } from "../core/dtype.ts";
import { DataError } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";

/**
 * A tensor in the memory of a device: an input of compiled graphs like any other, but its elements can be read on the host only after
 * they were fetched, and until it becomes another. What was written into fetched elements the device does not see.
 */
export class DeviceTensor<D extends DType = DType> extends Tensor<D> {
  #handle: OrtTensor | undefined;
  #fetched: ArrayOf<D> | undefined;

  constructor(dtype: D, shape: Shape) {
    super(dtype, shape, () => this.#read());
  }

  #read(): ArrayOf<D> {
    if (!this.#fetched)
      throw new DataError(
        "these numbers are in the memory of the device, and were changed there since they were fetched; fetch them first: await trainer.sync()",
      );
    return this.#fetched;
  }

  /** The engine's own, to hand to it. Throws DataError where there is none yet. */
  get handle(): OrtTensor {
    if (!this.#handle) throw new DataError("nothing was put into this tensor of the device yet");
    return this.#handle;
  }

  /** Whether its elements can be read on the host. */
  get isFetched(): boolean {
    return this.#fetched !== undefined;
  }

  /** Becomes what the engine computed; what it was is freed. */
  become(handle: OrtTensor): void {
    this.#handle?.dispose();
    this.#handle = handle;
    this.#fetched = undefined;
  }

  /** Keeps a copy of its elements to be read on the host. */
  fetched(data: ArrayOf<D>): void {
    this.#fetched = data;
  }

  /** Frees the device's memory. */
  release(): void {
    this.#handle?.dispose();
    this.#handle = undefined;
  }
}
