/** What a Transformer attends to in one sample that stays the same while it learns. */
import { UnsupportedError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { gatherRows, mapRecord } from "../../data/pipeline/rows.ts";
import type { SampleInputs } from "../../explain/tokens/token-inputs.ts";
import { type AttentionMap, type AttentionReader, attentionReader } from "../../explain/transformers/attention-maps.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { takenOf } from "../../nn/inputs.ts";
import type { Module } from "../../nn/module.ts";
import { piecesOf } from "../explain/token-samples.ts";
import { promptIds } from "../open/generation.ts";
import type { Task } from "../recipes/recipe.ts";
import type { WatchedAttention } from "./sample-records.ts";

/** Tokens that are kept of a sample, and bytes of all its maps: beyond them heads are averaged. */
const [mostTokens, mostBytes] = [32, 128 * 1024];

/** A sample with the words of its tokens; without them where nobody can say. */
interface Watched {
  readonly inputs: SampleInputs;
  readonly tokens: readonly string[];
}

/** The prompt of a language model, else the first sample of the batch. */
function sampleOf({ model, writer, reader }: Task, batch: Batch | undefined): Watched | undefined {
  if (writer) {
    const ids = promptIds(writer, writer.prompt).slice(0, Math.min(mostTokens, writer.positions));
    if (ids.length < 2) return undefined;
    return {
      inputs: new Tensor("int32", [1, ids.length], Int32Array.from(ids)),
      tokens: piecesOf(writer.tokenizer, ids),
    };
  }
  if (!batch) return undefined;
  const first = mapRecord(batch, (own) => gatherRows(own, [0]));
  const inputs = takenOf(model.inputs, first) as SampleInputs;
  const ids = reader ? (first["x"]?.toNumbers() ?? []) : [];
  const count = ids.findLastIndex((id) => id !== reader?.padding) + 1;
  return { inputs, tokens: reader ? piecesOf(reader.tokenizer, ids.slice(0, Math.min(count, mostTokens))) : [] };
}

/** Reads attention again and again. */
export class WatchedAttentions {
  readonly #sample: () => Watched | undefined;
  #watched: Watched | undefined;
  readonly #reader: AttentionReader;

  constructor(task: Task, batch: Batch | undefined, compile: CompileOptions) {
    this.#sample = () => sampleOf(task, batch);
    // What writes may be another one than what is trained, with the same parameters.
    const { model } = task.writer && task.deployed ? task.deployed : task;
    this.#reader = attentionReader(model as Module<never, unknown>, compile);
  }

  /** What attends to what now; nothing of a model without attention. */
  async measure(): Promise<WatchedAttention | undefined> {
    this.#watched ??= this.#sample();
    if (!this.#watched) return undefined;
    const { inputs, tokens } = this.#watched;
    try {
      const maps = await this.#reader.read(inputs);
      const sizes = maps.map(({ weights: { shape } }) => shape[0] as number);
      const side = tokens.length > 0 ? tokens.length : mostTokens;
      const bytes = sizes.reduce((sum, heads) => sum + heads * side * side, 0);
      return { tokens, layers: maps.map((map) => layerOf(map, side, bytes > mostBytes)) };
    } catch (error) {
      if (error instanceof UnsupportedError) return undefined;
      throw error;
    }
  }

  /** Lets go of compiled graphs. */
  release(): Promise<void> {
    return this.#reader.release();
  }
}

/** The shares of the first queries and keys as bytes, of each head, or their mean. */
function layerOf(
  { path, weights }: AttentionMap,
  side: number,
  areAveraged: boolean,
): WatchedAttention["layers"][number] {
  const [all = 1, allQueries = 1, allKeys = 1] = weights.shape;
  const [heads, queries, keys] = [areAveraged ? 1 : all, Math.min(side, allQueries), Math.min(side, allKeys)];
  const shareOf = (head: number, query: number, key: number): number =>
    weights.data[(head * allQueries + query) * allKeys + key] ?? 0;
  const bytes = Array.from({ length: heads * queries * keys }, (_, i) => {
    const [key, query, head] = [i % keys, Math.floor(i / keys) % queries, Math.floor(i / (keys * queries))];
    const share = areAveraged
      ? Array.from({ length: all }, (_, own) => shareOf(own, query, key)).reduce((a, b) => a + b, 0) / all
      : shareOf(head, query, key);
    return Math.round(255 * Math.min(1, Math.max(0, share)));
  });
  return { path, heads, queries, keys, shares: btoa(String.fromCharCode(...bytes)) };
}
