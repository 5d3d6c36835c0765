/** Whether a sentence is positive or negative about something: recurrent networks over its words, beside what its words and pairs say. */
import { z } from "zod";
import {
  accuracy,
  adamw,
  type Batch,
  bucketed,
  compareTextBaselines,
  confusionMatrix,
  cosine,
  DataError,
  type Dataset,
  type Dialogue,
  defineRecipe,
  evidenceOf,
  fitTextFeatures,
  foldedObjective,
  foldIn,
  type Key,
  keepBestCandidate,
  keyOf,
  type LabelledText,
  type LabelledTexts,
  models,
  type Objective,
  OptionError,
  predictor,
  requireSameVocabulary,
  sentimentClasses,
  Tensor,
  textIds,
  Vocabulary,
  wordsOf,
} from "../src/index.ts";
import { type LoadOptions, loadImdb, loadSentiment } from "../src/node.ts";
import { parted } from "./shared/parted.ts";

/** Words of a sentence that are read. */
const longest = 120;
const widths = [10, 20, 30, 60, longest];
/** Words and pairs whose evidence is counted at most. */
const mostEvidence = 40_000;

/** What the networks are made of. */
interface Settings {
  readonly cell: models.RecurrentCell;
  readonly layers: number;
  readonly forward: boolean;
  readonly members: number;
}

/** Words that are known of the sentences, and words and pairs whose evidence is counted, to show the size without them. */
const usual = { vocabulary: 4_604, words: 23_432 };

const network = (
  { cell, layers, forward, members }: Settings,
  { vocabulary, words } = usual,
  evidence?: Tensor<"float32">,
) => ({
  model: new models.RecurrentTextNetwork(
    {
      recurrent: {
        ...{ vocabulary, classes: 2, width: 64, dropout: 0.5, wordDropout: 0.4 },
        recurrent: { units: 32, cell, layers, bidirectional: !forward },
      },
      words,
      members,
    },
    evidence,
  ),
  inputs: { dtype: "int32", shape: [1, longest * (1 + models.evidencePerWord)] } as const,
});

/** What a run keeps of its data: the words that are read in their order, by id, and those and pairs whose evidence is counted. */
const facts = z.object({ tokens: z.array(z.string()), words: z.array(z.string()) });
type Facts = z.infer<typeof facts>;

/** The ids of a text: its words in their order, and the words and pairs that occur. */
interface Read {
  readonly order: readonly number[];
  readonly occurring: readonly number[];
}

/** What reads texts by what is known. */
function reading({ tokens, words }: Facts) {
  const vocabulary = new Vocabulary(tokens);
  const occurringIn = textIds({ words, characters: [] });
  const read = (text: string): Read => ({
    order: vocabulary.encode(wordsOf(text).slice(0, longest)),
    occurring: occurringIn([text])[0]?.words ?? [],
  });
  return { vocabulary, read };
}

/** Rows [N, 3 T] of texts of at most T words. */
function rowsOf(read: readonly Read[], width: number): Tensor<"int32"> {
  const room = models.evidencePerWord * width;
  const data = new Int32Array(read.length * (width + room));
  for (const [row, { order, occurring }] of read.entries()) {
    data.set(order.slice(0, width), row * (width + room));
    data.set(occurring.slice(0, room), row * (width + room) + width);
  }
  return new Tensor("int32", [read.length, width + room], data);
}

const open = (settings: Settings, known: Facts, evidence?: Tensor<"float32">) => {
  const { vocabulary, read } = reading(known);
  const sizes = { vocabulary: vocabulary.size, words: known.words.length };
  const { model, inputs } = network(settings, sizes, evidence);
  const dialogue: Dialogue = {
    what: "a sentence in English",
    example: "The food was wonderful and I will come back",
    async open(compile) {
      const ask = predictor(model, { compile, snapshot: true });
      return async (question) => {
        const words = wordsOf(question);
        if (words.length === 0) throw new DataError("the sentence has no words; pass one such as 'I loved it'");
        const unknown = vocabulary.unknown(words);
        const notes = [
          ...(unknown.length > 0 ? [`not known: ${unknown.join(", ")}`] : []),
          ...(words.length > longest ? [`the first ${longest} of ${words.length} words are read`] : []),
        ];
        const output = await ask(rowsOf([read(question)], longest));
        return { output, ...(notes.length > 0 && { note: notes.join("; ") }) };
      };
    },
  };
  return { model, inputs, classes: sentimentClasses, dialogue };
};

const integers = (values: readonly number[]) => new Tensor("int32", [values.length], Int32Array.from(values));

/** Texts to train on and to test on, and how many were left out. */
async function load(corpus: "sentences" | "imdb", key: Key, options: LoadOptions) {
  const skipped = (...parts: readonly LabelledTexts[]) => parts.reduce((sum, part) => sum + part.skipped, 0);
  if (corpus === "imdb") {
    const { train, test } = await loadImdb(options);
    return { train: train.texts, test: test.texts, skipped: skipped(train, test) };
  }
  const all = await loadSentiment(options);
  const [train, test] = parted(all.texts, 0.8, foldIn(key, "test"));
  return { train, test, skipped: all.skipped };
}

