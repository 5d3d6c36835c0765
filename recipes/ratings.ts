/** Ratings of your own, or what users chose: which items each user will like. */
import {
  baselinesOfRatings,
  type CompileOptions,
  crossEntropy,
  type Dialogue,
  defineRecipe,
  earlyStopping,
  foldIn,
  fromTensors,
  itemsHad,
  keyOf,
  type LossSpec,
  meanAbsoluteErrorMetric,
  meanSquaredError,
  models,
  OptionError,
  popularityOf,
  predictor,
  type RatingFacts,
  type Ratings,
  rankingFigures,
  ratingFactsSchema,
  recommendationFor,
  rootMeanSquaredError,
  Tensor,
  userOf,
} from "../src/index.ts";
import { loadRatings } from "../src/node.ts";

/** Biases are known from many ratings, and are held back less than vectors. */
const ofBiases = 0.02;

/** The network: a rating of a user and an item, or scores of all items for a user. */
function networkOf({ users, items, hasRatings, mean, popularity }: RatingFacts, factors: number) {
  const sizes = { users: users.length, items: items.length };
  if (!hasRatings)
    return {
      model: new models.ItemRanker(popularity, { users: users.length, factors }),
      inputs: { dtype: "int32", shape: [1] } as const,
    };
  const parts = {
    biases: new models.Biases({ ...sizes, penalty: ofBiases }),
    factors: new models.Factors({ ...sizes, factors }),
  };
  return { model: new models.RatingModel(mean, parts), inputs: { dtype: "int32", shape: [1, 2] } as const };
}

type Network = ReturnType<typeof networkOf>;

/** Scores of all items for a user: predicted ratings, or probabilities. */
function scorerOf({ model }: Network, { items, hasRatings }: RatingFacts, compile: CompileOptions) {
  const ask = predictor(model, { compile, snapshot: true });
  return async (user: number): Promise<ArrayLike<number>> => {
    const x = hasRatings
      ? new Tensor(
          "int32",
          [items.length, 2],
          Int32Array.from({ length: 2 * items.length }, (_, i) => (i % 2 ? i >> 1 : user)),
        )
      : new Tensor("int32", [1], Int32Array.of(user));
    const scores = (await ask(x)).data as Float32Array;
    if (hasRatings) return scores;
    const most = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const powers = scores.map((score) => Math.exp(score - most));
    const total = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / total);
  };
}

function open({ factors }: { readonly factors: number }, facts: RatingFacts) {
  const network = networkOf(facts, factors);
  const dialogue: Dialogue = {
    what: "a user, by name or as JSON",
    example: JSON.stringify({ user: facts.users[0] ?? "" }),
    async open(compile) {
      const scores = scorerOf(network, facts, compile);
      return (question) => recommendationFor(userOf(question), facts, scores);
    },
  };
  return { ...network, dialogue };
}

export default defineRecipe({
  name: "ratings",
  summary: "Ratings of your own, or what users chose: which items each user will like, beside simple ways",
  data: "your own: of each user a tenth to validate, a tenth to test",
  defaults: { epochs: 40, batchSize: 256, learningRate: 0.01, optimizer: "adam", seed: 0 },
  options: {
    data: { description: "the table: .csv, .tsv, .jsonl, .json or .parquet", default: "" },
    task: {
      description: "ratings are predicted, or the ranking of items by who chose them",
      default: "auto",
      choices: ["auto", "ratings", "ranking"],
    },
    user: { description: "the column of users; default by its name", default: "" },
    item: { description: "the column of items; default by its name", default: "" },
    rating: { description: "the column of ratings; default by its name, where there is one", default: "" },
    time: { description: "a column by which the latest of each user are tested; default by its name", default: "" },
    factors: { description: "width of the vectors of users and items", default: 16 },
  },
  facts: ratingFactsSchema,
  open,
  async load(settings, limit) {
    const { data, seed, batchSize, factors, ...named } = settings;
    if (data === "") throw new OptionError("there is no table; name its file by --data");
    const { user, item, rating, time, task } = named;
    const loaded = await loadRatings({ path: data, user, item, rating, time, task, seed, limit });
    const { users, items, hasRatings, train, validation, test } = loaded;
    const values = train.y.toNumbers();
    const facts: RatingFacts = {
      users: [...users],
      items: [...items],
      hasRatings,
      had: itemsHad(loaded).map((own) => [...own]),
      popularity: popularityOf(items.length, train),
      mean: values.reduce((sum, value) => sum + value, 0) / values.length,
      range: [...loaded.range],
    };
    const opened = open({ factors }, facts);
    // A choice is a user, and the item as a class.
    const samplesOf = ({ x, y }: Ratings) => {
      if (hasRatings) return fromTensors({ x, y });
      const column = (at: 0 | 1) => Int32Array.from(y.toNumbers(), (_, row) => Number(x.data[2 * row + at]));
      return fromTensors({ x: new Tensor("int32", y.shape, column(0)), y: new Tensor("int32", y.shape, column(1)) });
    };
    const whole = (part: Ratings) => samplesOf(part).batch(1000, { dropLast: false });
    const batches = Math.min(batchSize, values.length);
    return {
      ...opened,
      facts,
      train: samplesOf(train)
        .shuffle(foldIn(keyOf(seed), "order"))
        .batch(batches),
      validation: whole(validation),
      test: whole(test),
      loss: (hasRatings ? meanSquaredError() : crossEntropy()) as LossSpec,
      metrics: hasRatings ? [rootMeanSquaredError(), meanAbsoluteErrorMetric()] : [],
      callbacks: [earlyStopping({ monitor: "validation_loss", patience: 3 })],
      samples: { train: values.length, test: test.y.data.length },
      notes: loaded.notes,
      async measure(compile): Promise<Record<string, number>> {
        if (hasRatings) return {};
        const scores = scorerOf(opened, facts, compile);
        const { recall, gain } = await rankingFigures(loaded, { had: [train, validation], sought: test, scores });
        return { recall_at_10: recall, ndcg_at_10: gain };
      },
      baselines: () => baselinesOfRatings(loaded),
    };
  },
});
