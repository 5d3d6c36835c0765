/** What decoders of tokens are put together from: blocks, and stacks of them under published names. */
import { fraction } from "../../../core/option-types.ts";
import { type OptionTypes, required } from "../../../core/options.ts";
import type { Value } from "../../../graph/ir.ts";
import { type ActivationName, type Context, type Embedding, Module, type TensorModule } from "../../../nn/index.ts";
import { add } from "../../../ops/index.ts";
import {
  detailsType,
  requireTokens,
  sizesType,
  type TokenInputs,
  type TransformerDetails,
  type TransformerSizes,
  tokenInputs,
} from "../../shared/tokens.ts";

/** Options that decoders have. */
export interface DecoderOptions {
  /** Its extents. */
  readonly sizes: TransformerSizes;
  /** Where it is not as published. */
  readonly details?: TransformerDetails | undefined;
  /** Rate at which the sums of embeddings are dropped while training; default that of the publication. */
  readonly embeddingDropout?: number | undefined;
}

export const decoderTypes: OptionTypes<DecoderOptions> = {
  sizes: required(sizesType),
  details: detailsType,
  embeddingDropout: fraction,
};

/** Options with the defaults of most decoders after GPT-3, which drop nothing. */
export const decoderDefaults = <O extends DecoderOptions>({ sizes, details, ...own }: O) => ({
  activation: "geluTanh" as ActivationName,
  dropout: 0,
  attentionDropout: 0,
  embeddingDropout: 0,
  epsilon: 1e-5,
  deviation: 0.02,
  ...sizes,
  ...details,
  ...own,
});

/** One branch of a block: its parts, and where it is normalized. */
export interface Branch<Part> {
  readonly part: Part;
  /** Of what the part takes. */
  readonly before?: TensorModule | undefined;
  /** Of what the part gives, before it is added. */
  readonly after?: TensorModule | undefined;
  /** Of the sum. */
  readonly behind?: TensorModule | undefined;
}

/** How a block computes. */
export interface BlockForm {
  readonly attention: Branch<Module<TokenInputs>>;
  readonly network: Branch<readonly TensorModule[]>;
  /** Both branches take the block's input, and one sum is made of both (Wang and Komatsuzaki 2021); default false. */
  readonly parallel?: boolean;
  /** One after the other, they are added to what they take, normalized, rather than to the block's input; default false. */
  readonly normalizedSums?: boolean | undefined;
}

/** Attention and a feed-forward network, each added to what it takes; parts under their published names. */
export class DecoderBlock extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly #form: BlockForm;
  constructor(parts: Readonly<Record<string, object | undefined>>, form: BlockForm) {
    super();
    Object.assign(this, parts);
    this.#form = form;
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const { attention, network, parallel = false, normalizedSums = false } = this.#form;
    const through = (value: Value, layers: readonly (TensorModule | undefined)[]) =>
      layers.reduce((inner, layer) => (layer ? layer.apply(inner, context) : inner), value);
    const attend = (taken: Value) => through(attention.part.apply({ x: taken, mask }, context), [attention.after]);
    const compute = (taken: Value) => through(through(taken, network.part), [network.after]);
    const normal = through(x, [attention.before]);
    if (parallel) {
      const own = network.before === attention.before ? normal : through(x, [network.before]);
      return add(x, add(attend(normal), compute(own)));
    }
    const attended = through(add(normalizedSums ? normal : x, attend(normal)), [attention.behind]);
    const taken = through(attended, [network.before]);
    return through(add(normalizedSums ? taken : attended, compute(taken)), [network.behind]);
  }
}

/** How a decoder computes. */
export interface DecoderForm {
  readonly tokens: Embedding;
  /** What is made of the tokens' vectors, [N, T, W]: positions, a norm, dropout; `mask` says which tokens take part. */
  readonly embed?: (vectors: Value, context: Context, mask: Value | undefined) => Value;
  readonly blocks: readonly Module<TokenInputs>[];
  /** Layers on the last block's states. */
  readonly finish?: readonly TensorModule[];
  /** The longest sequence; default no limit. */
  readonly longest?: number;
}

/** A causal decoder: token ids [N, T] → states [N, T, width], each of a token and those before it. */
export class Decoder extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  /** Vectors of tokens, which scores may be tied to. */
  readonly #form: DecoderForm;
  constructor(parts: Readonly<Record<string, object | undefined>>, form: DecoderForm) {
    super();
    Object.assign(this, parts);
    this.#form = form;
  }
  /** Vectors of tokens, which scores may be tied to. */
  get tokens(): Embedding {
    return this.#form.tokens;
  }
  protected call({ x: ids, mask }: TokenInputs, context: Context): Value {
    const { tokens, embed, blocks, finish = [], longest } = this.#form;
    requireTokens(ids, longest);
    const vectors = tokens.apply(ids, context);
    const embedded = embed ? embed(vectors, context, mask) : vectors;
    const states = blocks.reduce((value, block) => block.apply({ x: value, mask }, context), embedded);
    return finish.reduce((value, layer) => layer.apply(value, context), states);
  }
}
