/** Towers of CLIP and SigLIP: transformers of a text or of an image, which both end in one vector. */
import type { Value } from "../../graph/ir.ts";
import {
  type ActivationName,
  type Context,
  conv2d,
  type Embedding,
  embedding,
  type LayerNorm,
  layerNorm,
  Module,
  type PositionEmbedding,
  positionEmbedding,
} from "../../nn/index.ts";
import { plainNetwork } from "./networks.ts";
import { ProjectedAttention } from "./projected-attention.ts";
import { initial, requireTokens, type TokenInputs, type TransformerSizes, tokenInputs } from "./tokens.ts";
import { TransformerBlock } from "./transformer-block.ts";

/** How a tower computes. */
export interface TowerForm extends Omit<TransformerSizes, "vocabulary" | "positions"> {
  readonly activation: ActivationName;
  readonly attentionDropout: number;
  readonly epsilon: number;
  readonly deviation: number;
  /** Tokens attend to those before them alone; default false. */
  readonly causal?: boolean;
}

/** Layers of a tower. */
export class TowerEncoder extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly layers: readonly TransformerBlock[];
  constructor(form: TowerForm) {
    super();
    this.layers = Array.from({ length: form.layers }, () => blockOf(form));
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    return this.layers.reduce((states, layer) => layer.apply({ x: states, mask }, context), x);
  }
}

function blockOf({ causal = false, epsilon, ...form }: TowerForm): TransformerBlock {
  const self_attn = new ProjectedAttention({ ...form, dropout: 0 }, { causal });
  const mlp = plainNetwork(["fc1", "fc2"], { ...form, bias: true, initializer: initial(form.deviation) });
  const [layer_norm1, layer_norm2] = [layerNorm({ epsilon }), layerNorm({ epsilon })];
  return new TransformerBlock(
    { self_attn, layer_norm1, mlp, layer_norm2 },
    { attention: { part: self_attn, before: layer_norm1 }, network: { part: [mlp], before: layer_norm2 } },
  );
}

/** Token ids [N, T] → states [N, T, W]. */
export class TextTower extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly embeddings: { readonly token_embedding: Embedding; readonly position_embedding: PositionEmbedding };
  readonly encoder: TowerEncoder;
  readonly final_layer_norm: LayerNorm;
  constructor(form: TowerForm & Pick<TransformerSizes, "vocabulary" | "positions">) {
    super();
    const { vocabulary, positions, width, deviation, epsilon } = form;
    const initializer = initial(deviation);
    this.embeddings = {
      token_embedding: embedding(vocabulary, width, { initializer }),
      position_embedding: positionEmbedding(positions, { initializer }),
    };
    this.encoder = new TowerEncoder(form);
    this.final_layer_norm = layerNorm({ epsilon });
  }
  protected call({ x: ids, mask }: TokenInputs, context: Context): Value {
    const { token_embedding: tokens, position_embedding: positions } = this.embeddings;
    requireTokens(ids, positions.count);
    const vectors = positions.apply(tokens.apply(ids, context), context);
    return this.final_layer_norm.apply(this.encoder.apply({ x: vectors, mask }, context), context);
  }
}

/** The vectors of an image's patches: [N, C, H, W] → [N, width, H / patch, W / patch]. */
export const patchEmbedding = (
  width: number,
  patch: number,
  options: { readonly bias: boolean; readonly deviation: number },
) => conv2d(width, patch, { stride: patch, bias: options.bias, initializer: initial(options.deviation) });
