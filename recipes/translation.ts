/** Translations of your own: a small Transformer (Vaswani et al. 2017) that learns from pairs of texts. */
import { defineRecipe, inverseSquareRoot, models, OptionError, Vocabulary } from "../src/index.ts";
import { loadPairs } from "../src/node.ts";
import { requireOwnData } from "./shared/own-data.ts";
import {
  openTranslation,
  translationFacts,
  translationInputs,
  translationTask,
  usualVocabulary,
} from "./shared/translation.ts";

const warmup = 400;

const network = (vocabulary: number, width: number) =>
  new models.Transformer({ vocabulary, width, layers: 2, heads: 4, feedForward: 4 * width, dropout: 0.3 });

export default defineRecipe({
  name: "translation",
  summary: "Translations of your own: texts and what they mean in another language, beside a translation memory",
  data: "your own: a tenth of the texts to test, with all their translations; of the rest a tenth to validate",
  // The rate is the highest, at the end of the warm-up.
  defaults: { epochs: 60, batchSize: 32, learningRate: 0.002, optimizer: "adam", seed: 0 },
  options: {
    data: { description: "a table with a column of texts and one of their translations", default: "" },
    task: { description: "what is learned", default: "translation", choices: ["translation"] },
    source: { description: "the column that is translated; default the first of texts", default: "" },
    target: { description: "the column of translations; default the other one of texts", default: "" },
    beam: { description: "sequences that are kept while a translation is written", default: 4 },
    minutes: { description: "time for training", default: 10 },
    width: { description: "features of a word; a multiple of 4", default: 128 },
  },
  search: { width: { choices: [64, 128, 256] }, learningRate: { low: 0.0005, high: 0.005, log: true } },
  network: ({ width }) => ({ model: network(usualVocabulary, width), inputs: translationInputs }),
  facts: translationFacts,
  open: ({ beam, width }, { tokens }) =>
    openTranslation(network(tokens.length, width), new Vocabulary(tokens), { beam, what: "a text to translate" }),
  load(settings, limit) {
    const { data, source, target, minutes, width, learningRate } = settings;
    requireOwnData({ data, minutes }, "there are no pairs of texts; name their table by --data");
    if (!(Number.isInteger(width) && width >= 4 && width % 4 === 0))
      throw new OptionError(`--width is ${width}; pass a multiple of 4, such as 128`);
    return translationTask(settings, limit, {
      find: () => loadPairs({ path: data, source, target }),
      build: (vocabulary) => network(vocabulary, width),
      labelSmoothing: 0.1,
      schedule: () => inverseSquareRoot({ width, warmup, factor: learningRate * Math.sqrt(width * warmup) }),
      optimizers: { adam: { beta2: 0.98, epsilon: 1e-9 } },
      validating: { patience: 6, seconds: 60 * minutes },
    });
  },
});
