/** A pretrained sentence encoder learns sentiment from few labelled sentences or many: its head alone, its last layer, or all of it. */
import { resolve } from "node:path";
import {
  type AnyModule,
  accuracy,
  adamw,
  addLora,
  type CompileOptions,
  confidenceInterval,
  confusionMatrix,
  cosine,
  crossEntropy,
  type Dataset,
  type Dialogue,
  defineRecipe,
  dense,
  evaluate,
  featuresOf,
  fit,
  foldIn,
  fromTensors,
  type Key,
  keyOf,
  type Labelled,
  type LabelledText,
  naiveBayesAccuracy,
  padRows,
  predictor,
  sampleShots,
  sentimentClasses,
  Tensor,
  type Tokenizer,
  tensor,
  unfreezeLast,
  withHead,
} from "../src/index.ts";
import { loadSentiment } from "../src/node.ts";
import { labelledBatches } from "./shared/labelled-batches.ts";
import { parted } from "./shared/parted.ts";
import { loadSentenceEncoder, type PretrainedEncoder, SentenceEncoder } from "./shared/sentence-encoder.ts";

/** Tokens of a sentence that are read. */
const longest = 32;
const widths = [16, longest];
const seeds = [0, 1, 2, 3, 4];
const classes = sentimentClasses.length;
const inputs = { dtype: "int32", shape: [1, longest] } as const;

/** What is compared: sentences of each class, and how often they are passed over; 0 are all. */
const sizes = [
  { shots: 8, passes: 20 },
  { shots: 32, passes: 10 },
  { shots: 128, passes: 4 },
  { shots: 0, passes: 2 },
] as const;
/** What is trained beside the head, with the rates among which the comparison chooses. */
const methods = {
  last: [0.00005, 0.0001, 0.0002, 0.0005],
  all: [0.00005, 0.0001, 0.0002, 0.0005],
  lora: [0.0003, 0.001, 0.003, 0.01],
} as const;
type Method = keyof typeof methods | "head";

/** The encoder with a head on its vectors; these have length 1, so that the head's weights are large. */
function network(encoder: SentenceEncoder = new SentenceEncoder(), seed = 0) {
  const model = withHead(encoder, dense(classes));
  model.trace(inputs);
  model.initialize(keyOf(seed));
  return model;
}

async function begin(model: AnyModule, method: Method, seed: number): Promise<void> {
  if (method === "head") model.freeze("base");
  // The last block, and the layer behind it.
  if (method === "last") unfreezeLast(model, 1);
  if (method === "lora") await addLora(model, { rank: 8, alpha: 16 }, { seed, modulesToSave: [/^head\./] });
}

/** Sentences as they are split for a seed, with the same test as that of lstm-sentiment. */
async function splitFor(seed: number, limit: number | undefined) {
  const { texts } = await loadSentiment();
  const key = keyOf(seed);
  const [train, test] = parted(texts, 0.8, foldIn(key, "test"));
  const [known, held] = parted(train, 0.9, foldIn(key, "validation"));
  return { known, held: held.slice(0, limit), test: test.slice(0, limit) };
}

const labelsOf = (texts: readonly LabelledText[]) =>
  tensor(
    texts.map(({ label }) => label),
    { dtype: "int32" },
  );

/** So many of each class, or all of them. */
function chosen(texts: readonly LabelledText[], shots: number, key: Key): readonly LabelledText[] {
  if (shots === 0) return texts;
  return Array.from(sampleShots(labelsOf(texts), shots, key).support, (i) => texts[i] as LabelledText);
}

const idsOf = (tokenizer: Tokenizer, { text }: Pick<LabelledText, "text">) => tokenizer.encode(text).slice(0, longest);

/** Sentences in batches of like length. */
const batchesOf = (tokenizer: Tokenizer, texts: readonly LabelledText[], size: number, key?: Key): Dataset<Labelled> =>
  labelledBatches(
    texts.map((text) => ({ ids: idsOf(tokenizer, text), label: text.label })),
    { size, widths, key },
  );

const rated = (learningRate: number, steps: number) =>
  adamw({ learningRate: cosine({ rate: learningRate, steps, warmup: steps / 10 }), weightDecay: 0.01 });

