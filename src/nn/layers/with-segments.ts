/** Rows that hold several samples, one behind the other: packing without attention across them. */
import type { Value } from "../../graph/ir.ts";
import type { Context } from "../context.ts";
import { Module, type TensorModule } from "../module.ts";

/** What a model of packed rows takes. */
export type PackedInputs = {
  /** Token ids, integers [N, T]. */
  readonly x: Value;
  /** The sample of its row that each token is of, integers [N, T]; 0 for padding. */
  readonly segments: Value;
};

/** A model of tokens that reads rows of several samples. Make one with `withSegments`. */
export class WithSegments extends Module<PackedInputs> {
  override readonly inputs = { x: "required", segments: "required" } as const;
  readonly base: TensorModule;

  constructor(base: TensorModule) {
    super();
    this.base = base;
  }

  protected call({ x, segments }: PackedInputs, context: Context): Value {
    return context.withinSegments(segments, () => this.base.apply(x, context));
  }
}

/**
 * A model of tokens [N, T] on rows that hold several samples, such as `packExamples` makes: attention that goes through `attend` stays within
 * a sample, and learned positions begin anew with each. Train this one, and use the model itself afterwards: its parameters are the same.
 * @example await fit(withSegments(model), packed.all.batch(4).map(({ x, y, segments }) => ({ x, y, segments })), { loss, optimizer });
 */
export const withSegments = (model: TensorModule): WithSegments => new WithSegments(model);
