/** A pretrained model with a new head on the last hidden state of each token. */
import { keyOf } from "../../core/random.ts";
import { type AnyModule, dense, type Module, type TypeTree } from "../../nn/index.ts";
import { stateLayer } from "../heads/state-layer.ts";
import { withHead } from "../heads/with-head.ts";
import type { TextTaskOptions } from "./text-rows.ts";

/** A model of token ids [N, T] → scores [N, T, units], and the layer that its head reads; `undefined` for what the model gives. */
export function withTokenHead(
  base: AnyModule,
  units: number,
  { inputs, at: given, seed }: Pick<TextTaskOptions, "at" | "seed"> & { readonly inputs: TypeTree },
): { readonly model: AnyModule; readonly at: string | undefined } {
  base.trace(inputs);
  const at = given ?? stateLayer(base);
  const head = dense(units);
  const placed = { ...(at !== undefined && { at }), pooling: "none" } as const;
  const model: AnyModule = withHead(base as Module<never, unknown>, head, placed);
  model.trace(inputs);
  head.initialize(keyOf(seed));
  return { model, at };
}
