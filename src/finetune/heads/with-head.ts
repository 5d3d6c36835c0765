/** A pretrained model with a new head. */
import { ShapeError } from "../../core/errors.ts";
import { oneOf, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { isPlainObject } from "../../core/tree.ts";
import { KerasModel } from "../../formats/tfjs/layers-model/keras-model.ts";
import { Value } from "../../graph/ir.ts";
import { type AnyModule, type Context, type InputForm, Module, type TensorModule, valuesOf } from "../../nn/index.ts";
import { type Channels, type Pooling, pooledPlaces, pooledTokens } from "./pooling.ts";
import { type Cut, cutOf, outputOf, UpTo } from "./up-to.ts";

/** Options of `withHead`. */
export interface HeadPlacement {
  /** The layer, or value of a file's graph, whose output the head takes; default what the model gives. */
  readonly at?: string;
  /**
   * What is made of features [N, T, W] or of images: their mean, the first, the last or the largest, without tokens that the input `mask`
   * leaves out; or as they are, for a head of tokens. Default the mean; vectors [N, W] are taken as they are.
   */
  readonly pooling?: Pooling;
  /** Where the channels of images lie: `first`, [N, C, …], or `last`, [N, …, C]; default last in a Keras model, first in any other. */
  readonly channels?: Channels;
}

const checkOptions = optionsOf<HeadPlacement>("withHead", {
  at: string,
  pooling: oneOf<Pooling>("mean", "first", "last", "max", "none"),
  channels: oneOf<Channels>("first", "last"),
});

/** A model, what is made of its features, and a head on them. Make one with `withHead`. */
export class WithHead<I = Value> extends Module<I, Value> {
  override readonly inputs: InputForm;
  readonly base: Module<I, unknown>;
  /** The layer of the base whose output the head takes; `undefined` for what the base gives. */
  readonly layer: string | undefined;
  readonly head: TensorModule;
  readonly pooling: Pooling;
  readonly channels: Channels;

  constructor({ base, layer }: Cut<I>, head: TensorModule, { pooling, channels }: Required<Omit<HeadPlacement, "at">>) {
    super();
    this.base = base;
    this.layer = layer;
    this.head = head;
    this.pooling = pooling;
    this.channels = channels;
    this.inputs = base.inputs;
  }

  protected call(inputs: I, context: Context): Value {
    const apply = () => outputOf(this, inputs, context);
    // Features that do not learn are those of evaluation, without dropout.
    const isFrozen = [...this.base.parameters().values()].every((parameter) => parameter.isBuffer || parameter.frozen);
    const given = isFrozen ? context.evaluating(apply) : apply();
    const [features, ...others] = valuesOf(given);
    if (!features || (others.length > 0 && !isPlainObject(given)))
      throw new ShapeError("the model gives no features; name the layer that does: withHead(model, head, { at: … })");
    const mask = isPlainObject(inputs) ? (inputs as Readonly<Record<string, unknown>>)["mask"] : undefined;
    const tokens = () => pooledTokens(features, this.pooling, mask instanceof Value ? mask : undefined);
    const pooled = features.rank > 3 ? pooledPlaces(features, this.pooling, this.channels) : tokens();
    return this.head.apply(pooled, context);
  }
}

/**
 * A pretrained model with a new head on its features: `head` may be a dense layer of as many units as there are classes. Parameters are under
 * `base` and `head`; only the head has to be initialized. A base that is frozen as a whole computes as in evaluation, without dropout. Throws OptionError for a layer that there is not.
 * @example
 * const model = withHead(bert, dense(3), { at: "bert.encoder", pooling: "mean" });
 * model.freeze("base");
 */
export function withHead<I>(model: Module<I, unknown>, head: TensorModule, options: HeadPlacement = {}): WithHead<I> {
  const { at, pooling = "mean", channels = channelsOf(model) } = checkOptions(options);
  return new WithHead(cutOf(model, at), head, { pooling, channels });
}

function channelsOf(model: AnyModule): Channels {
  if (model instanceof UpTo) return channelsOf(model.base);
  return model instanceof KerasModel ? "last" : "first";
}
