/** A text of your own that a small GPT learns to write on from. */
import { z } from "zod";
import {
  cosine,
  DataError,
  defineRecipe,
  earlyStopping,
  OptionError,
  requireSameVocabulary,
  tokenizerFileSchema,
  tokenizerOf,
  trainBpe,
  writingSize,
} from "../src/index.ts";
import { loadWriting } from "../src/node.ts";
import { gptDeployment, languageData } from "./shared/gpt.ts";
import { requireOwnData } from "./shared/own-data.ts";

/** What a run keeps of its text. */
const facts = z.object({
  tokenizer: tokenizerFileSchema,
  size: z.object({
    width: z.number(),
    layers: z.number(),
    heads: z.number(),
    positions: z.number(),
    dropout: z.number(),
    prompt: z.string(),
  }),
});

/** A beginning of a text to go on from: its first words, or a few of its first characters where no spaces part words. */
const promptOf = (text: string): string => {
  const [first = ""] = text.trim().split("\n");
  const words = first.split(" ").slice(0, 2).join(" ");
  return words.length <= 30 ? words : first.slice(0, 6);
};

export default defineRecipe({
  name: "writing",
  summary:
    "A text of your own that a GPT learns to write on from, by pieces of words, beside n-grams of the same pieces",
  data: "your own: the last tenth, or a tenth of the documents, to test; of the rest a tenth to validate",
  defaults: { epochs: 20, batchSize: 32, learningRate: 0.002, optimizer: "adamw", seed: 0 },
  options: {
    data: { description: "a file of text (.txt, .md), or a folder of such", default: "" },
    task: { description: "what is learned", default: "writing", choices: ["writing"] },
    context: { description: "pieces that are read at once", default: 128 },
    minutes: { description: "time for training", default: 10 },
  },
  facts,
  open: (_, { tokenizer, size }) => gptDeployment(tokenizerOf(tokenizer), size),
  async load({ data, context, minutes, seed, batchSize, epochs, learningRate }, limit) {
    requireOwnData({ data, minutes }, "there is no text; name its file or folder by --data");
    if (!(Number.isInteger(context) && context >= 2))
      throw new OptionError(`--context is ${context}; pass a whole number from 2, such as 128`);
    const { notes, ...parts } = await loadWriting({ path: data, seed, limit: limit && limit * context });
    const { vocabulary, ...size } = writingSize(new TextEncoder().encode(parts.train).length);
    const tokenizer = trainBpe(parts.train, { vocabulary });
    const shortest = Math.min(...[parts.validation, parts.test].map((text) => tokenizer.encode(text).length));
    if (shortest <= context)
      throw new DataError(
        `${data}: a part of it has ${shortest} pieces of words, too few for windows of ${context}; pass a longer text${shortest > 4 ? `, or --context ${Math.floor(shortest / 2)}` : ""}`,
      );
    const own = languageData(parts, tokenizer, { positions: context, batchSize, seed });
    const kept = { ...size, positions: context, prompt: promptOf(parts.train) };
    const steps = epochs * (own.train.length ?? 1);
    return {
      ...gptDeployment(tokenizer, kept),
      facts: { tokenizer: JSON.parse(tokenizer.json()), size: kept },
      ...own,
      notes: [
        ...notes,
        `${tokenizer.size} pieces of words are learned of the part that is trained on`,
        `by the length of the text: ${size.layers} layers of ${size.width} features`,
      ],
      schedule: cosine({ rate: learningRate, steps, warmup: Math.min(100, steps / 10), floor: learningRate / 20 }),
      optimizers: { adamw: { beta2: 0.99, weightDecay: 0.1 } },
      training: { clipNorm: 1 },
      callbacks: [earlyStopping({ patience: 3, seconds: 60 * minutes }), requireSameVocabulary(tokenizer, "tokenizer")],
    };
  },
});
