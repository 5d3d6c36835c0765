/** English to French by a recurrent encoder and decoder with attention. */
import { cosine, defineRecipe, models, Vocabulary } from "../src/index.ts";
import {
  openTranslation,
  pairsOfFile,
  translationData,
  translationFacts,
  translationInputs,
  translationOptions,
  translationTask,
  usualVocabulary,
} from "./shared/translation.ts";

const network = (attention: "additive" | "dot", vocabulary: number) =>
  new models.RecurrentTranslator({ vocabulary, width: 192, attention, dropout: 0.2 });

export default defineRecipe({
  name: "seq2seq-translate",
  summary: "English to French: a GRU reads in both directions, another writes and attends to what was read",
  data: translationData,
  defaults: { epochs: 24, batchSize: 32, learningRate: 0.005, optimizer: "adam", seed: 0 },
  options: {
    ...translationOptions,
    // Of 1, 2, 4 and 8 the best on pairs that were held out of those to train on (`--choosing`).
    beam: { ...translationOptions.beam, default: 8 },
    attention: { description: "additive (Bahdanau) or dot (Luong)", default: "additive", choices: ["additive", "dot"] },
  },
  next: ["sardonyx train transformer-translate          the same with attention alone"],
  network: ({ attention }) => ({ model: network(attention, usualVocabulary), inputs: translationInputs }),
  facts: translationFacts,
  open: ({ attention, beam }, { tokens }) =>
    openTranslation(network(attention, tokens.length), new Vocabulary(tokens), { beam }),
  load: (settings, limit, onDownload) =>
    translationTask(settings, limit, {
      find: () => pairsOfFile(settings.data, onDownload),
      build: (vocabulary) => network(settings.attention, vocabulary),
      schedule: (updates) =>
        cosine({ rate: settings.learningRate, steps: settings.epochs * updates, warmup: Math.min(updates, 100) }),
      training: { clipNorm: 1 },
    }),
});
