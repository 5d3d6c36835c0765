/** Films that a user will like, from the ratings of many: factors of users and films, neural or not, tastes for genres. */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { z } from "zod";
import {
  type CompileOptions,
  collect,
  DataError,
  type Dialogue,
  type Drawings,
  defineRecipe,
  earlyStopping,
  fitRatingBiases,
  foldIn,
  fromTensors,
  highest,
  keyOf,
  limited,
  type MovieRatings,
  meanSquaredError,
  models,
  multiHotGenres,
  popularityRecall,
  predictor,
  type RatingBiases,
  recallOf,
  rootMeanSquaredError,
  scatterPlot,
  starRange,
  Tensor,
} from "../src/index.ts";
import { loadMovieLens, loadSyntheticRatings } from "../src/node.ts";

/** Stars from which a film counts as liked. */
const liked = 4;
/** How many films are recommended. */
const recommended = 10;

/** Biases are known from many ratings, and are held back less than vectors. */
const ofBiases = 0.02;

type Kind = "factors" | "neural" | "content" | "both";

/** What a run keeps of its data: who rated what, the films, and the mean to begin at. */
const facts = z.object({
  users: z.array(z.number()),
  movies: z.array(z.object({ id: z.number(), title: z.string(), genres: z.array(z.string()) })),
  genres: z.array(z.string()),
  /** Films that each user rated among those that are trained on. */
  rated: z.array(z.array(z.number())),
  mean: z.number(),
});
type Facts = z.infer<typeof facts>;

/** The model of a kind, which begins at the mean rating. */
function modelOf(kind: Kind, data: Pick<Facts, "users" | "movies" | "genres" | "mean">, factors: number) {
  const [users, items] = [data.users.length, data.movies.length];
  const rated = { users, items, penalty: ofBiases };
  const features = multiHotGenres(data);
  const parts = {
    factors: () => ({ biases: new models.Biases(rated), factors: new models.Factors({ users, items, factors }) }),
    neural: () => ({
      biases: new models.Biases(rated),
      neural: new models.NeuralFactors({ users, items, factors, penalty: 0.15 }),
    }),
    content: () => ({
      biases: new models.Biases({ ...rated, ofItems: false }),
      genres: new models.FeatureBiases({ features }),
      tastes: new models.Tastes({ users, features }),
    }),
    both: () => ({ ...parts.factors(), tastes: new models.Tastes({ users, features }) }),
  };
  return new models.RatingModel(data.mean, parts[kind]());
}

/** A user's predicted stars for every film. */
const scorerOf = (model: models.RatingModel, films: number) => (compile: CompileOptions) => {
  const score = predictor(model, { compile, snapshot: true });
  return async (user: number) => {
    const pairs = Int32Array.from({ length: 2 * films }, (_, i) => (i % 2 === 0 ? user : i >> 1));
    return (await score(new Tensor("int32", [films, 2], pairs))).data as Float32Array;
  };
};

/** The films with the most stars that a user has not rated. */
const bestOf = ({ rated }: Facts, user: number, stars: ArrayLike<number>) => {
  const own = new Set(rated[user]);
  return highest(stars, recommended, (movie) => own.has(movie));
};

const open = ({ model: kind, factors }: { readonly model: Kind; readonly factors: number }, kept: Facts) => {
  const { users, movies, rated } = kept;
  const model = modelOf(kind, kept, factors);
  const scorer = scorerOf(model, movies.length);
  const dialogue: Dialogue = {
    what: "the number of a user, as in ratings.csv",
    example: String(users[0]),
    async open(compile) {
      const score = scorer(compile);
      return async (question) => {
        const user = /^\s*\d+\s*$/.test(question) ? users.indexOf(Number(question)) : -1;
        if (user < 0)
          throw new DataError(
            `there is no user "${question}" in the ratings; pass a userId of ratings.csv, such as ${users.slice(0, 5).join(", ")}`,
          );
        const stars = await score(user);
        const films = bestOf(kept, user, stars).map((at) => ({
          ...movies[at],
          rating: Math.min(starRange[1], Math.max(starRange[0], stars[at] ?? 0)),
        }));
        const lines = films.map(
          ({ title, genres = [], rating }) => `  ${rating.toFixed(1)}  ${title}   ${genres.join(", ")}`,
        );
        const count = rated[user]?.length ?? 0;
        return {
          text: `${films.length} films not rated yet, by predicted stars (${count} are rated)\n${lines.join("\n")}`,
          fields: { user: Number(question), rated: count, films },
        };
      };
    },
  };
  return { model, inputs: { dtype: "int32", shape: [1, 2] } as const, dialogue };
};