export default defineRecipe({
  name: "lstm-sentiment",
  summary:
    "Whether a sentence is positive or negative about a film, a restaurant or a product: recurrent networks over its words, beside what its words and pairs say; naive Bayes does nearly as well",
  data: "Sentiment Labelled Sentences: 2,400 in ten folds, 600",
  defaults: { epochs: 8, batchSize: 32, learningRate: 0.002, optimizer: "adamw", seed: 0 },
  options: {
    cell: { description: "lstm, gru or rnn", default: "lstm", choices: ["lstm", "gru", "rnn"] },
    forward: { description: "read forward alone, in place of both directions", default: false },
    layers: { description: "recurrent layers on top of one another", default: 1 },
    members: {
      description: "networks, each trained without a fold of its own, whose predictions are averaged",
      default: 10,
    },
    corpus: { description: "sentences, or imdb: 50,000 reviews", default: "sentences", choices: ["sentences", "imdb"] },
    data: { description: "folder of the corpus; found or downloaded where there is none", default: "" },
  },
  next: ["sardonyx train lstm-sentiment --cell gru --layers 2   another reader"],
  network: (settings) => network(settings),
  facts,
  open,
  async load(settings, limit, onDownload) {
    const { batchSize, seed, epochs, learningRate, corpus, members, data: dir } = settings;
    if (!Number.isInteger(members) || members < 2)
      throw new OptionError(`--members is ${members}; pass a whole number from 2, such as 10`);
    const key = keyOf(seed);
    const found = await load(corpus, key, {
      ...(dir !== "" && { dir }),
      ...(onDownload && { onProgress: onDownload }),
    });
    const [known, test] = [found.train, found.test].map((part) => part.slice(0, limit)) as [
      LabelledText[],
      LabelledText[],
    ];
    const folds = known.map((_, i) => i % members);
    const textsOf = (part: readonly LabelledText[]) => part.map(({ text }) => text);
    const kept: Facts = {
      tokens: [...Vocabulary.of(known.map(({ text }) => wordsOf(text).slice(0, longest))).tokens],
      words: fitTextFeatures("text", textsOf(known), mostEvidence).words,
    };
    const { vocabulary, read } = reading(kept);
    const samplesOf = (part: readonly LabelledText[]) =>
      part.map((own, i) => ({ ...read(own.text), label: own.label, fold: part === known ? (folds[i] as number) : -1 }));
    const [trained, tested] = [samplesOf(known), samplesOf(test)];
    const evidence = evidenceOf(
      {
        features: kept,
        target: { name: "sentiment", kind: "classes", classes: [...sentimentClasses] },
        train: {
          read: trained.map(({ occurring }) => ({ words: occurring })),
          y: integers(trained.map(({ label }) => label)),
        },
        folds,
      },
      members,
    );
    const opened = open(settings, kept, evidence);
    const batches = (samples: typeof trained, size: number, order?: Key): Dataset<Batch> =>
      bucketed(samples, {
        size: Math.min(size, samples.length),
        widths,
        lengthOf: (own) => own.order.length,
        collate: (rows, width) => ({
          x: rowsOf(rows, width),
          y: integers(rows.map(({ label }) => label)),
          fold: integers(rows.map(({ fold }) => fold)),
        }),
        ...(order && { key: order }),
      });
    const data = batches(trained, batchSize, foldIn(key, "order"));
    const cut = [...known, ...test].filter(({ text }) => wordsOf(text).length > longest).length;
    // Simple ways choose their settings on a tenth of the same texts.
    const [train, validation] = parted(known, 0.9, foldIn(key, "validation"));
    return {
      ...opened,
      facts: kept,
      train: data,
      validation: batches(trained, 64),
      test: batches(tested, 64),
      objective: foldedObjective(opened.model) as Objective<never>,
      metrics: [accuracy(), confusionMatrix(2)],
      samples: { train: known.length, test: test.length },
      notes: [
        `${vocabulary.size} words are known`,
        ...(found.skipped > 0 ? [`left out for lack of a text or a class: ${found.skipped}`] : []),
        ...(cut > 0 ? [`cut to ${longest} words: ${cut}`] : []),
      ],
      optimizers: { adamw: { weightDecay: 0.01 } },
      schedule: cosine({ rate: learningRate, steps: epochs * (data.length ?? 1) }),
      training: {
        clipNorm: 1,
        // With so large an epsilon what is rare moves as little as by gradient descent, so that it is not overfitted.
        groups: [
          {
            parameters: "candidates.words",
            optimizer: adamw({ learningRate, epsilon: 0.01, weightDecay: 0.01 }),
            learningRateScale: 3,
          },
        ],
      },
      baselines: async () => compareTextBaselines({ train, validation, test }, sentimentClasses.length),
      callbacks: [keepBestCandidate(opened.model, { patience: 4 }), requireSameVocabulary(vocabulary)],
    };
  },
});
