/** What the metadata of a GGUF file say of a decoder: its config in Hugging Face's words, and the names of its tensors. */
import { FileError } from "../../core/errors.ts";
import { type Shape, size } from "../../core/shape.ts";

/** Values by name; numbers, texts, and lists of them. */
export type Metadata = Readonly<Record<string, unknown>>;

/** Architectures that are loaded, as Hugging Face's families. */
const families: Readonly<Record<string, { readonly type: string; readonly name: string }>> = {
  llama: { type: "llama", name: "LlamaForCausalLM" },
  mistral: { type: "mistral", name: "MistralForCausalLM" },
  qwen2: { type: "qwen2", name: "Qwen2ForCausalLM" },
  qwen3: { type: "qwen3", name: "Qwen3ForCausalLM" },
};

/** The architecture that a file names. */
export const architectureOf = (metadata: Metadata): string => String(metadata["general.architecture"] ?? "");

/** What a number of the metadata is; `undefined` where it is missing or no number. */
function numberOf(metadata: Metadata, name: string): number | undefined {
  const value = metadata[`${architectureOf(metadata)}.${name}`];
  if (typeof value === "bigint") return Number(value);
  return typeof value === "number" ? value : undefined;
}

/**
 * The config.json that a file's metadata stand for. Throws FileError for an architecture that is not among llama, mistral, qwen2 and qwen3.
 * @param tensors extents by the file's names: whether scores are tied, and how many tokens there are, the metadata leave out
 * @param factors what the frequencies of positions are divided by, which Llama 3 has in a tensor
 */
export function configOf(
  metadata: Metadata,
  tensors: ReadonlyMap<string, Shape>,
  factors?: ArrayLike<number>,
): Readonly<Record<string, unknown>> {
  const architecture = architectureOf(metadata);
  const family = Object.hasOwn(families, architecture) ? families[architecture] : undefined;
  if (!family)
    throw new FileError(
      `its architecture is "${architecture}", and models of ${Object.keys(families).join(", ")} are loaded from GGUF; take the safetensors that it was made of`,
    );
  const read = (name: string) => numberOf(metadata, name);
  const [vocabulary] = tensors.get("token_embd.weight") ?? [];
  const fields = {
    model_type: family.type,
    architectures: [family.name],
    vocab_size: vocabulary,
    hidden_size: read("embedding_length"),
    intermediate_size: read("feed_forward_length"),
    num_hidden_layers: read("block_count"),
    num_attention_heads: read("attention.head_count"),
    num_key_value_heads: read("attention.head_count_kv"),
    head_dim: read("attention.key_length"),
    max_position_embeddings: read("context_length"),
    rms_norm_eps: read("attention.layer_norm_rms_epsilon"),
    rope_theta: read("rope.freq_base"),
    rope_scaling: factors ? ownFactors(Array.from(factors)) : scalingOf(metadata),
    sliding_window: read("attention.sliding_window") ?? (family.type === "mistral" ? null : undefined),
    attention_bias: tensors.has("blk.0.attn_output.bias"),
    tie_word_embeddings: !tensors.has("output.weight"),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Frequencies divided by a factor each, in sequences of any length. */
const ownFactors = (factors: readonly number[]) => ({
  rope_type: "longrope",
  short_factor: factors,
  long_factor: factors,
  original_max_position_embeddings: 2 ** 31 - 1,
  attention_factor: 1,
});

function scalingOf(metadata: Metadata): Readonly<Record<string, unknown>> | undefined {
  const type = metadata[`${architectureOf(metadata)}.rope.scaling.type`];
  if (typeof type !== "string" || type === "none") return undefined;
  const trained = numberOf(metadata, "rope.scaling.original_context_length");
  return {
    rope_type: type,
    factor: numberOf(metadata, "rope.scaling.factor") ?? 1,
    ...(trained !== undefined && { original_max_position_embeddings: trained }),
  };
}

/** Names within a layer. */
const layerNames: Readonly<Record<string, string>> = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  attn_q_norm: "self_attn.q_norm",
  attn_k_norm: "self_attn.k_norm",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

/** Names around the layers. */
const outerNames: Readonly<Record<string, string>> = {
  token_embd: "model.embed_tokens",
  output_norm: "model.norm",
  output: "lm_head",
};

/** The name that Hugging Face's classes have for a tensor; `undefined` for one that they do not have. */
export function publishedName(name: string): string | undefined {
  const [, layer, inner, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? [];
  if (layer !== undefined && inner !== undefined)
    return Object.hasOwn(layerNames, inner) ? `model.layers.${layer}.${layerNames[inner]}.${kind}` : undefined;
  const [, outer] = /^(\w+)\.weight$/.exec(name) ?? [];
  return outer !== undefined && Object.hasOwn(outerNames, outer) ? `${outerNames[outer]}.weight` : undefined;
}

/**
 * Rows of queries and keys as Hugging Face has them. In files of the architecture llama the two features that a position turns together
 * lie beside one another, [heads, width / 2, 2] rows; the library has them half a head apart, [heads, 2, width / 2].
 * @param heads of queries or of keys
 */
export function halvesApart(data: Float32Array, shape: Shape, heads: number): Float32Array {
  const [rows = 1] = shape;
  const columns = size(shape) / rows;
  const pairs = rows / heads / 2;
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const [head, place] = [Math.floor(row / (2 * pairs)), row % (2 * pairs)];
    const to = head * 2 * pairs + (place % 2) * pairs + Math.floor(place / 2);
    out.set(data.subarray(row * columns, (row + 1) * columns), to * columns);
  }
  return out;
}

/** How many heads a projection's rows are of, where they stand as `halvesApart` says. */
export function turnedHeads(metadata: Metadata, name: string): number | undefined {
  if (!["llama", "mistral"].includes(architectureOf(metadata))) return undefined;
  const [, which] = /\.attn_(q|k)\.weight$/.exec(name) ?? [];
  if (which === undefined) return undefined;
  const heads = numberOf(metadata, "attention.head_count");
  return which === "q" ? heads : (numberOf(metadata, "attention.head_count_kv") ?? heads);
}
