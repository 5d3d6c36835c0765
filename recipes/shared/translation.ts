/** Translation from English to French: the pairs, the task of a model that reads and writes, what it is compared with. */
import { z } from "zod";
import {
  accuracy,
  attentionWeights,
  type Batch,
  beginId,
  bleu,
  bucketed,
  type CompileOptions,
  chrf,
  compareTranslationBaselines,
  crossEntropy,
  DataError,
  type Dataset,
  type Deployment,
  type EarlyStoppingOptions,
  earlyStopping,
  endId,
  foldIn,
  heatmap,
  type Key,
  keyOf,
  learnDictionary,
  type models,
  type OnDownload,
  OptionError,
  paddingId,
  paddingMask,
  padRows,
  perplexity,
  Random,
  type RecipeSettings,
  requireSameVocabulary,
  type Schedule,
  sentenceOf,
  type Task,
  type TrainingOptions,
  type Translations,
  translator,
  Vocabulary,
  wordsOf,
} from "../../src/index.ts";
import { loadTranslations, loadTypescriptMessages } from "../../src/node.ts";

/** Tokens of a sentence at most, its end included. */
const longest = 72;
const widths = [8, 12, 16, 24, 32, 48, longest];

export const translationData = "TypeScript's messages in English and French: 1,906 pairs, 212 to test";

export const translationOptions = {
  data: {
    description: "file of pairs, one source<TAB>target in a row; TypeScript's messages where there is none",
    default: "",
  },
  beam: { description: "sequences that are kept while a translation is written", default: 4 },
  choosing: {
    description: "measure on a tenth of the pairs to train on, in place of the test, and with beams of 1, 2, 4 and 8",
    default: false,
  },
} as const;

/** Beams among which the pairs to choose by decide. */
const triedBeams = [1, 2, 4, 8];

/** A sentence and its translation, as tokens. */
type Pair = readonly [source: readonly string[], target: readonly string[]];

const tokensOf = (text: string): string[] => wordsOf(text, { elision: true });

const sentence = { dtype: "int32", shape: [1, longest] } as const;
/** Types of a model's inputs. */
export const translationInputs = { x: sentence, decoder: sentence, mask: sentence };

/** What a run keeps of its data: the tokens of both languages, by id. */
export const translationFacts = z.object({ tokens: z.array(z.string()) });

/** Tokens known to a model of TypeScript's messages, to show its size without them. */
export const usualVocabulary = 2_849;

export interface TranslationOptions {
  /** Gives the pairs, and what is to be said of them. */
  find(): Promise<Translations & { readonly notes?: readonly string[] }>;
  /** Holds a tenth of the sources back, by whose loss training ends and the best epoch is kept; default all are trained on. */
  readonly validating?: EarlyStoppingOptions;
  build(vocabulary: number): models.EncoderDecoder;
  /** Of the learning rate, given the updates of an epoch. */
  schedule(updates: number): Schedule;
  readonly labelSmoothing?: number;
  readonly optimizers?: Task["optimizers"];
  readonly training?: TrainingOptions;
}

type Settings = RecipeSettings & { readonly beam: number; readonly choosing?: boolean };

/** The pairs of a file, or TypeScript's messages where none is named. */
export const pairsOfFile = (data: string, onDownload: OnDownload | undefined): Promise<Translations> =>
  data === "" ? loadTypescriptMessages({ ...(onDownload && { onProgress: onDownload }) }) : loadTranslations(data);

/** More sources than this are not held out: each is translated when the run ends. */
const mostTested = 1000;

/** Pairs with which baselines are compared at least. */
const leastCompared = 20;

/** Pairs to train on and to test on: a tenth of the sources, each with all its translations. */
function parted(pairs: readonly Pair[], key: Key): { readonly train: readonly Pair[]; readonly test: readonly Pair[] } {
  const groups = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const source = pair[0].join(" ");
    groups.set(source, [...(groups.get(source) ?? []), pair]);
  }
  const all = [...groups.values()];
  const order = Array.from(new Random(foldIn(key, "test")).permutation(all.length), (i) => all[i] ?? []);
  const border = Math.min(mostTested, Math.ceil(all.length / 10));
  if (all.length < 2)
    throw new DataError(
      `there are ${all.length} different sentences to translate; pass two at least, one of them to test`,
    );
  return { train: order.slice(border).flat(), test: order.slice(0, border).flat() };
}

