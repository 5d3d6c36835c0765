/** A GPT that read one book, adapted to sentences of another kind: by LoRA, by its last block, and as a whole. */
import {
  type AdapterSet,
  type AnyModule,
  adamw,
  addLora,
  type CompileOptions,
  compareLanguageBaselines,
  confidenceInterval,
  copyWeights,
  cosine,
  crossEntropy,
  type Dataset,
  defineRecipe,
  encodeSafetensors,
  evaluate,
  fit,
  foldIn,
  keyOf,
  type Labelled,
  type LoraOptions,
  merge,
  type RecipeNetwork,
  type Task,
  type TextWindow,
  type Tokenizer,
  textWindows,
  trainBpe,
  unfreezeLast,
  type WeightSite,
} from "../src/index.ts";
import { loadSentiment } from "../src/node.ts";
import { gptRecipe } from "./shared/gpt.ts";
import { parted } from "./shared/parted.ts";

const positions = 64;
const seeds = [0, 1, 2, 3, 4];
const rank = 8;
const batchSize = 16;

type Lora = AdapterSet<LoraOptions, WeightSite>;

/** What is trained, with the rates among which validation chooses. */
const methods: readonly {
  readonly name: string;
  readonly rates: readonly number[];
  readonly begin: (model: AnyModule, seed: number) => Promise<Lora | undefined>;
}[] = [
  {
    name: "lora",
    rates: [0.005, 0.01, 0.02, 0.04],
    begin: (model, seed) => addLora(model, { rank, alpha: 2 * rank, targets: "all-linear" }, { seed }),
  },
  {
    name: "last_block",
    rates: [0.002, 0.005, 0.01, 0.02],
    async begin(model) {
      unfreezeLast(model, 1);
      return undefined;
    },
  },
  { name: "full", rates: [0.001, 0.002, 0.004, 0.008], begin: async () => undefined },
];
type Method = (typeof methods)[number];

/** The sentences to adapt to, in windows. */
interface Sentences {
  readonly train: (seed: number) => Dataset<TextWindow>;
  readonly validation: Dataset<TextWindow>;
  readonly test: Dataset<TextWindow>;
  /** The perplexity on the test of n-grams that are counted on the sentences to adapt to. */
  readonly counted: () => number;
}

const base = gptRecipe({
  name: "lora-gpt",
  summary:
    "A GPT of 4 layers that read Moby Dick, adapted to reviews by low-rank paths beside its weights (LoRA); n-grams predict so short texts better",
  data: "Moby Dick, its last tenth to test; then 2,400 sentences of reviews, 300 to validate, 300 to test",
  epochs: 3,
  next: ["sardonyx train gpt-bpe             the book alone, for longer"],
  size: { width: 128, layers: 4, heads: 4, positions },
  dropout: 0.1,
  tokenize: (text) => trainBpe(text, { vocabulary: 1024 }),
});

async function sentencesOf({ encode, size: vocabulary }: Tokenizer, limit: number | undefined): Promise<Sentences> {
  const none = new Int32Array();
  const { texts } = await loadSentiment();
  // The same sentences are held back for every seed.
  const [known, held] = parted(texts.slice(0, limit), 0.8, keyOf(0));
  const ids = (own: typeof texts) => Int32Array.from(encode(own.map(({ text }) => text).join("\n")));
  const [train, validation, test] = [known, held.slice(0, held.length / 2), held.slice(held.length / 2)].map(ids);
  const counted = () => {
    const tokens = { train: train ?? none, validation: validation ?? none, test: test ?? none };
    return compareLanguageBaselines(tokens, { vocabulary, order: 8 }).at(-1)?.test ?? Number.NaN;
  };
  const windows = (own = none) => textWindows(own, positions).batch(batchSize, { dropLast: false });
  return {
    counted,
    train: (seed) => {
      const key = foldIn(keyOf(seed), "sentences");
      return textWindows(train ?? none, positions, key)
        .shuffle(key)
        .batch(batchSize);
    },
    validation: windows(validation),
    test: windows(test),
  };
}

const perplexityOf = async (model: AnyModule, data: Dataset<Labelled>, compile: CompileOptions): Promise<number> => {
  const { results } = await evaluate(model, data, { loss: crossEntropy(), compile });
  return Math.exp(results["loss"] ?? Number.NaN);
};

