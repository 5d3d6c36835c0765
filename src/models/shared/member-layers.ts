/** Layers of several members side by side, each with weights of its own, which can be trained on other samples. */
import type { Value } from "../../graph/ir.ts";
import { type Context, Module, normalInit, uniformInit, zerosInit } from "../../nn/index.ts";
import { add, gather, matmul, reshape } from "../../ops/index.ts";

/** A dense layer for each member: [N, in] or [members, N, in] → [members, N, units]. */
export class MemberDense extends Module {
  override readonly kind = "dense";
  readonly members: number;
  readonly #units: number;
  readonly #gain: number;
  constructor(members: number, units: number, gain: number) {
    super();
    this.members = members;
    this.#units = units;
    this.#gain = gain;
  }
  protected call(x: Value, context: Context): Value {
    const features = x.shape.at(-1) ?? 1;
    const bound = this.#gain * Math.sqrt(3 / features);
    const w = context.parameter(this, "weight", {
      shape: [this.members, features, this.#units],
      initializer: bound === 0 ? zerosInit : uniformInit(-bound, bound),
    });
    const b = context.parameter(this, "bias", { shape: [this.members, 1, this.#units], initializer: zerosInit });
    return add(matmul(x.rank === 2 ? reshape(x, [1, ...x.shape]) : x, w), b);
  }
}

/** Vectors of ids for each member: ids [N, T] → [members, N, T, width]. */
export class MemberEmbedding extends Module {
  override readonly kind = "embedding";
  readonly #shape: readonly [members: number, count: number, width: number];
  constructor(...shape: readonly [members: number, count: number, width: number]) {
    super();
    this.#shape = shape;
  }
  protected call(ids: Value, context: Context): Value {
    return gather(context.parameter(this, "weight", { shape: this.#shape, initializer: normalInit(0, 0.1) }), ids, 1);
  }
}