/** What of the pairs fits, and what to say of the others. */
function fitting({ pairs, skipped }: Translations): {
  readonly pairs: readonly Pair[];
  readonly notes: readonly string[];
} {
  const all = pairs.map(({ source, target }): Pair => [tokensOf(source), tokensOf(target)]);
  const fit = all.filter((pair) => pair.every((tokens) => tokens.length > 0 && tokens.length < longest));
  return {
    pairs: fit,
    notes: [
      ...(skipped > 0 ? [`left out for lack of a pair: ${skipped}`] : []),
      ...(fit.length < all.length ? [`left out for more than ${longest - 1} tokens: ${all.length - fit.length}`] : []),
    ],
  };
}

/** Batches of pairs: the source, its mask, the target, and what stands before each of its tokens. */
function batchesOf(pairs: readonly Pair[], vocabulary: Vocabulary, size: number, key?: Key): Dataset<Batch> {
  const rows = pairs.map(([source, target]) => ({
    source: vocabulary.encode(source),
    target: [...vocabulary.encode(target), endId],
  }));
  return bucketed(rows, {
    size,
    widths,
    lengthOf: ({ source, target }) => Math.max(source.length, target.length),
    collate: (members, width) => {
      const x = padRows(
        members.map(({ source }) => source),
        width,
      );
      return {
        x,
        y: padRows(
          members.map(({ target }) => target),
          width,
        ),
        decoder: padRows(
          members.map(({ target }) => [beginId, ...target.slice(0, -1)]),
          width,
        ),
        mask: paddingMask(x, paddingId),
      };
    },
    ...(key && { key }),
  });
}

/** What translates sentences of tokens with a model, so many at a time. */
function translating(model: models.EncoderDecoder, vocabulary: Vocabulary, beam: number) {
  const translatorOf = (batch: number, compile: CompileOptions) => {
    const write = translator(model, { widths, batch, beam, compile });
    return async (sources: readonly (readonly string[])[]) =>
      (await write(sources.map((tokens) => vocabulary.encode(tokens)))).map(({ ids }) => ids);
  };
  const map = async (source: readonly string[], ids: readonly number[], compile: CompileOptions) => {
    const weights = await attentionWeights(model, vocabulary.encode(source), ids, compile);
    const rows = ids.map((id) => vocabulary.tokens[id] ?? "");
    return heatmap({ title: "Attention to the source", rows, columns: source, values: weights.data as Float32Array });
  };
  return { translatorOf, map };
}

/** What a trained model is used with. */
export function openTranslation(
  model: models.EncoderDecoder,
  vocabulary: Vocabulary,
  { beam, what = "a sentence in English" }: { readonly beam: number; readonly what?: string },
): Deployment {
  const { translatorOf, map } = translating(model, vocabulary, beam);
  return {
    model,
    inputs: translationInputs,
    dialogue: {
      what,
      example: "A class must be declared after its base class.",
      async open(compile) {
        const translate = translatorOf(1, compile);
        return async (question) => {
          const source = tokensOf(question);
          if (source.length === 0)
            throw new DataError("the sentence has no words; pass one such as 'Property expected.'");
          if (source.length > longest)
            throw new DataError(`the sentence has ${source.length} tokens, ${longest} are read at most; cut it`);
          const unknown = vocabulary.unknown(source);
          const [ids = []] = await translate([source]);
          const text = sentenceOf(vocabulary.decode(ids));
          return {
            text,
            fields: { translation: text, ...(unknown.length > 0 && { unknown }) },
            drawings: { "attention.svg": await map(source, ids, compile) },
            ...(unknown.length > 0 && { note: `not known: ${unknown.join(", ")}` }),
          };
        };
      },
    },
  };
}

