/** Sentences of texts.csv and their classes: a recurrent network over their words. */
import {
  accuracy,
  confusionMatrix,
  crossEntropy,
  DataError,
  type Dialogue,
  defineRecipe,
  earlyStopping,
  foldIn,
  fromTensors,
  keyOf,
  labelledTexts,
  limited,
  models,
  padRows,
  predictor,
  Random,
  tensor,
  Vocabulary,
  wordsOf,
} from "sardonyx";
import { loadRecords } from "sardonyx/node";
import { z } from "zod";

/** Words of a text that are read. */
const longest = 24;

/** What a run keeps of its data: the words that are known, by id, and the classes. */
const facts = z.object({ tokens: z.array(z.string()), classes: z.array(z.string()) });

const idsOf = (vocabulary: Vocabulary, text: string) => vocabulary.encode(wordsOf(text).slice(0, longest));

/** What a trained model is used with, without the data. */
function open({ units }: { readonly units: number }, { tokens, classes }: z.infer<typeof facts>) {
  const vocabulary = new Vocabulary(tokens);
  const model = new models.RecurrentClassifier({
    vocabulary: vocabulary.size,
    classes: classes.length,
    width: 32,
    recurrent: { units },
    dropout: 0.3,
    wordDropout: 0.1,
  });
  const dialogue: Dialogue = {
    what: "a sentence",
    example: "It will rain all day",
    async open(compile) {
      const ask = predictor(model, { compile, snapshot: true });
      return async (text) => {
        if (wordsOf(text).length === 0) throw new DataError("the sentence has no words; pass some");
        return { output: await ask(padRows([idsOf(vocabulary, text)], longest)) };
      };
    },
  };
  return { model, inputs: { dtype: "int32", shape: [1, longest] } as const, classes, dialogue };
}

export default defineRecipe({
  name: "topics",
  summary: "What a sentence is about",
  defaults: { epochs: 30, batchSize: 8, learningRate: 0.005, optimizer: "adam", seed: 0 },
  options: {
    data: { description: "records with text and label: .csv, .tsv, .jsonl or .parquet", default: "texts.csv" },
    units: { description: "units of the recurrent layer", default: 32 },
  },
  facts,
  open,
  async load({ data, units, batchSize, seed }, limit) {
    const { texts, labels, classes } = labelledTexts(await loadRecords(data));
    // A quarter for the test, of the rest a fifth for validation.
    const order = [...new Random(keyOf(seed)).permutation(texts.length)];
    const border = Math.round(0.25 * texts.length);
    const middle = border + Math.round(0.2 * (texts.length - border));
    const [tested, held, trained] = [order.slice(0, border), order.slice(border, middle), order.slice(middle)];
    // Words that only the others have are not known yet.
    const vocabulary = Vocabulary.of(trained.map((place) => wordsOf(texts[place] ?? "")));
    const samples = (places: readonly number[]) => {
      const ids = places.map((place) => idsOf(vocabulary, texts[place] ?? ""));
      const y = places.map((place) => labels[place] ?? 0);
      return fromTensors({ x: padRows(ids, longest), y: tensor(y, { dtype: "int32" }) });
    };
    const kept = { tokens: [...vocabulary.tokens], classes: [...classes] };
    return {
      ...open({ units }, kept),
      facts: kept,
      train: limited(samples(trained), limit)
        .shuffle(foldIn(keyOf(seed), "order"))
        .batch(batchSize),
      validation: samples(held).batch(16, { dropLast: false }),
      test: samples(tested).batch(16, { dropLast: false }),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(classes.length)],
      callbacks: [earlyStopping({ patience: 6 })],
    };
  },
});
