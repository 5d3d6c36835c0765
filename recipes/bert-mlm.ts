/** A small BERT (Devlin et al. 2019): it learns a language by filling gaps, and then tells sentiment better than without. */
import {
  accuracy,
  adamw,
  type Batch,
  type CompileOptions,
  confidenceInterval,
  copyWeights,
  cosine,
  crossEntropy,
  DataError,
  defineRecipe,
  evaluate,
  fit,
  foldIn,
  fromTensors,
  keyOf,
  type LabelledText,
  type Module,
  maskTokens,
  models,
  padRows,
  predictor,
  sameWords,
  type TensorDataset,
  tensor,
  textWindows,
  trainBpe,
  untold,
} from "../src/index.ts";
import { loadMobyDick, loadSentiment } from "../src/node.ts";
import { parted } from "./shared/parted.ts";

const [padding, mask] = ["[PAD]", "[MASK]"];
/**
 * Tokens that the encoder reads at a time: what stands next to a gap is found soon among 16, and among 64 not within
 * thousands of updates, since attention that is spread over all tells little of any.
 */
const length = 16;
/** Tokens of a sentence at most, in three stretches. */
const longest = 48;
/** Sentences whose class is told to a classifier. */
const labelled = 240;
const vocabulary = 1024;
const seeds = [0, 1, 2, 3, 4];

const encoder = {
  ...{ vocabulary, width: 128, layers: 2, heads: 4, feedForward: 512, positions: length, pooler: false },
  // Nearer to 1/√width than the 0.02 of a width of 768.
  deviation: 0.05,
};
const network = () => ({
  // Gaps are drawn anew in each epoch, which is enough against learning by heart.
  model: models.bertArchitectures.BertForMaskedLM({ ...encoder, dropout: 0, attentionDropout: 0 }),
  input: { dtype: "int32", shape: [1, length] } as const,
});

type Rows = TensorDataset<Batch>;

interface Classification {
  readonly told: Rows;
  readonly tested: Rows;
  readonly seed: number;
  readonly epochs: number;
  readonly compile: CompileOptions;
}

/** Accuracy of a classifier on the sentences held back, its encoder begun as the model's, or at random. */
async function classify({ told, tested, seed, epochs, compile }: Classification, pretrained?: Module): Promise<number> {
  const bert = new models.BertModel(encoder);
  const model = new models.EncoderClassifier(bert, { classes: 2, stretch: length });
  model.trace({ dtype: "int32", shape: [1, longest] });
  model.initialize(keyOf(seed));
  const own = pretrained?.children().find(({ path }) => path === "bert")?.module;
  if (own) copyWeights(own, bert);
  const batches = told.shuffle(keyOf(seed)).batch(16);
  const steps = epochs * (batches.length ?? 1);
  await fit(model, batches, {
    loss: crossEntropy(),
    optimizer: adamw({ learningRate: cosine({ rate: 0.0005, steps, warmup: steps / 10 }), weightDecay: 0.01 }),
    epochs,
    training: { seed, compile, clipNorm: 1 },
  });
  const data = tested.batch(60, { dropLast: false });
  const { results } = await evaluate(model, data, { loss: crossEntropy(), metrics: [accuracy()], compile });
  return results["accuracy"] ?? Number.NaN;
}