export async function translationTask(
  { beam, batchSize, seed, choosing = false }: Settings,
  limit: number | undefined,
  options: TranslationOptions,
): Promise<Task<z.infer<typeof translationFacts>>> {
  if (!Number.isInteger(beam) || beam < 1)
    throw new OptionError(`--beam is ${beam}; pass a whole number from 1, such as 4`);
  const key = keyOf(seed);
  const { validating } = options;
  const found = await options.find();
  const { pairs, notes } = fitting(found);
  // Settings are chosen without a look at the test.
  const parts = choosing ? parted(parted(pairs, key).train, foldIn(key, "choice")) : parted(pairs, key);
  const [known, test] = [parts.train.slice(0, limit), parts.test.slice(0, limit)];
  const heldBack = () => parted(known, foldIn(key, "validation"));
  const held = validating && heldBack();
  const train = held?.train ?? known;
  const vocabulary = Vocabulary.of(train.flat());
  const model = options.build(vocabulary.size);
  const batches = batchesOf(train, vocabulary, batchSize, foldIn(key, "order"));

  const { translatorOf, map } = translating(model, vocabulary, beam);
  return {
    ...openTranslation(model, vocabulary, { beam }),
    facts: { tokens: [...vocabulary.tokens] },
    train: batches,
    test: batchesOf(test, vocabulary, 32),
    ...(held && { validation: batchesOf(held.test, vocabulary, 32) }),
    loss: crossEntropy({ ignoreIndex: paddingId, labelSmoothing: options.labelSmoothing ?? 0 }),
    metrics: [accuracy(), perplexity()],
    samples: { train: train.length, test: test.length },
    notes: [...(found.notes ?? []), `${vocabulary.size} tokens of both languages are known`, ...notes],
    schedule: options.schedule(batches.length ?? 1),
    callbacks: [requireSameVocabulary(vocabulary), ...(validating ? [earlyStopping(validating)] : [])],
    ...(options.optimizers && { optimizers: options.optimizers }),
    ...(options.training && { training: options.training }),
    // Pairs of too few sentences are not parted once more, to hold baselines against each other.
    ...(known.length >= leastCompared && {
      baselines: async () => {
        const { train: remembered, test: validation } = held ?? heldBack();
        return compareTranslationBaselines({ train: remembered, validation, test });
      },
    }),
    async measure(compile) {
      const [sources, references] = [test.map(([source]) => source), test.map(([, target]) => target)];
      const translated = async (own: number) => {
        const written = await translating(model, vocabulary, own).translatorOf(16, compile)(sources);
        return written.map((ids) => vocabulary.decode(ids));
      };
      const tried: Record<string, number> = {};
      for (const own of choosing ? triedBeams : []) tried[`beam${own}_bleu`] = bleu(await translated(own), references);
      const dictionary = learnDictionary(train);
      const wordForWord = sources.map((source) => source.map((token) => dictionary.get(token) ?? token));
      const translations = await translated(beam);
      const joined = (sentences: readonly (readonly string[])[]) => sentences.map((tokens) => tokens.join(" "));
      return {
        ...tried,
        bleu: bleu(translations, references),
        chrf: chrf(joined(translations), joined(references)),
        copy_bleu: bleu(sources, references),
        dictionary_bleu: bleu(wordForWord, references),
      };
    },
    async draw(compile) {
      const shown = test.slice(0, 40);
      const written = await translatorOf(16, compile)(shown.map(([source]) => source));
      const rows = shown.map(([source, target], i) =>
        [source, vocabulary.decode(written[i] ?? []), target].map(sentenceOf).join("\t"),
      );
      // A sentence that fills an image and does not overflow it.
      const at = Math.max(
        0,
        shown.findIndex(([source]) => source.length >= 8 && source.length <= 16),
      );
      return {
        "translations.tsv": `${["source", "translation", "reference"].join("\t")}\n${rows.join("\n")}\n`,
        "attention.svg": await map(shown[at]?.[0] ?? [], written[at] ?? [], compile),
      };
    },
  };
}
