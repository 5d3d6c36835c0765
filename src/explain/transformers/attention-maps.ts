/** What attends to what: the probabilities of each attention of a model, found in its graph. */
import { UnsupportedError } from "../../core/errors.ts";
import type { Shape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { type AnyModule, type Context, Module, valuesOf } from "../../nn/index.ts";
import { cast } from "../../ops/index.ts";
import { predictor } from "../../train/predict.ts";
import { attentionsOf } from "../../transform/attentions.ts";
import { requireSampleInputs, type SampleInputs } from "../tokens/token-inputs.ts";

/** What one attention of a model attends to. */
export interface AttentionMap {
  /** The layer that attends, `h.0.attn`, by its path in the module or its name in the file. */
  readonly path: string;
  /** float32 [heads, queries, keys]: each query's shares of the keys, which sum to 1. */
  readonly weights: Tensor<"float32">;
}

/** [1, heads, queries, keys] or [heads, queries, keys] as the latter. */
const headsOf = (shape: Shape): Shape => {
  const [queries = 1, keys = 1] = shape.slice(-2);
  return [shape.slice(0, -2).reduce((product, extent) => product * extent, 1), queries, keys];
};

/** A model's attention, by the paths of the layers. */
class Attentions extends Module<unknown, readonly Value[]> {
  override readonly inputs = "tree";
  readonly explained: AnyModule;
  paths: readonly string[] = [];

  constructor(model: AnyModule) {
    super();
    this.explained = model;
  }

  protected call(given: unknown, context: Context): readonly Value[] {
    const output = this.explained.apply(given as never, context);
    const found = attentionsOf(valuesOf(output), valuesOf(given));
    if (found.length === 0)
      throw new UnsupportedError(
        "attentionMaps: no attention was found, a softmax over products of queries and keys; ask for tokenAttributions, which any model of tokens has",
      );
    this.paths = found.map(({ producer }) => producer?.scope?.path.replace(/^explained\.?/, "") || "model");
    return found.map((weights) => cast(weights, "float32"));
  }
}

/** Reads a model's attention again and again, such as while it learns. */
export interface AttentionReader {
  /** As `attentionMaps`, with the parameters as they are now. */
  read(inputs: SampleInputs): Promise<readonly AttentionMap[]>;
  /** Lets go of compiled graphs. */
  release(): Promise<void>;
}

/** What reads the attention of a model, compiled once for inputs of a type. */
export function attentionReader<O>(model: Module<never, O>, compile: CompileOptions = {}): AttentionReader {
  const module = new Attentions(model);
  const ask = predictor(module, { compile });
  return {
    async read(inputs) {
      requireSampleInputs(inputs);
      const found = (await ask(inputs as never)) as unknown as readonly Tensor<"float32">[];
      return found.map(({ shape, data }, i) => ({
        path: module.paths[i] as string,
        weights: new Tensor("float32", headsOf(shape), data),
      }));
    },
    release: () => ask.release(),
  };
}

/**
 * What each attention of a model attends to for one sample: the shares of the keys for every head and query, in inference, in the order of the
 * graph: of one stack from the first layer on. They are found in the graph, of modules and of files, as the softmax between two products of data; attention that another
 * program fused into one operator is read so too. Shares say where a layer looks, not what the output comes from (Jain and Wallace 2019).
 * Throws UnsupportedError where there is no attention, ShapeError for more than one sample.
 * @example const [first] = await explain.attentionMaps(bert, { x: ids, mask }); // first.weights: [heads, T, T]
 */
export async function attentionMaps<O>(
  model: Module<never, O>,
  inputs: SampleInputs,
): Promise<readonly AttentionMap[]> {
  const reader = attentionReader(model);
  try {
    return await reader.read(inputs);
  } finally {
    await reader.release();
  }
}
