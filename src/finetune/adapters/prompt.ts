/** Prompt tuning: learned rows of virtual tokens, which stand before a text (Lester et al. 2021). */
import { OptionError } from "../../core/errors.ts";
import { count, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { type AnyModule, normalInit } from "../../nn/index.ts";
import { widenIndices } from "../../ops/checks.ts";
import { gather, greaterOrEqual, maximum, minimum, reshape, scalar, sub, where } from "../../ops/index.ts";
import type { AdapterSet, AdapterSettings } from "./adapter-set.ts";
import { addTo } from "./add-to.ts";
import type { AdapterMethod } from "./method.ts";
import { inputTypesOf, rewriteUses, type WeightSite, weightSites } from "./sites.ts";

/** Options of `addPrompt`. */
export interface PromptOptions {
  /** How many virtual tokens. */
  readonly tokens: number;
  /** The embedding of the tokens; default the largest of the model. */
  readonly target?: string;
}

export const checkPrompt = optionsOf<PromptOptions>("addPrompt", { tokens: required(count()), target: string });

const slotName = "prompt_embeddings";

export const promptMethod: AdapterMethod<PromptOptions, WeightSite> = {
  kind: "prompt",
  places(model, { target }) {
    const tables = weightSites(model, model.trace(inputTypesOf(model))).filter(
      ({ use }) => use.node.op.type === "Gather",
    );
    const [first] = [...tables].sort((a, b) => (b.use.weight.shape[0] ?? 0) - (a.use.weight.shape[0] ?? 0));
    const chosen = target === undefined ? first : tables.find(({ names }) => names.includes(target));
    if (!chosen)
      throw new OptionError(
        `addPrompt: ${target === undefined ? "the model has no embedding of tokens" : `there is no embedding "${target}"`}; embeddings here: ${tables.map(({ name }) => name).join(", ") || "none"}`,
      );
    return [chosen];
  },
  slots({ use }, { tokens }) {
    const shape = [tokens, use.weight.shape[1] ?? 1];
    return { [slotName]: { shape, initial: (random) => normalInit(0, 0.02)(shape, random) } };
  },
  apply: (outputs, run, placed) =>
    rewriteUses(outputs, run, placed, ({ node, form, weight }, { slots }) => {
      const prompt = slots[slotName];
      const [y] = node.outputs;
      if (!prompt) return y;
      const [own = 1] = weight.shape;
      const [tokens = 1] = prompt.shape;
      const { x } = form;
      widenIndices(x, {
        from: own,
        to: own + tokens,
        mend: `it has ${own} tokens and ${tokens} virtual ones: correct the row`,
      });
      const isVirtual = reshape(greaterOrEqual(x, scalar(own, x.dtype)), [...x.shape, 1]);
      const virtual = gather(prompt, maximum(sub(x, own), scalar(0, x.dtype)));
      return where(isVirtual, virtual, form.bare(minimum(x, scalar(own - 1, x.dtype))));
    }),
  // Rows that are filled up would be read as zeros.
  shared: ({ tokens }) => ({ tokens }),
};

/**
 * Adds virtual tokens to the embedding of a model, learned rows behind its own, freezes everything else, and puts the adapter into use
 * (Lester et al. 2021, sec. 2). Their ids follow those of the vocabulary: `withVirtualTokens` puts them before each row of ids, where masks,
 * positions and generation take them for tokens like any other. Throws OptionError for a model without an embedding.
 * @example
 * await addPrompt(model, { tokens: 20 });
 * const logits = await predict(model, withVirtualTokens(ids, { vocabulary: 50_257, tokens: 20 }));
 */
export const addPrompt = async (
  model: AnyModule,
  options: PromptOptions,
  settings: AdapterSettings = {},
): Promise<AdapterSet<PromptOptions, WeightSite>> => addTo(model, promptMethod, checkPrompt(options), settings);

/** Rows of token ids [N, T] with the ids of virtual tokens before each: [N, tokens + T]. */
export function withVirtualTokens(
  ids: Tensor<"int32">,
  { vocabulary, tokens }: { readonly vocabulary: number; readonly tokens: number },
): Tensor<"int32"> {
  const [rows = 1, length = 1] = ids.shape;
  const data = new Int32Array(rows * (tokens + length));
  for (let row = 0; row < rows; row++) {
    const start = row * (tokens + length);
    for (let i = 0; i < tokens; i++) data[start + i] = vocabulary + i;
    data.set(ids.data.subarray(row * length, (row + 1) * length), start + tokens);
  }
  return new Tensor("int32", [rows, tokens + length], data);
}
