/** Whether a sentence is positive or negative about something: a recurrent network over its words. */
import { z } from "zod";
import {
  accuracy,
  compareTextBaselines,
  confusionMatrix,
  cosine,
  crossEntropy,
  DataError,
  type Dataset,
  type Dialogue,
  defineRecipe,
  earlyStopping,
  foldIn,
  type Key,
  keyOf,
  type Labelled,
  type LabelledText,
  type LabelledTexts,
  models,
  padRows,
  predictor,
  requireSameVocabulary,
  sentimentClasses,
  Vocabulary,
  wordsOf,
} from "../src/index.ts";
import { type LoadOptions, loadImdb, loadSentiment } from "../src/node.ts";
import { labelledBatches } from "./shared/labelled-batches.ts";
import { parted } from "./shared/parted.ts";

/** Words of a sentence that are read. */
const longest = 120;
const widths = [10, 20, 30, 60, longest];

const network = (
  { cell, layers, bidirectional }: { cell: models.RecurrentCell; layers: number; bidirectional: boolean },
  vocabulary = 10_000,
) => ({
  model: new models.RecurrentClassifier({
    vocabulary,
    classes: 2,
    width: 64,
    recurrent: { units: 64, cell, layers, bidirectional },
    dropout: 0.5,
    wordDropout: 0.1,
  }),
  inputs: { dtype: "int32", shape: [1, longest] } as const,
});

/** What a run keeps of its data: the words, by id. */
const facts = z.object({ tokens: z.array(z.string()) });

const open = (settings: Parameters<typeof network>[0], { tokens }: z.infer<typeof facts>) => {
  const vocabulary = new Vocabulary(tokens);
  const { model, inputs } = network(settings, vocabulary.size);
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
        const output = await ask(padRows([vocabulary.encode(words.slice(0, longest))], longest));
        return { output, ...(notes.length > 0 && { note: notes.join("; ") }) };
      };
    },
  };
  return { model, inputs, classes: sentimentClasses, dialogue };
};

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
    "Whether a sentence is positive or negative about a film, a restaurant or a product: a recurrent network over its words, which naive Bayes beats on so few",
  data: "Sentiment Labelled Sentences: 2,160, 240 to validate, 600",
  defaults: { epochs: 15, batchSize: 32, learningRate: 0.002, optimizer: "adamw", seed: 0 },
  options: {
    cell: { description: "lstm, gru or rnn", default: "lstm", choices: ["lstm", "gru", "rnn"] },
    bidirectional: { description: "read in both directions", default: false },
    layers: { description: "recurrent layers on top of one another", default: 1 },
    corpus: { description: "sentences, or imdb: 50,000 reviews", default: "sentences", choices: ["sentences", "imdb"] },
    data: { description: "folder of the corpus; found or downloaded where there is none", default: "" },
  },
  next: ["sardonyx train lstm-sentiment --cell gru --bidirectional   another reader"],
  network: (settings) => network(settings),
  facts,
  open,
  async load(settings, limit, onDownload) {
    const { batchSize, seed, epochs, learningRate, corpus, data: dir } = settings;
    const key = keyOf(seed);
    const found = await load(corpus, key, {
      ...(dir !== "" && { dir }),
      ...(onDownload && { onProgress: onDownload }),
    });
    // A tenth of the training texts decides when to stop; the test is not looked at before the end.
    const [known, held] = parted(found.train, 0.9, foldIn(key, "validation")).map((part) => part.slice(0, limit));
    const [train, validation, test] = [known ?? [], held ?? [], found.test.slice(0, limit)];
    const vocabulary = Vocabulary.of(train.map(({ text }) => wordsOf(text).slice(0, longest)));
    const rowOf = ({ text, label }: LabelledText) => {
      const words = wordsOf(text);
      return { ids: vocabulary.encode(words.slice(0, longest)), label, isCut: words.length > longest };
    };
    const batches = (texts: readonly LabelledText[], size: number, order?: Key): Dataset<Labelled> =>
      labelledBatches(texts.map(rowOf), { size, widths, key: order });
    const data = batches(train, batchSize, foldIn(key, "order"));
    const cut = [...train, ...validation, ...test].filter((text) => rowOf(text).isCut).length;
    const kept = { tokens: [...vocabulary.tokens] };
    return {
      ...open(settings, kept),
      facts: kept,
      train: data,
      validation: batches(validation, 64),
      test: batches(test, 64),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(2)],
      samples: { train: train.length, test: test.length },
      notes: [
        `${vocabulary.size} words are known`,
        ...(found.skipped > 0 ? [`left out for lack of a text or a class: ${found.skipped}`] : []),
        ...(cut > 0 ? [`cut to ${longest} words: ${cut}`] : []),
      ],
      optimizers: { adamw: { weightDecay: 0.01 } },
      schedule: cosine({ rate: learningRate, steps: epochs * (data.length ?? 1) }),
      training: { clipNorm: 1 },
      baselines: async () => compareTextBaselines({ train, validation, test }, sentimentClasses.length),
      callbacks: [earlyStopping({ monitor: "validation_loss", patience: 4 }), requireSameVocabulary(vocabulary)],
    };
  },
});
