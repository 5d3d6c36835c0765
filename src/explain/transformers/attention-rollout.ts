/** Attention rollout: attention followed through all layers. */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { AttentionMap } from "./attention-maps.ts";

/**
 * How much of each token is in each place behind the last layer, [T, T], if attention alone moved it: the heads' mean of each layer with the
 * identity added for what goes past it, normalized to (A + I) / 2, multiplied through the layers (Abnar and Zuidema 2020, section 3). Rows sum to 1.
 * @param maps of the layers of one stack, first to last, as `attentionMaps` gives them. Throws ShapeError unless all are of T tokens among themselves, OptionError for none
 * @example const shares = explain.attentionRollout(await explain.attentionMaps(bert, { x: ids, mask })); // of the class token: row 0
 */
export function attentionRollout(maps: readonly AttentionMap[]): Tensor<"float32"> {
  const [first] = maps;
  if (!first) throw new OptionError("attentionRollout: there are no maps; pass those of attentionMaps");
  const [, tokens = 0] = first.weights.shape;
  let through = identity(tokens);
  for (const { path, weights } of maps) {
    const [heads = 1, queries, keys] = weights.shape;
    if (queries !== tokens || keys !== tokens)
      throw new ShapeError(
        `attentionRollout: ${path} attends as ${showShape(weights.shape)}, the first layer among ${tokens} tokens; pass the maps of one stack: maps.filter(({ path }) => path.startsWith("encoder"))`,
      );
    const next = new Float64Array(tokens * tokens);
    for (let query = 0; query < tokens; query++)
      for (let key = 0; key < tokens; key++) {
        let share = query === key ? 0.5 : 0;
        for (let head = 0; head < heads; head++)
          share += ((weights.data[(head * tokens + query) * tokens + key] as number) * 0.5) / heads;
        if (share === 0) continue;
        for (let token = 0; token < tokens; token++)
          next[query * tokens + token] =
            (next[query * tokens + token] as number) + share * (through[key * tokens + token] as number);
      }
    through = next;
  }
  return new Tensor("float32", [tokens, tokens], Float32Array.from(through));
}

function identity(size: number): Float64Array {
  const found = new Float64Array(size * size);
  for (let i = 0; i < size; i++) found[i * size + i] = 1;
  return found;
}