interface Adaptation {
  readonly pretrained: AnyModule;
  /** A model without weights, of the same kind. */
  readonly build: () => RecipeNetwork;
  readonly sentences: Sentences;
  readonly epochs: number;
  readonly compile: CompileOptions;
}

/** A copy of the pretrained model, adapted. */
async function adapted({ begin }: Method, learningRate: number, seed: number, given: Adaptation) {
  const { pretrained, build, sentences, epochs, compile } = given;
  const { model, inputs } = build();
  model.trace(inputs);
  model.initialize(keyOf(seed));
  copyWeights(pretrained, model);
  const lora = await begin(model, seed);
  const data = sentences.train(seed);
  const steps = epochs * (data.length ?? 1);
  await fit(model, data, {
    loss: crossEntropy(),
    optimizer: adamw({ learningRate: cosine({ rate: learningRate, steps, warmup: steps / 10 }), weightDecay: 0.01 }),
    epochs,
    training: { seed, compile, clipNorm: 1 },
  });
  return { model, lora, validation: await perplexityOf(model, sentences.validation, compile) };
}

const trainedElements = (model: AnyModule): number =>
  [...model.parameters().values()]
    .filter(({ trainable }) => trainable)
    .reduce((sum, { value }) => sum + (value?.data.length ?? 0), 0);

/** The adapter's tensors as a file; `merge_difference` of the outputs, relative to the largest. */
async function sizeAndMerge(lora: Lora, sentences: Sentences) {
  const tensors = lora.tensors("default");
  const file = encodeSafetensors(Object.fromEntries(tensors));
  for await (const { x } of sentences.test.epoch(0)) {
    const { difference } = await merge(lora, { probe: x });
    return { file, results: { lora_bytes: file.length, merge_difference: difference } };
  }
  return { file, results: {} };
}

export default defineRecipe({
  ...base,
  options: { ...base.options, adaptation: { description: "epochs on the sentences", default: 4 } },
  async load(settings, limit, onDownload): Promise<Task> {
    const task = await base.load(settings, limit, onDownload);
    const tokenizer = task.writer?.tokenizer ?? trainBpe("", { vocabulary: 1024 });
    const sentences = await sentencesOf(tokenizer, limit);
    let adapter: Uint8Array | undefined;
    return {
      ...task,
      async measure(compile) {
        const build = () => base.open?.(settings as never, task.facts) as RecipeNetwork;
        const given = { pretrained: task.model, build, sentences, epochs: settings.adaptation, compile };
        const results: Record<string, number> = {
          book_before: await perplexityOf(task.model, task.test as Dataset<Labelled>, compile),
          sentences_before: await perplexityOf(task.model, sentences.test, compile),
          sentences_n_gram: sentences.counted(),
        };
        for (const method of methods) {
          // A run of few samples is shortened in this too.
          const [rates, own] =
            limit === undefined ? [method.rates, seeds] : [method.rates.slice(1, 2), seeds.slice(0, 2)];
          const tried = [];
          for (const rate of rates) tried.push({ rate, ...(await adapted(method, rate, seeds[0] ?? 0, given)) });
          const best = tried.reduce((a, b) => (b.validation < a.validation ? b : a));
          const perplexities: { readonly book: number; readonly sentences: number }[] = [];
          for (const seed of own) {
            const { model, lora } = seed === seeds[0] ? best : await adapted(method, best.rate, seed, given);
            perplexities.push({
              book: await perplexityOf(model, task.test as Dataset<Labelled>, compile),
              sentences: await perplexityOf(model, sentences.test, compile),
            });
            results[`${method.name}_parameters`] = trainedElements(model);
            if (!lora || seed !== seeds[0]) continue;
            const merged = await sizeAndMerge(lora, sentences);
            adapter = merged.file;
            Object.assign(results, merged.results);
            results["sentences_merged"] = await perplexityOf(model, sentences.test, compile);
            results["sentences_unmerged"] = perplexities[0]?.sentences ?? Number.NaN;
          }
          results[`${method.name}_rate`] = best.rate;
          for (const text of ["sentences", "book"] as const) {
            const { mean, low, high } = confidenceInterval(perplexities.map((both) => both[text]));
            Object.assign(results, {
              [`${text}_${method.name}`]: mean,
              [`${text}_${method.name}_low`]: low,
              [`${text}_${method.name}_high`]: high,
            });
          }
        }
        return results;
      },
      draw: async (compile) => ({
        ...(await task.draw?.(compile)),
        ...(adapter && { "adapter.safetensors": adapter }),
      }),
    };
  },
});
