/** Sequences written by a model of two sequences, and what it attends to while it writes. */
import { DataError, OptionError } from "../core/errors.ts";
import { greatest } from "../core/lists.ts";
import { count, functionOf, listOf } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { padRows } from "../data/pipeline/buckets.ts";
import { beginId, endId, paddingId, unknownId } from "../data/text/vocabulary.ts";
import { input, nodesOf, type Value } from "../graph/ir.ts";
import { type CompileOptions, checkCompile, compile, type Executable } from "../jit/compile.ts";
import { Context } from "../nn/context.ts";
import type { AnyModule } from "../nn/module.ts";
import { builtIn } from "../nn/parameter-inputs.ts";
import { add, cast, constant, equal, expand, logSoftmax, not, reduceMean, reshape, topK } from "../ops/index.ts";
import { beamSearch, type Candidate, type Hypothesis, type Prefix } from "./beam-search.ts";

/** What a decoder attends to, and the one place [1] that is asked for. */
interface DecoderMemory {
  readonly states: Value;
  readonly mask?: Value | undefined;
  readonly at?: Value | undefined;
}

/** A model whose encoder and decoder can be traced alone: see EncoderDecoder in models/. */
export type TranslationModel = AnyModule & {
  readonly attentionPath: string;
  encode(ids: Value, context: Context, mask?: Value): Value;
  decode(ids: Value, context: Context, memory: DecoderMemory): Value;
  score(states: Value, context: Context): Value;
};

/** Options of `translator`. */
export interface TranslatorOptions {
  /** Widths of the source that are compiled for, rising; a longer source is refused. */
  readonly widths: readonly number[];
  /** Sources that are read at once. */
  readonly batch: number;
  /** Sequences that are kept of each, see beamSearch. */
  readonly beam: number;
  /** Tokens of a sequence at most, from the width of its source; default half as many again and 8. */
  readonly longest?: (width: number) => number;
  /** Device, threads, profiling. */
  readonly compile?: CompileOptions;
}

const checkOptions = optionsOf<TranslatorOptions>("translator", {
  widths: required(listOf(count(), "rising widths, such as [8, 16]")),
  batch: required(count()),
  beam: required(count()),
  longest: functionOf("(width) => tokens"),
  compile: checkCompile.type,
});

/** The best sequence for each source, tokens by id. */
export type Translator = (sources: readonly (readonly number[])[]) => Promise<Hypothesis[]>;

/** What is never written: padding, unknown words, a second beginning. */
const never: readonly number[] = [paddingId, unknownId, beginId];

/**
 * Writes sequences with the parameters as they are now. The encoder and one step of the decoder are compiled once for
 * each width; a step reads what was written so far again. Throws DataError for a source without tokens or wider than
 * all widths.
 * @example
 * const translate = translator(model, { widths: [16, 32], batch: 8, beam: 4 });
 * const [best] = await translate([vocabulary.encode(wordsOf("the file was not found"))]);
 */
export function translator(model: TranslationModel, options: TranslatorOptions): Translator {
  const { widths, batch } = checkOptions(options);
  const compiled = new Map<number, Promise<Translator>>();
  const ofWidth = (width: number): Promise<Translator> => {
    const known = compiled.get(width) ?? translatorOf(model, width, options);
    compiled.set(width, known);
    return known;
  };
  const widthOf = (ids: readonly number[]): number => {
    const width = widths.find((own) => ids.length <= own);
    if (width === undefined || ids.length === 0)
      throw new DataError(`a source has ${ids.length} tokens; pass 1 to ${widths.at(-1)}`);
    return width;
  };
  return async (sources) => {
    const order = [...sources.keys()].sort((a, b) => (sources[a]?.length ?? 0) - (sources[b]?.length ?? 0));
    const results: Hypothesis[] = [];
    for (let start = 0; start < order.length; start += batch) {
      const members = order.slice(start, start + batch);
      const ids = members.map((index) => sources[index] ?? []);
      const width = greatest(ids.map(widthOf));
      const found = await (await ofWidth(width))(ids);
      for (const [i, index] of members.entries()) results[index] = found[i] as Hypothesis;
    }
    return results;
  };
}

/** Tokens that a step reads, before what is the longest: it need not read room for many more than there are. */
const prefixWidths = [16, 32, 64];

