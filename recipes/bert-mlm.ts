/** A small BERT (Devlin et al. 2019): it learns a language by filling gaps, and then classifies sentences better than without. */
import { z } from "zod";
import {
  type AnyModule,
  accuracy,
  adamw,
  type CompileOptions,
  confidenceInterval,
  copyWeights,
  cosine,
  crossEntropy,
  DataError,
  type Dataset,
  type Dialogue,
  defineRecipe,
  evaluate,
  fit,
  foldIn,
  fromTensors,
  ignoredLabel,
  type Key,
  keyOf,
  type Labelled,
  maskTokens,
  models,
  paddingMask,
  padRows,
  predictor,
  type Random,
  requireSameVocabulary,
  sentimentClasses,
  type Tensor,
  type Tokenizer,
  tensor,
  textWindows,
  tokenizerFileSchema,
  tokenizerOf,
  trainBpe,
} from "../src/index.ts";
import { loadMobyDick, loadSentiment, type SubjectText, sentimentSubjects } from "../src/node.ts";
import { parted } from "./shared/parted.ts";

const [padding, mask] = ["[PAD]", "[MASK]"];
/** Tokens that the encoder reads at a time, which most sentences do not exceed; a longer one is read in two segments. */
const length = 24;
const longest = 2 * length;
/** Sentences with their classes, to train a classifier. */
const labelled = 240;
const vocabulary = 3000;
/** How often an epoch reads the sentences, which are a seventh of the book. */
const copies = 10;
const seeds = [0, 1, 2, 3, 4];
/** What a classifier learns of a sentence. */
const questions = [
  { name: "subject", classes: sentimentSubjects.length, classOf: ({ subject }: SubjectText) => subject },
  { name: "sentiment", classes: sentimentClasses.length, classOf: ({ label }: SubjectText) => label },
] as const;

const encoder = {
  sizes: { vocabulary, width: 64, layers: 2, heads: 4, feedForward: 256, positions: length },
  // Nearer to 1/√width than the 0.02 of a width of 768.
  details: { deviation: 0.05 },
  pooler: false,
};
const network = () => ({
  // Gaps are drawn anew in each epoch, which is enough against overfitting.
  model: models.bertArchitectures.BertForMaskedLM({
    ...encoder,
    details: { ...encoder.details, dropout: 0, attentionDropout: 0 },
  }),
  inputs: {
    x: { dtype: "int32", shape: [1, length] },
    mask: { dtype: "int32", shape: [1, length] },
  } as const,
});

/** What is learned of the texts: their tokens, as Hugging Face's tokenizer.json. */
const facts = z.object({ tokenizer: tokenizerFileSchema });

const deployment = (tokenizer: Tokenizer) => {
  const { model, inputs } = network();
  const dialogue: Dialogue = {
    what: `a text with ${mask} where a token is to be predicted`,
    example: `the white ${mask} swam away`,
    async open(compile) {
      const ask = predictor(model, { compile, snapshot: true });
      return async (question) => {
        const [before = "", ...after] = question.split(mask);
        if (after.length !== 1) throw new DataError(`the text needs one ${mask}; pass 'the white ${mask} swam away'`);
        const [left, right] = [tokenizer.encode(before.trimEnd()), tokenizer.encode(after[0] ?? "")];
        const asked = [...left, tokenizer.idOf(mask), ...right];
        if (asked.length > length)
          throw new DataError(`the text has ${asked.length} tokens, the model reads ${length}; shorten it`);
        const x = padRows([asked], length);
        // Masked as in training: what is padded is not seen.
        const logits = await ask({ x, mask: paddingMask(x) });
        const own = logits.data.slice(left.length * vocabulary, (left.length + 1) * vocabulary) as Float32Array;
        const likeliest = Array.from(own.keys())
          .sort((a, b) => (own[b] ?? 0) - (own[a] ?? 0))
          .slice(0, 5);
        const total = own.reduce((sum, logit) => sum + Math.exp(logit), 0);
        const found = likeliest.map((id) => ({
          token: tokenizer.decode([id]).trim(),
          probability: Math.exp(own[id] ?? 0) / total,
        }));
        const text = found.map(({ token, probability }) => `${token} (${(100 * probability).toFixed(1)} %)`).join(", ");
        return { text, fields: { tokens: found } };
      };
    },
  };
  return { model, inputs, dialogue };
};

/** Sentences in segments, each a row of its own. */
const segmentsOf = (sentences: readonly (readonly number[])[]) =>
  sentences.flatMap((ids) =>
    Array.from({ length: Math.ceil(ids.length / length) }, (_, i) => ids.slice(i * length, (i + 1) * length)),
  );

interface Classification {
  readonly train: Dataset<Labelled>;
  readonly test: Dataset<Labelled>;
  readonly classes: number;
  readonly seed: number;
  readonly epochs: number;
  readonly compile: CompileOptions;
}

