/** Parameters and buffers: the tensors that a module owns. */
import type { Shape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import type { Initializer } from "./initializers.ts";
import { type Packed, unpacked } from "./packed.ts";

/** From a parameter's value to a penalty, a scalar that is added to the loss; see `l1` and `l2`. */
export type Regularizer = (weight: Value) => Value;

/** What a layer says of a parameter when it asks for it first. */
export interface ParameterSpec {
  /** Its extents. */
  readonly shape: Shape;
  /** Gives it its first value. */
  readonly initializer: Initializer;
}

/** One tensor of a module. It has no value until the model is initialized or loaded. */
export class Parameter {
  readonly name: string;
  readonly shape: Shape;
  /** What is trained is float32. */
  readonly dtype = "float32";
  readonly initializer: Initializer;
  /** A buffer is updated by the forward pass (running statistics), never by the optimizer. */
  readonly isBuffer: boolean;
  /** Neither an optimizer nor the forward pass changes it. */
  frozen = false;
  #value: Tensor | undefined;
  #packed: Packed | undefined;

  constructor(name: string, spec: ParameterSpec, isBuffer: boolean) {
    this.name = name;
    this.shape = spec.shape;
    this.initializer = spec.initializer;
    this.isBuffer = isBuffer;
  }

  /** Its elements; of one that is packed, unpacked anew each time. A value that is put in takes the place of what is packed. */
  get value(): Tensor | undefined {
    return this.#packed ? unpacked(this.#packed, this.shape) : this.#value;
  }

  set value(value: Tensor | undefined) {
    this.#packed = undefined;
    this.#value = value;
  }

  /** Its elements in fewer bits, where it is stored so; see quantizeFrozen. */
  get packed(): Packed | undefined {
    return this.#packed;
  }

  set packed(packed: Packed | undefined) {
    this.#value = undefined;
    this.#packed = packed;
  }

  /** Whether an optimizer may change it. */
  get trainable(): boolean {
    return !this.isBuffer && !this.frozen;
  }
}
