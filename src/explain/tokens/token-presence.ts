/** A model of tokens as a model of how far each token is there, which every method explains. */
import { OptionError, UnsupportedError } from "../../core/errors.ts";
import { count, eitherOf, oneOf } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import { fullTensor, type Tensor } from "../../core/tensor.ts";
import { mapTree } from "../../core/tree.ts";
import { Value } from "../../graph/ir.ts";
import { rewrite } from "../../graph/rewrite.ts";
import { type AnyModule, type Context, Module, valuesOf } from "../../nn/index.ts";
import { add, cast, constant, expand, mul, reduceMean, reshape, sub } from "../../ops/index.ts";
import { type Lookup, lookupsOf } from "./lookups.ts";
import { type SampleInputs, type TokenOptions, tokensOf, tokenTypes } from "./token-inputs.ts";

/** Options of `tokenPresence`. */
export interface PresenceOptions extends TokenOptions {
  /**
   * What stands where a token is not there: the vector of a token, such as that which fills rows up, or the mask; or `"mean"`, that of all
   * tokens' vectors; default vectors of zeros.
   */
  readonly baseline?: number | "mean" | undefined;
}

export const presenceTypes: OptionTypes<PresenceOptions> = {
  ...tokenTypes,
  baseline: eitherOf(count(0), oneOf("mean"), 'a token, a whole number from 0, or "mean"'),
};

const checkOptions = optionsOf<PresenceOptions>("tokenPresence", presenceTypes);

/** How far each token is there, [N, …], in place of the tokens: a sample of the model whose tokens' vectors are between a baseline and their own. */
class TokenPresence extends Module<Value, unknown> {
  readonly model: AnyModule;
  readonly #inputs: SampleInputs;
  readonly #tokens: Tensor;
  readonly #baseline: PresenceOptions["baseline"];

  constructor(model: AnyModule, inputs: SampleInputs, tokens: Tensor, baseline: PresenceOptions["baseline"]) {
    super();
    this.model = model;
    this.#inputs = inputs;
    this.#tokens = tokens;
    this.#baseline = baseline;
  }

  protected call(presence: Value, context: Context): unknown {
    const samples = presence.shape[0] ?? 1;
    const copied = (tensor: Tensor) => expand(constant(tensor), [samples, ...tensor.shape.slice(1)]);
    const tokens = copied(this.#tokens);
    const given = mapTree(this.#inputs, (leaf) => (leaf === this.#tokens ? tokens : copied(leaf as Tensor)));
    const output = this.model.apply(given as never, context);
    const outputs = valuesOf(output);
    const lookups = lookupsOf(outputs, tokens, presence);
    if (lookups.length === 0)
      throw new UnsupportedError(
        "no table of floats that is looked up by the tokens was found between them and the output; explain the tokens themselves: occlusion(model, tokens, { fill: padding })",
      );
    const moved = new Map<Value, Value>();
    for (const lookup of lookups) {
      const { vectors, beside } = lookup;
      const share = beside.dtype === vectors.dtype ? beside : cast(beside, vectors.dtype);
      const absent = this.#absent(lookup, tokens);
      moved.set(vectors, absent ? add(absent, mul(share, sub(vectors, absent))) : mul(share, vectors));
    }
    const replaced = rewrite(outputs, () => undefined, moved).outputs;
    let next = 0;
    return mapTree(output, (leaf) => (leaf instanceof Value ? replaced[next++] : leaf));
  }

  /** What stands for the vectors of a table; `undefined` for zeros. */
  #absent({ vectors, table, axis, indices }: Lookup, tokens: Value): Value | undefined {
    const baseline = this.#baseline;
    if (baseline === undefined) return undefined;
    if (baseline === "mean") {
      const [before, after] = [table.shape.slice(0, axis), table.shape.slice(axis + 1)];
      const places = [...before, ...indices.shape.map(() => 1), ...after];
      return expand(reshape(reduceMean(table, [axis]), places), vectors.shape);
    }
    const token = expand(constant(fullTensor(this.#tokens.dtype, [1], baseline)), tokens.shape);
    return rewrite([vectors], () => undefined, new Map([[tokens, token]])).outputs[0];
  }
}

/** What `tokenPresence` gives. */
export interface PresenceModel<O> {
  /** From how far each token is there, float32 [N, …], to the outputs. */
  readonly model: Module<Value, O>;
  /** All tokens are there: ones, of the shape of the tokens. */
  readonly x: Tensor<"float32">;
}

/**
 * A model of tokens, and one sample of it, as a model of floats: how far each token is there, from 0, the baseline, to 1, the token's own
 * vector. All methods and checks take it. The tables that tokens are looked up in are found in the graph, of modules and of files; what else
 * depends on the tokens, such as masks, and the other inputs stay. The integrated gradients of it are those of the vectors, summed over each
 * token's. Throws OptionError where it is not clear which input holds the tokens; the trace throws UnsupportedError where no table is found.
 * @param inputs tokens [1, T] of integers, or inputs by name of which one holds them
 * @example
 * const { model: presence, x } = explain.tokenPresence(bert, { x: ids, mask }, { baseline: padding });
 * const { features } = await explain.kernelShap(presence, x);
 */
export function tokenPresence<O>(
  model: Module<never, O>,
  inputs: SampleInputs,
  options: PresenceOptions = {},
): PresenceModel<O> {
  const { baseline } = checkOptions(options);
  const { tokens } = tokensOf(inputs, options);
  if (tokens.data.length === 0) throw new OptionError("there are no tokens; pass one or more, [1, T]");
  return {
    model: new TokenPresence(model, inputs, tokens, baseline) as unknown as Module<Value, O>,
    x: fullTensor("float32", tokens.shape, 1) as Tensor<"float32">,
  };
}