/** Accuracy of a classifier on the sentences held back, its encoder begun as the model's, or at random. */
async function classify(given: Classification, pretrained?: AnyModule): Promise<number> {
  const { train, test, classes, seed, epochs, compile } = given;
  const bert = new models.BertModel(encoder);
  const model = new models.EncoderClassifier(bert, { classes, window: length });
  model.trace({ dtype: "int32", shape: [1, longest] });
  model.initialize(keyOf(seed));
  const own = pretrained?.children().find(({ path }) => path === "bert")?.module;
  if (own) copyWeights(own, bert);
  const batches = train.shuffle(keyOf(seed)).batch(16);
  const steps = epochs * (batches.length ?? 1);
  await fit(model, batches, {
    loss: crossEntropy(),
    optimizer: adamw({ learningRate: cosine({ rate: 0.001, steps, warmup: steps / 10 }), weightDecay: 0.01 }),
    epochs,
    training: { seed, compile, clipNorm: 1 },
  });
  const data = test.batch(60, { dropLast: false });
  const { results } = await evaluate(model, data, { loss: crossEntropy(), metrics: [accuracy()], compile });
  return results["accuracy"] ?? Number.NaN;
}

export default defineRecipe({
  name: "bert-mlm",
  summary:
    "A bidirectional encoder of 2 layers learns English by filling in masked tokens, then classes from few labelled sentences",
  data: "Moby Dick, its last tenth to test, and 2,400 sentences without their classes; then 240 with them, 600 to test",
  defaults: { epochs: 12, batchSize: 64, learningRate: 0.003, optimizer: "adamw", seed: 0 },
  next: ["sardonyx train lstm-sentiment       sentiment by a recurrent network"],
  network,
  facts,
  open: (_, { tokenizer }) => deployment(tokenizerOf(tokenizer)),
  async load({ batchSize, seed, epochs, learningRate }, limit) {
    const book = await loadMobyDick();
    const { texts } = await loadSentiment();
    // The same fifth is held back for every seed, and not read before the test.
    const [known, held] = parted(texts, 0.8, keyOf(0));
    const key = keyOf(seed);
    const border = Math.floor(0.9 * book.length);
    const cut = (text: string) => (limit === undefined ? text : text.slice(0, limit * 3 * length));
    const sentences = known.slice(0, limit).map(({ text }) => text);
    const tokenizer = trainBpe(
      [cut(book.slice(0, border)), ...Array.from({ length: copies }, () => sentences.join("\n"))].join("\n"),
      { vocabulary, special: [padding, mask], lowercase: true },
    );
    const idsOf = (text: string) => tokenizer.encode(text);
    const windows = (text: string, order?: Key) => textWindows(Int32Array.from(idsOf(text)), length, order);
    const chosen = maskTokens({ mask: tokenizer.idOf(mask), vocabulary, first: 2, rate: 0.2 });
    const masking = (batch: { readonly x: Tensor }, random: Random) => ({
      ...chosen(batch, random),
      mask: paddingMask(batch.x as Tensor<"int32">),
    });
    // A sentence is a row: what stands in it belongs together, and what stands beside it in the file does not.
    const rows = padRows(segmentsOf(sentences.map(idsOf)), length);
    const once = fromTensors({ x: rows, y: rows });
    const train = Array.from({ length: copies }, () => once)
      .reduce((all: Dataset<Labelled>, more) => all.concat(more), windows(cut(book.slice(0, border)), key))
      .shuffle(key)
      .batch(batchSize)
      .map(masking, foldIn(key, "masks"));
    const test = windows(cut(book.slice(border)));
    const opened = deployment(tokenizer);
    const { model } = opened;
    const steps = epochs * (train.length ?? 1);
    return {
      ...opened,
      facts: { tokenizer: JSON.parse(tokenizer.json()) },
      train,
      test: test.batch(batchSize, { dropLast: false }).map(masking, key),
      loss: crossEntropy({ ignoreIndex: ignoredLabel }),
      metrics: [accuracy()],
      samples: { train: (train.length ?? 0) * batchSize, test: test.length ?? 0 },
      schedule: cosine({ rate: learningRate, steps, warmup: Math.min(200, steps / 10) }),
      optimizers: { adamw: { weightDecay: 0.01 } },
      training: { clipNorm: 1 },
      callbacks: [requireSameVocabulary(tokenizer, "tokenizer")],
      async measure(compile) {
        const rowsOf = (own: readonly SubjectText[], classOf: (text: SubjectText) => number) =>
          fromTensors({
            x: padRows(
              own.map(({ text }) => idsOf(text).slice(0, longest)),
              longest,
            ),
            y: tensor(own.map(classOf), { dtype: "int32" }),
          });
        // A run of few samples is shortened in this too.
        const [own, rounds] = limit === undefined ? [seeds, 20] : [seeds.slice(0, 2), 8];
        const results: Record<string, number> = {};
        for (const { name, classes, classOf } of questions) {
          const heldRows = rowsOf(held.slice(0, limit), classOf);
          const scores: { pretrained: number; scratch: number }[] = [];
          for (const seed of own) {
            const [few] = parted(known, labelled / known.length, keyOf(seed));
            const given = { train: rowsOf(few, classOf), test: heldRows, classes, seed, epochs: rounds, compile };
            scores.push({ pretrained: await classify(given, model), scratch: await classify(given) });
          }
          const gain = confidenceInterval(scores.map(({ pretrained, scratch }) => pretrained - scratch));
          results[`${name}_pretrained_accuracy`] = confidenceInterval(scores.map(({ pretrained }) => pretrained)).mean;
          results[`${name}_scratch_accuracy`] = confidenceInterval(scores.map(({ scratch }) => scratch)).mean;
          results[`${name}_gain_accuracy`] = gain.mean;
          results[`${name}_gain_accuracy_low`] = gain.low;
          results[`${name}_gain_accuracy_high`] = gain.high;
        }
        return results;
      },
      draw: async () => ({ "tokenizer.json": tokenizer.json() }),
    };
  },
});
