/** Classifiers of texts by an encoder with a decoder, which both read the text, the decoder one token later (Lewis et al. 2020, sec. 3.1). */
import type { Value } from "../../../graph/ir.ts";
import { type Context, Module, type TensorModule } from "../../../nn/index.ts";
import { concat, equal, expand, gatherElements, not, reshape, scalar, slice } from "../../../ops/index.ts";
import { lastOf, stateAt } from "../../shared/last-token.ts";
import { type DecoderInputs, type TokenInputs, tokenInputs } from "../../shared/tokens.ts";

/** The first token of the decoder: the same for all texts, or one of each, [N, 1] of its ids [N, T]. */
export type FirstToken = number | ((ids: Value) => Value);

/** How a text is read. */
export interface ReaderForm {
  readonly model: Module<DecoderInputs>;
  readonly first: FirstToken;
  /** What the head takes of the decoder's states [N, T, W] of the ids [N, T]; default all of them. */
  readonly select?: (states: Value, ids: Value) => Value;
  /** Layers, one after the other. */
  readonly head: readonly TensorModule[];
}

/** Layers on the decoder's states of a text; parts under their published names. */
export class TextReader extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly #form: ReaderForm;
  constructor(parts: Readonly<Record<string, object>>, form: ReaderForm) {
    super();
    Object.assign(this, parts);
    this.#form = form;
  }
  protected call({ x: ids, mask }: TokenInputs, context: Context): Value {
    const { model, first, select, head } = this.#form;
    const states = model.apply({ x: ids, decoder: shifted(ids, first), mask }, context);
    return head.reduce((value, layer) => layer.apply(value, context), select ? select(states, ids) : states);
  }
}

/** The tokens one place later, behind the first of the decoder: [N, T] → [N, T]. */
export function shifted(ids: Value, first: FirstToken): Value {
  const [batch = 1, time = 1] = ids.shape;
  const start = typeof first === "number" ? expand(scalar(first, ids.dtype), [batch, 1]) : first(ids);
  return concat([start, slice(ids, { axis: 1, start: 0, end: time - 1 })], 1);
}

/** The last token of each text that is no padding, [N, 1]. */
export const lastToken =
  (padding: number | undefined) =>
  (ids: Value): Value => {
    const real = padding === undefined ? undefined : not(equal(ids, padding));
    return gatherElements(ids, reshape(lastOf(real, ids.shape), [ids.shape[0] ?? 1, 1]), 1);
  };

/** The state of the last token of a number in each text: [N, T, W] → [N, W]. */
export const lastOfToken =
  (token: number) =>
  (states: Value, ids: Value): Value =>
    stateAt(states, lastOf(equal(ids, token), ids.shape));
