/** What a teacher writes, as the targets of a student: distillation of whole sequences (Kim and Rush 2016, sec. 3.2). */
import { DataError, OptionError } from "../../core/errors.ts";
import { count, functionOf, having, listOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Random } from "../../core/random.ts";
import { decoder } from "../../decode/decoder.ts";
import { generate } from "../../decode/generate.ts";
import { type SamplingOptions, samplingTypes } from "../../decode/sampling.ts";
import { type TranslationModel, translator } from "../../decode/translator.ts";
import { type CompileOptions, checkCompile } from "../../jit/compile.ts";
import type { AnyModule } from "../../nn/index.ts";

/** Token ids that a student reads, and those that it learns to write. */
export interface SequencePair {
  /** What the teacher was given. */
  readonly source: readonly number[];
  /** What it wrote, its last token included. */
  readonly target: readonly number[];
}

/** What a teacher wrote. */
export interface TaughtSequences {
  /** A pair for each source whose sequence ended by itself, in the order of the sources. */
  readonly pairs: readonly SequencePair[];
  /** How many sequences were cut at the longest length, and are left out. */
  readonly leftOut: number;
}

/** Options of `teacherTranslations`. */
export interface TeacherTranslationOptions {
  /** Sequences that are kept while one is written; default 4. */
  readonly beam?: number | undefined;
  /** Sources that are read at once; default 16. */
  readonly batch?: number | undefined;
  /** Widths of sources that are compiled for, rising; default 8, 16, 32 and so on, up to the longest source. */
  readonly widths?: readonly number[] | undefined;
  /** Tokens of a sequence at most, from the width of its source; default half as many again and 8. */
  readonly longest?: ((width: number) => number) | undefined;
  /** Device, threads, profiling. */
  readonly compile?: CompileOptions | undefined;
}

const checkTranslation = optionsOf<TeacherTranslationOptions>("teacherTranslations", {
  beam: count(),
  batch: count(),
  widths: listOf(count(), "rising widths, such as [8, 16]"),
  longest: functionOf("(width) => tokens"),
  compile: checkCompile.type,
});

/** 8, 16, 32 and so on, up to a length. */
function doublingWidths(longest: number): readonly number[] {
  const widths = [8];
  for (let width = 8; width < longest; width *= 2) widths.push(2 * width);
  return widths;
}

/**
 * The sequences that an encoder-decoder finds likeliest for sources, by beam search: a student that learns them in place of the references has less to learn, since
 * they are more alike (Kim and Rush 2016, sec. 3.2). Equal sources are read once. Throws DataError for a source without tokens or wider than all widths.
 * @example
 * const { pairs } = await teacherTranslations(teacher, sources);
 * const train = bucketed(pairs, { size: 32, widths, lengthOf, collate, key: keyOf(1) });
 * await fit(student, train, { loss: crossEntropy({ ignoreIndex: paddingId }), optimizer: adam(), epochs: 20 });
 */
export async function teacherTranslations(
  teacher: TranslationModel,
  sources: readonly (readonly number[])[],
  options: TeacherTranslationOptions = {},
): Promise<TaughtSequences> {
  const { beam = 4, batch = 16, widths, longest, compile } = checkTranslation(options);
  const different = [...new Map(sources.map((source) => [source.join(), source])).values()];
  const widest = different.reduce((most, { length }) => Math.max(most, length), 0);
  const allWidths = widths ?? doublingWidths(widest);
  const longestOf = longest ?? ((width: number) => Math.ceil(1.5 * width) + 8);
  const write = translator(teacher, {
    widths: allWidths,
    batch,
    beam,
    longest: longestOf,
    ...(compile && { compile }),
  });
  const written = new Map<string, readonly number[]>();
  for (const [i, { ids, ended }] of (await write(different)).entries())
    if (ended) written.set(different[i]?.join() ?? "", ids);
  return taught(sources, (source) => written.get(source.join()));
}

/** Options of `teacherTexts`. */
export interface TeacherTextOptions extends SamplingOptions {
  /** Tokens that are written at most. */
  readonly longest: number;
  /** Id of the token that ends a text; default none: every text has `longest` tokens. */
  readonly end?: number | undefined;
  /** Draws the tokens. With temperature 0 the likeliest are taken. */
  readonly random: Random;
  /** Device, threads, profiling. */
  readonly compile?: CompileOptions | undefined;
}

const checkTexts = optionsOf<TeacherTextOptions>("teacherTexts", {
  ...samplingTypes,
  longest: required(count()),
  end: count(0),
  random: required(having("uniform", "a generator such as new Random(keyOf(1))")),
  compile: checkCompile.type,
});

/**
 * What a language model writes after prompts, drawn token by token: a student of fewer layers learns it as it would any text. A prompt that is given several times
 * is continued as often. Throws DataError for a prompt without tokens, OptionError where a prompt and what follows it have more tokens than the model has positions.
 * @example
 * const { pairs } = await teacherTexts(teacher, prompts, { longest: 64, end: tokenizer.idOf("<|im_end|>"), temperature: 0.7, random: new Random(keyOf(1)) });
 */
export async function teacherTexts(
  teacher: AnyModule,
  prompts: readonly (readonly number[])[],
  options: TeacherTextOptions,
): Promise<TaughtSequences> {
  const { longest, end, random, compile, ...sampling } = checkTexts(options);
  const empty = prompts.findIndex(({ length }) => length === 0);
  if (empty >= 0)
    throw new DataError(`teacherTexts: prompt ${empty} has no tokens; begin it with one, such as that of a beginning`);
  const capacity = longest + prompts.reduce((most, { length }) => Math.max(most, length), 0);
  const reader = await decoder(teacher, { capacity, ...(compile && { compile }) });
  try {
    const written: (readonly number[] | undefined)[] = [];
    for (const prompt of prompts) {
      const ids: number[] = [];
      for await (const id of generate(reader, prompt, { ...sampling, random })) {
        ids.push(id);
        if (id === end || ids.length === longest) break;
      }
      written.push(end === undefined || ids.at(-1) === end ? ids : undefined);
    }
    return taught(prompts, (_, i) => written[i]);
  } finally {
    await reader.release();
  }
}

/** The pairs of sources that something was written for. Throws OptionError where that is none. */
function taught(
  sources: readonly (readonly number[])[],
  targetOf: (source: readonly number[], i: number) => readonly number[] | undefined,
): TaughtSequences {
  const pairs = sources.flatMap((source, i) => {
    const target = targetOf(source, i);
    return target ? [{ source, target }] : [];
  });
  const leftOut = sources.length - pairs.length;
  if (pairs.length === 0 && leftOut > 0)
    throw new OptionError(
      `none of ${leftOut} sequences of the teacher ended by itself; pass a larger \`longest\`, or train the teacher longer`,
    );
  return { pairs, leftOut };
}
