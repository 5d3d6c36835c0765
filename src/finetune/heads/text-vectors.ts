/** A pretrained model of tokens that gives one unit vector for each text. */
import { ShapeError } from "../../core/errors.ts";
import { oneOf, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import { isPlainObject } from "../../core/tree.ts";
import type { TensorType, Value } from "../../graph/ir.ts";
import { type AnyModule, type Context, Module, unitLength, valuesOf } from "../../nn/index.ts";
import { inputTypesOf } from "../adapters/sites.ts";
import { type Pooling, pooledTokens } from "./pooling.ts";
import { stateLayer } from "./state-layer.ts";
import { type Cut, cutOf, freezeUnread, outputOf } from "./up-to.ts";

/** Token ids, and which of them take part. */
export type TextVectorInputs = {
  /** Token ids, [N, T]. */
  readonly x: Value;
  /** 1 for each token of the text, 0 for those that fill the row up, [N, T]. */
  readonly mask: Value;
};

/** Token ids [N, T] and a mask [N, T] → vectors of length 1, [N, W]. Make one with `textVectors`. */
export class TextVectors extends Module<TextVectorInputs> {
  override readonly inputs = { x: "required", mask: "required" } as const;
  readonly base: AnyModule;
  /** The layer of the base that gives the states; `undefined` for what the base gives. */
  readonly layer: string | undefined;
  readonly #pooling: VectorPooling;

  constructor({ base, layer }: Cut<never>, pooling: VectorPooling) {
    super();
    this.base = base;
    this.layer = layer;
    this.#pooling = pooling;
  }

  protected call({ x, mask }: TextVectorInputs, context: Context): Value {
    const takesMask = typeof this.base.inputs === "object" && "mask" in this.base.inputs;
    const [features] = valuesOf(outputOf(this, (takesMask ? { x, mask } : x) as never, context));
    if (!features || (features.rank !== 2 && features.rank !== 3))
      throw new ShapeError(
        `the model gives ${features ? showShape(features.shape) : "nothing"}, expected states of tokens [N, T, W] or vectors [N, W]; name the layer that gives them: at`,
      );
    return unitLength(pooledTokens(features, this.#pooling, mask));
  }
}

/** How the states of tokens become one vector. */
export type VectorPooling = Exclude<Pooling, "none">;

/** Options of `textVectors`. */
export interface TextVectorsOptions {
  /** The layer whose output is pooled; default the last hidden states. */
  readonly at?: string;
  /** How the states of tokens become one vector; default their mean (Reimers and Gurevych 2019, sec. 3). */
  readonly pooling?: VectorPooling;
}

const checkOptions = optionsOf<TextVectorsOptions>("textVectors", {
  at: string,
  pooling: oneOf("mean", "first", "last", "max"),
});

/**
 * The model as an encoder of texts: the states of a text's tokens, pooled without those that fill the row up, divided by their length.
 * Vectors that the model gives itself are divided alone. A model that takes no mask sees what fills rows up, unless its attention is
 * causal. Parameters that the vectors do not depend on, such as a pooler's, are frozen. Throws OptionError for a layer that there is not.
 * @example cosineSimilarities(textVectors(bert).apply({ x, mask }, context), other)
 */
export function textVectors(base: AnyModule, options: TextVectorsOptions = {}): TextVectors {
  const { at = stateLayer(base), pooling = "mean" } = checkOptions(options);
  const model = new TextVectors(cutOf(base as never, at), pooling);
  const types: unknown = inputTypesOf(base);
  const x = (isPlainObject(types) && "x" in types ? types["x"] : types) as TensorType;
  freezeUnread(model, { x, mask: x });
  return model;
}
