/** Frozen parameters in the memory of a device: sent there once, not at each step. */
import type { Tensor } from "../../core/tensor.ts";
import { input } from "../../graph/ir.ts";
import { type CompileOptions, compile } from "../../jit/compile.ts";
import { identity } from "../../ops/index.ts";
import { DeviceTensor } from "../../runtime/device-tensor.ts";

/** A copy, and of what. */
interface Copy {
  readonly of: Tensor;
  readonly there: DeviceTensor;
}

/** Copies of host tensors, by what holds them. What is written into such a tensor the device does not see; one that is put in its place it does. */
export class DeviceCopies {
  readonly #options: CompileOptions;
  readonly #copies = new Map<object, Copy>();

  constructor(options: CompileOptions) {
    this.#options = options;
  }

  /** The copy of the tensor that a holder has now. */
  async of(holder: object, tensor: Tensor): Promise<Tensor> {
    if (tensor instanceof DeviceTensor) return tensor;
    const known = this.#copies.get(holder);
    if (known?.of === tensor) return known.there;
    known?.there.release();
    const there = new DeviceTensor(tensor.dtype, tensor.shape);
    const x = input(tensor.dtype, tensor.shape);
    const y = identity(x);
    const { run, session } = await compile([x], [y], this.#options, new Set([y]));
    await run([tensor], [there]);
    // What it gave lasts.
    await session.release();
    this.#copies.set(holder, { of: tensor, there });
    return there;
  }

  /** Frees the device's memory. */
  release(): void {
    for (const { there } of this.#copies.values()) there.release();
    this.#copies.clear();
  }
}
