/** Films that a user will like, from the ratings of many: factors of users and films, neural or not, tastes for genres. */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import {
  type CompileOptions,
  collect,
  DataError,
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
  predictor,
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

/** The model of a kind, which begins at the mean rating. */
function modelOf(kind: Kind, data: MovieRatings, mean: number, factors: number) {
  const sizes = { users: data.users.length, items: data.movies.length, factors };
  const features = multiHotGenres(data);
  const parts = {
    factors: () => ({ biases: new models.Biases({ ...sizes, penalty: ofBiases }), factors: new models.Factors(sizes) }),
    neural: () => ({
      biases: new models.Biases({ ...sizes, penalty: ofBiases }),
      neural: new models.NeuralFactors({ ...sizes, penalty: 0.15 }),
    }),
    content: () => ({
      biases: new models.Biases({ ...sizes, ofItems: false, penalty: ofBiases }),
      genres: new models.FeatureBiases({ features }),
      tastes: new models.Tastes({ ...sizes, features }),
    }),
    both: () => ({ ...parts.factors(), tastes: new models.Tastes({ ...sizes, features }) }),
  };
  return new models.RatingModel(mean, parts[kind]());
}

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

export default defineRecipe({
  name: "recommend-movies",
  summary: "Ratings of films foretold: matrix factorization, neural collaborative filtering, tastes for genres",
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
    const model = modelOf(kind, data, baseline.mean, factors);
    const batches = (part: typeof test) => part.batch(1000, { dropLast: false });
    const rated = moviesByUser(known, () => true);
    /** A user's predicted stars for every film. */
    const scorer = async (compile: CompileOptions) => {
      const shape = [data.movies.length, 2] as const;
      const score = await predictor(model, { dtype: "int32", shape }, compile);
      return async (user: number) => {
        const pairs = Int32Array.from({ length: 2 * shape[0] }, (_, i) => (i % 2 === 0 ? user : i >> 1));
        return (await score(new Tensor("int32", shape, pairs))).data as Float32Array;
      };
    };
    const best = (user: number, stars: ArrayLike<number>) =>
      highest(stars, recommended, (movie) => rated.get(user)?.has(movie) ?? false);
    const { outOfRange, unknownMovie, repeated } = data.skipped;
    const reasons = Object.entries({
      "out of range": outOfRange,
      "of unknown films": unknownMovie,
      repeated,
    }).filter(([, count]) => count > 0);
    return {
      model,
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
      input: {
        type: { dtype: "int32", shape: [1, 2] },
        prepare: (raw) => new Tensor("int32", raw.shape, Int32Array.from(raw.toNumbers())),
      },
      dialogue: {
        what: "the number of a user, as in ratings.csv",
        example: String(data.users[0]),
        async open(compile) {
          const score = await scorer(compile);
          return async (question) => {
            const user = /^\s*\d+\s*$/.test(question) ? data.users.indexOf(Number(question)) : -1;
            if (user < 0)
              throw new DataError(
                `there is no user "${question}" in the ratings; pass a userId of ratings.csv, such as ${data.users.slice(0, 5).join(", ")}`,
              );
            const stars = await score(user);
            const films = best(user, stars).map((at) => ({
              ...data.movies[at],
              rating: Math.min(starRange[1], Math.max(starRange[0], stars[at] ?? 0)),
            }));
            const lines = films.map(
              ({ title, genres = [], rating }) => `  ${rating.toFixed(1)}  ${title}   ${genres.join(", ")}`,
            );
            const count = rated.get(user)?.size ?? 0;
            return {
              text: `${films.length} films not rated yet, by predicted stars (${count} are rated)\n${lines.join("\n")}`,
              fields: { user: Number(question), rated: count, films },
            };
          };
        },
      },
      async measure(compile): Promise<Record<string, number>> {
        const score = await scorer(compile);
        const tested = await collect(test);
        const errors = tested.y.toNumbers().map((stars, row) => {
          const [user, movie] = [Number(tested.x.data[2 * row]), Number(tested.x.data[2 * row + 1])];
          return (stars - baseline.mean - (baseline.users[user] ?? 0) - (baseline.items[movie] ?? 0)) ** 2;
        });
        const rmse = Math.sqrt(errors.reduce((sum, error) => sum + error, 0) / errors.length);
        const sought = [...moviesByUser(tested, (stars) => stars >= liked)];
        if (sought.length === 0) return { baseline_rmse: rmse };
        let [recall, ofBaseline] = [0, 0];
        for (const [user, movies] of sought) {
          recall += recallOf(best(user, await score(user)), movies) / sought.length;
          // A user's own bias moves no film past another.
          ofBaseline += recallOf(best(user, baseline.items), movies) / sought.length;
        }
        return { baseline_rmse: rmse, recall_at_10: recall, baseline_recall_at_10: ofBaseline };
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
