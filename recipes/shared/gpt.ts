/** Training of decoder-only language models on one text (Radford et al. 2019). */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import {
  cosine,
  crossEntropy,
  DataError,
  defineRecipe,
  FileError,
  keyOf,
  models,
  perplexity,
  type Recipe,
  requireSameVocabulary,
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
  tokenize(text: string): Tokenizer;
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

export const gptRecipe = ({ name, summary, data, epochs, next, size, dropout, tokenize }: GptRecipe): Recipe => {
  const deployment = (tokenizer: Tokenizer) => ({
    model: models.gpt2Architectures.GPT2LMHeadModel({
      sizes: { ...size, feedForward: 4 * size.width, vocabulary: tokenizer.size },
      details: { dropout, attentionDropout: dropout },
      embeddingDropout: dropout,
    }),
    inputs: { dtype: "int32", shape: [1, size.positions] } as const,
    writer: { tokenizer, positions: size.positions, prompt: "Call me" },
  });
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
      const tokenizer = tokenize(text);
      const ids = Int32Array.from(tokenizer.encode(text));
      // The last tenth is not read before the test; of what is before it the last tenth shows the progress.
      const [border, end] = [Math.floor(0.81 * ids.length), Math.floor(0.9 * ids.length)];
      const windows = (from: number, to: number, key?: ReturnType<typeof keyOf>) =>
        textWindows(ids.subarray(from, to), size.positions, key);
      const train = windows(0, border, keyOf(seed)).shuffle(keyOf(seed)).batch(batchSize);
      const held = windows(border, end).batch(batchSize, { dropLast: false });
      const test = windows(end, ids.length);
      const steps = epochs * (train.length ?? 1);
      return {
        ...deployment(tokenizer),
        facts: { tokenizer: JSON.parse(tokenizer.json()) },
        train,
        validation: held,
        test: test.batch(batchSize, { dropLast: false }),
        loss: crossEntropy(),
        metrics: [perplexity()],
        samples: { train: (train.length ?? 0) * batchSize, test: test.length ?? 0 },
        schedule: cosine({ rate: learningRate, steps, warmup: Math.min(100, steps / 10), floor: learningRate / 20 }),
        optimizers: { adamw: { beta2: 0.99, weightDecay: 0.1 } },
        training: { clipNorm: 1 },
        callbacks: [requireSameVocabulary(tokenizer, "tokenizer")],
        draw: async () => ({ "tokenizer.json": tokenizer.json() }),
      };
    },
  });
};
