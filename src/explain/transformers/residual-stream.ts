/** The residual stream of a language model: the states between its blocks, and what the head makes of them. */
import { OptionError, UnsupportedError } from "../../core/errors.ts";
import { count, string } from "../../core/option-types.ts";
import type { OptionTypes } from "../../core/options.ts";
import { sameShape } from "../../core/shape.ts";
import { nodesOf, type Value } from "../../graph/ir.ts";
import { rewrite } from "../../graph/rewrite.ts";
import { type AnyModule, type Context, Module, valuesOf } from "../../nn/index.ts";
import { cast } from "../../ops/index.ts";
import { scoresAt } from "../tokens/next-token.ts";

/** Options of what looks into a residual stream. */
export interface StreamOptions {
  /** The place of the text whose scores are looked at; default the last, whose scores are of the token that comes next. */
  readonly position?: number | undefined;
  /** The path of the list of blocks, `transformer.h`; default the outermost list of alike modules from states to states. */
  readonly blocks?: string | undefined;
}

export const streamTypes: OptionTypes<StreamOptions> = { position: count(0), blocks: string };

/** A block of the stream. */
export interface StreamBlock {
  /** Its path in the model. */
  readonly path: string;
  readonly input: Value;
  readonly output: Value;
}

/** A model's stream in a trace. */
export interface ResidualStream {
  readonly blocks: readonly StreamBlock[];
  /** The states behind the last block. */
  readonly last: Value;
  /** The scores of the model at the place that is asked for, [1, tokens]. */
  readonly scores: Value;
  /** What the head makes of other values in place of some: `head(new Map([[last, states]]))`. */
  head(given: ReadonlyMap<Value, Value>): Value;
}

/** The path of a module below the one that was asked. */
const below = (path: string): string => path.replace(/^explained\.?/, "");

/** The lists of blocks that a trace ran, by their paths. */
function listsOf({ records }: Context): ReadonlyMap<string, readonly StreamBlock[]> {
  const lists = new Map<string, { readonly kind: AnyModule["constructor"]; readonly blocks: StreamBlock[] }>();
  for (const { module, path, inputs, outputs } of records) {
    const own = below(path);
    const list = /^(.+)\.\d+$/.exec(own)?.[1];
    const [input] = inputs;
    const [output, ...more] = outputs;
    if (list === undefined || !input || !output || more.length > 0 || module.children().length === 0) continue;
    if (output.rank !== 3 || !sameShape(input.shape, output.shape)) continue;
    const found = lists.get(list) ?? { kind: module.constructor, blocks: [] };
    lists.set(list, found);
    if (found.kind === module.constructor) found.blocks.push({ path: own, input, output });
  }
  return new Map(Array.from(lists, ([path, { blocks }]) => [path, blocks]));
}

const depthOf = (path: string): number => path.split(".").length;

/**
 * The stream of a model whose call was just traced. Throws UnsupportedError for one without blocks from states to states, and where the scores
 * do not come from the last block alone; OptionError for a list that there is not.
 * @param inputs the graph inputs of the model
 */
export function residualStreamOf(
  output: unknown,
  context: Context,
  { inputs, position, blocks: named }: StreamOptions & { readonly inputs: readonly Value[] },
): ResidualStream {
  const scores = scoresAt(output, position);
  const lists = listsOf(context);
  const [outermost] = [...lists.keys()].sort(
    (a, b) => depthOf(a) - depthOf(b) || (lists.get(b)?.length ?? 0) - (lists.get(a)?.length ?? 0),
  );
  const blocks = lists.get(named ?? outermost ?? "");
  if (named !== undefined && !blocks)
    throw new OptionError(
      `blocks: there is no list of blocks ${named}; pass one of ${[...lists.keys()].join(", ") || "none"}`,
    );
  const last = blocks?.at(-1)?.output;
  if (!blocks || !last)
    throw new UnsupportedError(
      "the model has no list of blocks from states [N, T, width] to states, as decoders of this library have; ask for tokenAttributions, which any model of tokens has",
    );
  const isChain = blocks.every(({ input }, i) => i === 0 || input === blocks[i - 1]?.output);
  const isBeside = nodesOf([scores], new Set([last])).some((node) =>
    node.inputs.some((value) => value && inputs.includes(value)),
  );
  if (!isChain || isBeside)
    throw new UnsupportedError(
      `the scores do not come from the last of the blocks ${blocks[0]?.path} to ${blocks.at(-1)?.path} alone; name another list of blocks: { blocks: … }`,
    );
  return {
    blocks,
    last,
    scores,
    head: (given) => rewrite([scores], () => undefined, given).outputs[0] as Value,
  };
}

/** A value of a stream, and the path of what wrote it. */
export interface StreamPart {
  readonly path: string;
  readonly value: Value;
}

/** What is asked of a model's stream: values by the paths of what wrote them. */
export abstract class StreamReader extends Module<unknown, readonly Value[]> {
  override readonly inputs = "tree";
  readonly explained: AnyModule;
  readonly #options: StreamOptions;
  /** Of what the last call gave. */
  paths: readonly string[] = [];

  constructor(model: AnyModule, options: StreamOptions) {
    super();
    this.explained = model;
    this.#options = options;
  }

  protected abstract partsOf(stream: ResidualStream): readonly StreamPart[];

  protected call(given: unknown, context: Context): readonly Value[] {
    const output = this.explained.apply(given as never, context);
    const parts = this.partsOf(residualStreamOf(output, context, { ...this.#options, inputs: valuesOf(given) }));
    this.paths = parts.map(({ path }) => path);
    return parts.map(({ value }) => cast(value, "float32"));
  }
}