/** A decoder of sources of one width. */
async function translatorOf(model: TranslationModel, width: number, options: TranslatorOptions): Promise<Translator> {
  const { batch, beam, longest: longestOf = (own: number) => Math.ceil(1.5 * own) + 8 } = options;
  const longest = longestOf(width);
  const encoder = await compileEncoder(model, width, options);
  const steps = new Map<number, Promise<Executable>>();
  const stepOf = (length: number): Promise<Executable> => {
    const room = Math.min(longest, prefixWidths.find((own) => length <= own) ?? longest);
    const known = steps.get(room) ?? compileStep(model, encoder.graph.outputs, room, options);
    steps.set(room, known);
    return known;
  };
  return async (sources) => {
    // Sources that are missing for a whole batch are the first again.
    const filled = Array.from({ length: batch }, (_, i) => sources[i] ?? sources[0] ?? []);
    const memory = await encoder.run([padRows(filled, width)]);
    const next = async (prefixes: readonly Prefix[]) => {
      const length = prefixes[0]?.ids.length ?? 1;
      const step = await stepOf(length);
      const rows: (readonly number[])[] = Array.from({ length: batch * beam }, () => [beginId]);
      const used = new Array<number>(batch).fill(0);
      const places = prefixes.map(({ search, ids }) => {
        const place = search * beam + (used[search] ?? 0);
        used[search] = (used[search] ?? 0) + 1;
        rows[place] = ids;
        return place;
      });
      const written = padRows(rows, step.graph.inputs[2]?.shape[1] ?? 1);
      const at = tensor([length - 1], { dtype: "int64" });
      const [best, tokens] = (await step.run([...memory, written, at])) as [Tensor, Tensor];
      return places.map((place) =>
        Array.from({ length: beam + 1 }, (_, i): Candidate => {
          const index = place * (beam + 1) + i;
          return { id: Number(tokens.data[index]), logProbability: Number(best.data[index]) };
        }),
      );
    };
    return beamSearch(next, { searches: sources.length, beam, longest, begin: beginId, end: endId });
  };
}

/** Ids [batch, width] → the encoder's states and which of them take part, a row for each sequence of a beam. */
function compileEncoder(model: TranslationModel, width: number, { batch, beam, compile: options }: TranslatorOptions) {
  const ids = input("int32", [batch, width], "ids");
  const mask = not(equal(ids, paddingId));
  const spread = (value: Value): Value => {
    const [, ...rest] = value.shape;
    const each = expand(reshape(value, [batch, 1, ...rest]), [batch, beam, ...rest]);
    return reshape(each, [batch * beam, ...rest]);
  };
  const states = model.encode(ids, new Context(model, { bind: builtIn }), mask);
  return compile([ids], [spread(states), spread(cast(mask, "int32"))], options);
}

/** What the encoder gives, tokens [rows, room] and the place [1] of the last → the likeliest next ones, [rows, beam + 1]. */
function compileStep(
  model: TranslationModel,
  memory: readonly Value[],
  room: number,
  { batch, beam, compile: options }: TranslatorOptions,
): Promise<Executable> {
  const [states, mask] = memory.map(({ dtype, shape }) => input(dtype, shape)) as [Value, Value];
  const written = input("int32", [batch * beam, room], "written");
  const at = input("int64", [1], "at");
  const context = new Context(model, { bind: builtIn });
  const scores = model.score(model.decode(written, context, { states, mask, at }), context); // [rows, 1, vocabulary]
  const vocabulary = scores.shape[2] ?? 1;
  const allowed = add(reshape(scores, [batch * beam, vocabulary]), barred(vocabulary));
  const { values, indices } = topK(logSoftmax(allowed), beam + 1);
  return compile([states, mask, written, at], [values, indices], options);
}

/** Added to scores, so that what is never written has no probability. */
const barred = (vocabulary: number): Value =>
  constant(tensor(Array.from({ length: vocabulary }, (_, id) => (never.includes(id) ? -1e9 : 0))));

/**
 * How much each token of a sequence looked at each of its source when it was written, [sequence, source], each row summing to 1;
 * the mean over heads. Throws OptionError when the model's attention is not where it says.
 */
export async function attentionWeights(
  model: TranslationModel,
  source: readonly number[],
  sequence: readonly number[],
  options?: CompileOptions,
): Promise<Tensor> {
  const context = new Context(model, { bind: builtIn });
  const ids = input("int32", [1, source.length], "ids");
  const decoderIds = input("int32", [1, sequence.length], "decoder");
  const states = model.decode(decoderIds, context, { states: model.encode(ids, context) });
  const softmax = nodesOf([states]).findLast(
    ({ op, scope }) => op.type === "Softmax" && scope?.path === model.attentionPath,
  );
  if (!softmax) throw new OptionError(`the model has no softmax in "${model.attentionPath}"; name its attention`);
  const [weights] = softmax.outputs; // [1, U, S] or [1, heads, U, S]
  const mean = weights.rank === 4 ? reduceMean(weights, 1) : weights;
  const executable = await compile([ids, decoderIds], [reshape(mean, [sequence.length, source.length])], options);
  // A token is written from what stands before it.
  const before = [beginId, ...sequence.slice(0, -1)];
  return (await executable.run([padRows([source], source.length), padRows([before], sequence.length)]))[0] as Tensor;
}
