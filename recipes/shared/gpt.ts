/** Training of decoder-only language models on one text (Radford et al. 2019). */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import {
  type CompileOptions,
  compareLanguageBaselines,
  cosine,
  crossEntropy,
  DataError,
  defineRecipe,
  FileError,
  keyOf,
  models,
  partsOfText,
  perplexity,
  type Recipe,
  requireSameVocabulary,
  type TextThirds,
  type Tokenizer,
  textWindows,
  tokenizerFileSchema,
  tokenizerOf,
} from "../../src/index.ts";
import { joinLines, loadMobyDick } from "../../src/node.ts";

export interface GptRecipe {
  readonly name: string;
  readonly summary: string;
  readonly data: string;
  readonly epochs: number;
  readonly next: readonly string[];
  readonly size: {
    readonly width: number;
    readonly layers: number;
    readonly heads: number;
    readonly positions: number;
  };
  /** Dropout everywhere; the smaller the text beside the model, the more. */
  readonly dropout: number;
  /** Learns tokens of the text that is trained on; `whole` says which characters there are. */
  tokenize(trained: string, whole: string): Tokenizer;
}

/** The text of a file, or the book. */
async function readText(path: string): Promise<string> {
  if (path === "") return loadMobyDick();
  const text = await readFile(path, "utf8").catch((cause: Error) => {
    throw new FileError(`${path} cannot be read (${cause.message}); name a text file`, { cause });
  });
  if (text.trim() === "") throw new DataError(`${path} has no text in it; name another file`);
  return joinLines(text);
}

/** What is learned of the text: its tokens, as Hugging Face's tokenizer.json. */
const facts = z.object({ tokenizer: tokenizerFileSchema });

/** The sizes of a GPT, and a prompt to try. */
interface GptSize {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly positions: number;
  readonly dropout: number;
  readonly prompt: string;
}

/** A GPT that writes with a tokenizer. */
export const gptDeployment = (tokenizer: Tokenizer, { dropout, prompt, ...size }: GptSize) => ({
  model: models.gpt2Architectures.GPT2LMHeadModel({
    sizes: { ...size, feedForward: 4 * size.width, vocabulary: tokenizer.size },
    details: { dropout, attentionDropout: dropout },
    embeddingDropout: dropout,
  }),
  inputs: { dtype: "int32", shape: [1, size.positions] } as const,
  writer: { tokenizer, positions: size.positions, prompt },
});

/** How tokens become batches. */
interface BatchSettings {
  /** Tokens that the model reads at once. */
  readonly positions: number;
  readonly batchSize: number;
  readonly seed: number;
}

/** A text in parts as what a language model is trained and tested on, beside n-grams of the same tokens. */
export function languageData(parts: TextThirds, tokenizer: Tokenizer, { positions, batchSize, seed }: BatchSettings) {
  const encode = (text: string) => Int32Array.from(tokenizer.encode(text));
  const tokens = { train: encode(parts.train), validation: encode(parts.validation), test: encode(parts.test) };
  const key = keyOf(seed);
  const train = textWindows(tokens.train, positions, key).shuffle(key).batch(batchSize);
  const test = textWindows(tokens.test, positions);
  const bytes = new TextEncoder().encode(parts.test).length;
  return {
    train,
    validation: textWindows(tokens.validation, positions).batch(batchSize, { dropLast: false }),
    test: test.batch(batchSize, { dropLast: false }),
    loss: crossEntropy(),
    metrics: [perplexity()],
    samples: { train: (train.length ?? 0) * batchSize, test: test.length ?? 0 },
    // Perplexities of other tokens cannot be compared, bits of the same bytes can.
    measure: async (_: CompileOptions, { loss = Number.NaN }: Readonly<Record<string, number>>) => ({
      bits_per_byte: ((loss / Math.LN2) * tokens.test.length) / bytes,
    }),
    baselines: async () => compareLanguageBaselines(tokens, { vocabulary: tokenizer.size, order: mostOrder }),
  };
}

/** Tokens of the longest n-grams that are counted. */
const mostOrder = 8;

export const gptRecipe = ({ name, summary, data, epochs, next, size, dropout, tokenize }: GptRecipe): Recipe => {
  const deployment = (tokenizer: Tokenizer) => gptDeployment(tokenizer, { ...size, dropout, prompt: "Call me" });
  return defineRecipe({
    name,
    summary,
    data,
    defaults: { epochs, batchSize: 32, learningRate: 0.002, optimizer: "adamw", seed: 0 },
    options: { text: { description: "file of a text to learn in place of Moby Dick", default: "" } },
    next,
    facts,
    open: (_, { tokenizer }) => deployment(tokenizerOf(tokenizer)),
    async load({ batchSize, seed, epochs, learningRate, text: path }, limit) {
      const whole = await readText(path);
      const text = limit === undefined ? whole : whole.slice(0, limit * size.positions);
      // The last tenth is not read before the test; of what is before it the last tenth shows the progress.
      const parts = partsOfText(text);
      const tokenizer = tokenize(parts.train, text);
      const data = languageData(parts, tokenizer, { positions: size.positions, batchSize, seed });
      const steps = epochs * (data.train.length ?? 1);
      return {
        ...deployment(tokenizer),
        facts: { tokenizer: JSON.parse(tokenizer.json()) },
        ...data,
        schedule: cosine({ rate: learningRate, steps, warmup: Math.min(100, steps / 10), floor: learningRate / 20 }),
        optimizers: { adamw: { beta2: 0.99, weightDecay: 0.1 } },
        training: { clipNorm: 1 },
        callbacks: [requireSameVocabulary(tokenizer, "tokenizer")],
        draw: async () => ({ "tokenizer.json": tokenizer.json() }),
      };
    },
  });
};