const accuracyOf = async (model: AnyModule, data: Dataset<Labelled>, compile: CompileOptions): Promise<number> => {
  const { results } = await evaluate(model, data, { loss: crossEntropy(), metrics: [accuracy()], compile });
  return results["accuracy"] ?? Number.NaN;
};

/** Each way of training, from five seeds. */
class Comparison {
  readonly #encoder: PretrainedEncoder;
  readonly #compile: CompileOptions;
  readonly #vectors = new Map<string, Float32Array>();
  constructor(encoder: PretrainedEncoder, compile: CompileOptions) {
    this.#encoder = encoder;
    this.#compile = compile;
  }

  /** Computes the vectors of sentences by the encoder as it is, once for all heads. */
  async embed(texts: readonly LabelledText[]): Promise<void> {
    const { tokenizer, build } = this.#encoder;
    const byLength = [...texts].sort((a, b) => idsOf(tokenizer, a).length - idsOf(tokenizer, b).length);
    // Without a key batches are as given, short ones first.
    const { features } = await featuresOf(build(), batchesOf(tokenizer, byLength, 50), { compile: this.#compile });
    const width = features.shape[1] ?? 1;
    for (const [i, { text }] of byLength.entries())
      this.#vectors.set(text, features.data.slice(i * width, (i + 1) * width));
  }

  /** The accuracy of a head on vectors. */
  async head(train: readonly LabelledText[], test: readonly LabelledText[], seed: number): Promise<number> {
    const rows = (texts: readonly LabelledText[]) => {
      const own = texts.map(({ text }) => this.#vectors.get(text) ?? new Float32Array());
      const width = own[0]?.length ?? 1;
      const x = new Float32Array(own.length * width);
      for (const [i, vector] of own.entries()) x.set(vector, i * width);
      return fromTensors({ x: new Tensor("float32", [own.length, width], x), y: labelsOf(texts) });
    };
    const data = rows(train).shuffle(keyOf(seed)).batch(16);
    const epochs = Math.ceil(400 / (data.length ?? 1));
    const model = dense(classes);
    await fit(model, data, {
      loss: crossEntropy(),
      optimizer: rated(0.03, epochs * (data.length ?? 1)),
      epochs,
      training: { seed, compile: this.#compile },
    });
    return accuracyOf(model, rows(test).batch(200, { dropLast: false }), this.#compile);
  }

  /** The rate that is best on sentences held out, after training on 32 of each class. */
  async bestRate(
    method: keyof typeof methods,
    rates: readonly number[],
    known: readonly LabelledText[],
    held: readonly LabelledText[],
  ): Promise<number> {
    const few = chosen(known, 32, keyOf(0));
    let [best, most] = [rates[0] ?? 0, -1];
    for (const rate of rates) {
      const share = await this.trained(method, few, held, { seed: 0, passes: 10, rate });
      if (share > most) [best, most] = [rate, share];
    }
    return best;
  }

  /** The accuracy of an encoder that is trained with its head. */
  async trained(
    method: keyof typeof methods,
    train: readonly LabelledText[],
    test: readonly LabelledText[],
    { seed, passes, rate }: { readonly seed: number; readonly passes: number; readonly rate: number },
  ): Promise<number> {
    const { tokenizer, build } = this.#encoder;
    const model = network(build(), seed);
    await begin(model, method, seed);
    const data = batchesOf(tokenizer, train, 16, foldIn(keyOf(seed), "order"));
    await fit(model, data, {
      loss: crossEntropy(),
      optimizer: rated(rate, passes * (data.length ?? 1)),
      epochs: passes,
      training: { seed, compile: this.#compile, clipNorm: 1, groups: headFaster },
    });
    return accuracyOf(model, batchesOf(tokenizer, test, 50), this.#compile);
  }
}

/** The head begins at random and reads vectors of length 1: it learns faster than what is pretrained. */
const headFaster = [{ parameters: /^head\./, learningRateScale: 20 }] as const;

const deployment = (folder: string, encoder?: SentenceEncoder, seed = 0) => {
  const model = network(encoder, seed);
  const dialogue: Dialogue = {
    what: "a sentence in English",
    example: "The food was wonderful and I will come back",
    async open(compile) {
      const { tokenizer } = await loadSentenceEncoder(folder);
      const ask = predictor(model, { compile, snapshot: true });
      return async (text) => ({ output: await ask(padRows([idsOf(tokenizer, { text })], longest)) });
    },
  };
  return { model, inputs, classes: sentimentClasses, dialogue };
};

const folderOf = (given: string): string => (given === "" ? "" : resolve(given));

export default defineRecipe({
  name: "transfer-text",
  summary: "A pretrained sentence encoder learns sentiment: by a head on its vectors, its last layer, or all of it",
  data: "Sentiment Labelled Sentences: 2,160 or fewer, 240 to validate, 600",
  defaults: { epochs: 6, batchSize: 16, learningRate: 0.002, optimizer: "adamw", seed: 0 },
  options: {
    method: { description: "what is trained: head, last or all", default: "head", choices: ["head", "last", "all"] },
    shots: { description: "sentences of each class to learn from; 0 are all", default: 0 },
    package: { description: "folder whose node_modules has the encoder; default that of Sardonyx", default: "" },
    compare: { description: "all ways of training on 8 to all sentences of a class, over five seeds", default: false },
  },
  next: ["sardonyx train lstm-sentiment       the same sentences without pretraining"],
  network: () => ({ model: network(), inputs }),
  open: ({ package: folder }) => deployment(folderOf(folder)),
  async load({ method, shots, package: given, compare, batchSize, seed, epochs, learningRate }, limit) {
    const folder = folderOf(given);
    const pretrained = await loadSentenceEncoder(folder);
    const { tokenizer } = pretrained;
    const key = keyOf(seed);
    const { known, held, test } = await splitFor(seed, limit);
    const train = chosen(known, shots, key).slice(0, limit);
    const opened = deployment(folder, pretrained.build(), seed);
    await begin(opened.model, method, seed);
    // What the frozen encoder gives is kept where rows have one width.
    const rowsOf = (texts: readonly LabelledText[], size: number, order?: Key): Dataset<Labelled> => {
      if (method !== "head") return batchesOf(tokenizer, texts, size, order);
      const ids = texts.map((text) => idsOf(tokenizer, text));
      const rows = fromTensors({ x: padRows(ids, longest), y: labelsOf(texts) });
      return (order ? rows.shuffle(order) : rows).batch(size, { dropLast: order !== undefined });
    };
    const data = rowsOf(train, batchSize, foldIn(key, "order"));
    // What is pretrained learns more slowly than a head.
    const rate = method === "head" ? learningRate : learningRate / 10;
    return {
      ...opened,
      train: data,
      validation: rowsOf(held, 48),
      test: rowsOf(test, 50),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(classes)],
      samples: { train: train.length, test: test.length },
      schedule: cosine({ rate, steps: epochs * (data.length ?? 1) }),
      optimizers: { adamw: { weightDecay: 0.01 } },
      training: { clipNorm: 1, groups: headFaster },
      async measure(compile) {
        const results: Record<string, number> = {
          naive_bayes_accuracy: naiveBayesAccuracy(train, test, classes),
        };
        if (!compare) return results;
        const comparison = new Comparison(pretrained, compile);
        await comparison.embed((await loadSentiment()).texts);
        const rates = new Map<keyof typeof methods, number>();
        for (const [name, tried] of Object.entries(methods) as [keyof typeof methods, readonly number[]][]) {
          const best = await comparison.bestRate(name, tried, known, held);
          rates.set(name, best);
          results[`${name}_rate`] = best;
        }
        for (const { shots: own, passes } of sizes) {
          const found = new Map<string, number[]>();
          const note = (name: string, share: number) => found.set(name, [...(found.get(name) ?? []), share]);
          for (const seed of seeds) {
            const { known, test } = await splitFor(seed, limit);
            const few = chosen(known, own, keyOf(seed));
            note("naive_bayes", naiveBayesAccuracy(few, test, classes));
            note("head", await comparison.head(few, test, seed));
            for (const [name, rate] of rates)
              note(name, await comparison.trained(name, few, test, { seed, passes, rate }));
          }
          for (const [name, shares] of found) {
            const { mean, low, high } = confidenceInterval(shares);
            const what = `${name}_${own === 0 ? "all" : own}_accuracy`;
            Object.assign(results, { [what]: mean, [`${what}_low`]: low, [`${what}_high`]: high });
          }
        }
        return results;
      },
    };
  },
});