/** Movies by user, of ratings x [N, 2], y [N] that `keep`. */
function moviesByUser({ x, y }: MovieRatings["ratings"], keep: (stars: number) => boolean): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>();
  for (let row = 0; row < y.data.length; row++) {
    if (!keep(Number(y.data[row]))) continue;
    const user = Number(x.data[2 * row]);
    found.set(user, (found.get(user) ?? new Set()).add(Number(x.data[2 * row + 1])));
  }
  return found;
}

/** The root of the mean squared error of biases alone. */
function biasError({ mean, users, items }: RatingBiases, { x, y }: MovieRatings["ratings"]): number {
  const errors = y.toNumbers().map((stars, row) => {
    const [user, movie] = [Number(x.data[2 * row]), Number(x.data[2 * row + 1])];
    return (stars - mean - (users[user] ?? 0) - (items[movie] ?? 0)) ** 2;
  });
  return Math.sqrt(errors.reduce((sum, error) => sum + error, 0) / errors.length);
}

/** Users with the films that they like, [N, 2]. */
function likedPairs(ratings: MovieRatings["ratings"]): Tensor {
  const pairs = [...moviesByUser(ratings, (stars) => stars >= liked)].flatMap(([user, movies]) =>
    [...movies].flatMap((movie) => [user, movie]),
  );
  return new Tensor("int32", [pairs.length / 2, 2], Int32Array.from(pairs));
}

export default defineRecipe({
  name: "recommend-movies",
  summary:
    "Ratings of films predicted: matrix factorization, neural collaborative filtering, tastes for genres; to recommend, a list of popular films is better",
  data: "MovieLens (small): 100,836 ratings of 9,742 films by 610 users; a tenth to validate, a tenth to test",
  defaults: { epochs: 30, batchSize: 256, learningRate: 0.003, optimizer: "adam", seed: 0 },
  options: {
    data: {
      description: "folder of ratings.csv and movies.csv; downloaded where there is none; `synthetic` makes ratings",
      default: "",
    },
    model: {
      description: "what a rating is made of: factors, neural (factors), content (genres), or both factors and genres",
      default: "both",
      choices: ["factors", "neural", "content", "both"],
    },
    factors: { description: "width of the vectors of users and films", default: 16 },
  },
  next: [
    "sardonyx train recommend-movies --model neural          factors through a perceptron",
    "sardonyx train recommend-movies --data synthetic          ratings made from known tastes",
  ],
  facts,
  open,
  async load({ batchSize, seed, data: from, model: kind, factors }, limit, onDownload) {
    const data =
      from === "synthetic"
        ? await loadSyntheticRatings({ key: foldIn(keyOf(seed), "ratings") })
        : await loadMovieLens({ ...(from !== "" && { dir: from }), ...(onDownload && { onProgress: onDownload }) });
    const all = limited(fromTensors(data.ratings), limit);
    const [rest, test] = all.split(0.9, foldIn(keyOf(seed), "test"));
    const [train, held] = rest.split(8 / 9, foldIn(keyOf(seed), "validation"));
    const known = await collect(train);
    const baseline = fitRatingBiases(known, { users: data.users.length, items: data.movies.length });
    const rated = moviesByUser(known, () => true);
    const kept: Facts = {
      users: [...data.users],
      movies: data.movies.map(({ id, title, genres }) => ({ id, title, genres: [...genres] })),
      genres: [...data.genres],
      rated: data.users.map((_, user) => [...(rated.get(user) ?? [])]),
      mean: baseline.mean,
    };
    const opened = open({ model: kind, factors }, kept);
    const { model } = opened;
    const batches = (part: typeof test) => part.batch(1000, { dropLast: false });
    const { outOfRange, unknownMovie, repeated } = data.skipped;
    const reasons = Object.entries({
      "out of range": outOfRange,
      "of unknown films": unknownMovie,
      repeated,
    }).filter(([, count]) => count > 0);
    return {
      ...opened,
      facts: kept,
      train: train.shuffle(keyOf(seed)).batch(batchSize),
      validation: batches(held),
      test: batches(test),
      loss: meanSquaredError(),
      metrics: [rootMeanSquaredError()],
      callbacks: [earlyStopping({ monitor: "validation_rootMeanSquaredError", patience: 3 })],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      notes: [
        `${data.users.length} users, ${data.movies.length} films, ${data.genres.length} genres`,
        ...reasons.map(([why, count]) => `left out: ${count} ratings ${why}`),
      ],
      async measure(compile): Promise<Record<string, number>> {
        const score = scorerOf(model, data.movies.length)(compile);
        const tested = await collect(test);
        const rmse = biasError(baseline, tested);
        const sought = [...moviesByUser(tested, (stars) => stars >= liked)];
        if (sought.length === 0) return { baseline_rmse: rmse };
        let [recall, ofBaseline] = [0, 0];
        for (const [user, movies] of sought) {
          recall += recallOf(bestOf(kept, user, await score(user)), movies) / sought.length;
          // A user's own bias moves no film past another.
          ofBaseline += recallOf(bestOf(kept, user, baseline.items), movies) / sought.length;
        }
        return { baseline_rmse: rmse, recall_at_10: recall, baseline_recall_at_10: ofBaseline };
      },
      async baselines() {
        const [tuned, tested] = [await collect(held), await collect(test)];
        const began = performance.now();
        const seconds = () => (performance.now() - began) / 1000;
        const recallIn = (part: MovieRatings["ratings"]) =>
          popularityRecall(known.x, likedPairs(part), { items: data.movies.length, k: recommended });
        const biases = { validation: biasError(baseline, tuned), test: biasError(baseline, tested) };
        const popular = { validation: recallIn(tuned), test: recallIn(tested) };
        return [
          { name: "biases of users and films", settings: "none", metric: "rmse", ...biases, seconds: seconds() },
          { name: "most popular", settings: "none", metric: "recall at 10", ...popular, seconds: seconds() },
        ];
      },
      draw: async () => mapOf(model, data, known),
    };
  },
});

