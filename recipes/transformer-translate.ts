/** English to French by a small Transformer (Vaswani et al. 2017). */
import { defineRecipe, inverseSquareRoot, models, Vocabulary } from "../src/index.ts";
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

const width = 128;
const warmup = 400;

const network = (vocabulary: number) =>
  new models.Transformer({ vocabulary, width, layers: 2, heads: 4, feedForward: 512, dropout: 0.3 });

export default defineRecipe({
  name: "transformer-translate",
  summary:
    "English to French: a Transformer of two layers on either side, with label smoothing and a rate that warms up",
  data: translationData,
  // The rate is the highest, at the end of the warm-up.
  defaults: { epochs: 50, batchSize: 32, learningRate: 0.002, optimizer: "adam", seed: 0 },
  // A beam of 4, of 1, 2, 4 and 8 the best on pairs that were held out of those to train on (`--choosing`).
  options: translationOptions,
  next: ["sardonyx train seq2seq-translate          the same with recurrent networks"],
  network: () => ({ model: network(usualVocabulary), inputs: translationInputs }),
  facts: translationFacts,
  open: ({ beam }, { tokens }) => openTranslation(network(tokens.length), new Vocabulary(tokens), { beam }),
  load: (settings, limit, onDownload) =>
    translationTask(settings, limit, {
      find: () => pairsOfFile(settings.data, onDownload),
      build: network,
      labelSmoothing: 0.1,
      schedule: () => inverseSquareRoot({ width, warmup, factor: settings.learningRate * Math.sqrt(width * warmup) }),
      optimizers: { adam: { beta2: 0.98, epsilon: 1e-9 } },
    }),
});