export default defineRecipe({
  name: "bert-mlm",
  summary:
    "A bidirectional encoder of 2 layers learns English by filling gaps, then sentiment from few labelled sentences",
  data: "Moby Dick, its last tenth to test, and 2,400 sentences without their classes; then 240 with them, 600 to test",
  defaults: { epochs: 10, batchSize: 128, learningRate: 0.002, optimizer: "adamw", seed: 0 },
  next: ["sardonyx train lstm-sentiment       sentiment by a recurrent network"],
  network,
  async load({ batchSize, seed, epochs, learningRate }, limit) {
    const book = await loadMobyDick();
    const { texts } = await loadSentiment();
    // The same fifth is held back for every seed, and not read before the test.
    const [known, held] = parted(texts, 0.8, keyOf(0));
    const key = keyOf(seed);
    const border = Math.floor(0.9 * book.length);
    const cut = (text: string) => (limit === undefined ? text : text.slice(0, limit * 3 * length));
    // The book is eight times as long as the sentences, which speak of other things: they are read four times an epoch.
    const sentences = known.map(({ text }) => text).join("\n");
    const read = [cut(book.slice(0, border)), ...Array.from({ length: 4 }, () => cut(sentences))].join("\n");
    const tokenizer = trainBpe(read, { vocabulary, special: [padding, mask], lowercase: true });
    const idsOf = (text: string) => Int32Array.from(tokenizer.encode(text));
    const ids = idsOf(read);
    const masking = maskTokens({ mask: tokenizer.idOf(mask), vocabulary, first: 2, rate: 0.2 });
    const train = textWindows(ids, length, key).shuffle(key).batch(batchSize).map(masking, foldIn(key, "masks"));
    const test = textWindows(idsOf(cut(book.slice(border))), length);
    const { model, input } = network();
    const steps = epochs * (train.length ?? 1);
    return {
      model,
      train,
      test: test.batch(batchSize, { dropLast: false }).map(masking, key),
      loss: crossEntropy({ ignore: untold }),
      metrics: [accuracy({ ignore: untold })],
      samples: { train: (train.length ?? 0) * batchSize, test: test.length ?? 0 },
      schedule: cosine({ rate: learningRate, steps, warmup: Math.min(200, steps / 10) }),
      optimizers: { adamw: { weightDecay: 0.01 } },
      training: { clipNorm: 1 },
      callbacks: [sameWords(tokenizer, "tokenizer")],
      input: { type: input, prepare: (raw) => raw },
      dialogue: {
        what: `a text with ${mask} where a token is to be told`,
        example: `the white ${mask} swam away`,
        async open(compile) {
          const ask = await predictor(model, input, compile);
          return async (question) => {
            const [before = "", ...after] = question.split(mask);
            if (after.length !== 1)
              throw new DataError(`the text needs one ${mask}; pass 'the white ${mask} swam away'`);
            const [left, right] = [tokenizer.encode(before.trimEnd()), tokenizer.encode(after[0] ?? "")];
            const asked = [...left, tokenizer.idOf(mask), ...right];
            if (asked.length > length)
              throw new DataError(`the text has ${asked.length} tokens, the model reads ${length}; shorten it`);
            const logits = await ask(padRows([asked], length));
            const own = logits.data.slice(left.length * vocabulary, (left.length + 1) * vocabulary) as Float32Array;
            const likeliest = Array.from(own.keys())
              .sort((a, b) => (own[b] ?? 0) - (own[a] ?? 0))
              .slice(0, 5);
            const total = own.reduce((sum, logit) => sum + Math.exp(logit), 0);
            const found = likeliest.map((id) => ({
              token: tokenizer.decode([id]).trim(),
              probability: Math.exp(own[id] ?? 0) / total,
            }));
            const text = found
              .map(({ token, probability }) => `${token} (${(100 * probability).toFixed(1)} %)`)
              .join(", ");
            return { text, fields: { tokens: found } };
          };
        },
      },
      async measure(compile) {
        const rowsOf = (own: readonly LabelledText[]) =>
          fromTensors({
            x: padRows(
              own.map((one) => tokenizer.encode(one.text).slice(0, longest)),
              longest,
            ),
            y: tensor(
              own.map(({ label }) => label),
              { dtype: "int32" },
            ),
          });
        const tested = rowsOf(held.slice(0, limit));
        const scores: { pretrained: number; scratch: number }[] = [];
        // A run of few samples is shortened in this too.
        for (const own of limit === undefined ? seeds : seeds.slice(0, 2)) {
          const [told] = parted(known, labelled / known.length, keyOf(own));
          const options = { told: rowsOf(told), tested, seed: own, epochs: limit === undefined ? 20 : 2, compile };
          scores.push({ pretrained: await classify(options, model), scratch: await classify(options) });
        }
        const gain = confidenceInterval(scores.map(({ pretrained, scratch }) => pretrained - scratch));
        return {
          pretrained_accuracy: confidenceInterval(scores.map(({ pretrained }) => pretrained)).mean,
          scratch_accuracy: confidenceInterval(scores.map(({ scratch }) => scratch)).mean,
          gain_accuracy: gain.mean,
          gain_accuracy_low: gain.low,
          gain_accuracy_high: gain.high,
        };
      },
      draw: async () => ({ "tokenizer.json": tokenizer.json() }),
    };
  },
});