/** Films as dots where their vectors lie, along the two directions in which they differ most (principal components). */
function mapOf(model: models.RatingModel, { movies, genres }: MovieRatings, { x }: MovieRatings["ratings"]): Drawings {
  const vectors = ["parts.factors.item.weight", "parts.neural.product.item.weight"]
    .map((path) => model.parameters().get(path)?.value)
    .find((value) => value !== undefined);
  if (!vectors) return {};
  const counts = new Map<number, number>();
  for (let at = 1; at < x.data.length; at += 2) {
    const movie = Number(x.data[at]);
    counts.set(movie, (counts.get(movie) ?? 0) + 1);
  }
  // Films that few have rated lie near the middle, for want of anything known.
  const often = [...counts].sort(([, a], [, b]) => b - a).slice(0, 300);
  const width = vectors.shape[1] ?? 1;
  const rows = new Matrix(often.map(([at]) => Array.from(vectors.data.subarray(at * width, (at + 1) * width), Number)));
  const centred = rows.subRowVector(rows.mean("column"));
  // In rising order of how far films differ along them.
  const { eigenvectorMatrix } = new EigenvalueDecomposition(centred.transpose().mmul(centred));
  const places = centred.mmul(eigenvectorMatrix);
  const dots = often.map(([at], row) => ({
    genre: movies[at]?.genres[0] ?? "none",
    x: places.get(row, width - 1),
    y: width > 1 ? places.get(row, width - 2) : 0,
    ...(row < 15 && { label: movies[at]?.title ?? "" }),
  }));
  const frequent = (genre: string) => dots.filter((dot) => dot.genre === genre).length;
  const names = [...genres].sort((a, b) => frequent(b) - frequent(a)).slice(0, 7);
  const others = dots.filter(({ genre }) => !names.includes(genre));
  const map = scatterPlot(
    [
      ...names.map((name) => ({ name, dots: dots.filter(({ genre }) => genre === name) })),
      ...(others.length > 0 ? [{ name: "others", dots: others }] : []),
    ],
    {
      title: "Vectors of the films rated most, by first genre",
      x: { label: "first principal component" },
      y: { label: "second principal component" },
    },
  );
  return { "films.svg": map };
}
