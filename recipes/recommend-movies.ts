/** Films that a user will like, from the ratings of many: stars by factors of users and films, neural or not, and tastes for genres; ranked by who likes what. */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { z } from "zod";
import {
  baselinesOfRatings,
  type CompileOptions,
  collect,
  crossEntropy,
  DataError,
  type Dialogue,
  type Drawings,
  defineRecipe,
  earlyStopping,
  foldIn,
  fromTensors,
  highest,
  itemsHad,
  keyOf,
  limited,
  type MovieRatings,
  meanSquaredError,
  models,
  multiHotGenres,
  type PartedRatings,
  popularityOf,
  predictor,
  type Ratings,
  rankingFigures,
  reading,
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

/** What a run keeps of its data: who rated what, the films, and where to begin. */
const facts = z.object({
  users: z.array(z.number()),
  movies: z.array(z.object({ id: z.number(), title: z.string(), genres: z.array(z.string()) })),
  genres: z.array(z.string()),
  /** Films that each user rated before the test. */
  rated: z.array(z.array(z.number())),
  /** The mean rating, and how many users like each film. */
  mean: z.number(),
  popularity: z.array(z.number()),
});
type Facts = z.infer<typeof facts>;

/** The model whose stars are of a kind; it begins at the mean rating, and at how many like each film. */
function modelOf(kind: Kind, data: Omit<Facts, "rated">, factors: number) {
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
  return new models.Recommender(
    new models.RatingModel(data.mean, parts[kind]()),
    new models.ItemRanker(data.popularity, { users, factors }),
  );
}

/** How likely a user likes each film next, as scores. */
function rankerOf({ ranker }: models.Recommender, compile: CompileOptions) {
  const score = predictor(ranker, { compile, snapshot: true });
  return async (user: number) => (await score(new Tensor("int32", [1], Int32Array.of(user)))).data as Float32Array;
}

/** A user's predicted stars for some films. */
function starsOf({ rating }: models.Recommender, compile: CompileOptions) {
  const predict = predictor(rating, { compile, snapshot: true });
  return async (user: number, films: readonly number[]) => {
    const pairs = Int32Array.from(films.flatMap((film) => [user, film]));
    const stars = await predict(new Tensor("int32", [films.length, 2], pairs));
    return stars.toNumbers().map((own) => Math.min(starRange[1], Math.max(starRange[0], own)));
  };
}

const open = ({ model: kind, factors }: { readonly model: Kind; readonly factors: number }, kept: Facts) => {
  const { users, movies, rated } = kept;
  const model = modelOf(kind, kept, factors);
  const dialogue: Dialogue = {
    what: "the number of a user, as in ratings.csv",
    example: String(users[0]),
    async open(compile) {
      const [rank, predict] = [rankerOf(model, compile), starsOf(model, compile)];
      return async (question) => {
        const user = /^\s*\d+\s*$/.test(question) ? users.indexOf(Number(question)) : -1;
        if (user < 0)
          throw new DataError(
            `there is no user "${question}" in the ratings; pass a userId of ratings.csv, such as ${users.slice(0, 5).join(", ")}`,
          );
        const own = new Set(rated[user]);
        const best = highest(await rank(user), recommended, (movie) => own.has(movie));
        const stars = best.length > 0 ? await predict(user, best) : [];
        const films = best.map((at, i) => ({ ...movies[at], rating: stars[i] ?? Number.NaN }));
        const lines = films.map(
          ({ title, genres = [], rating }) => `  ${rating.toFixed(1)}  ${title}   ${genres.join(", ")}`,
        );
        return {
          text: `${films.length} films not rated yet, the likeliest to be liked first, with predicted stars (${own.size} are rated)\n${lines.join("\n")}`,
          fields: { user: Number(question), rated: own.size, films },
        };
      };
    },
  };
  return { model, inputs: { dtype: "int32", shape: [1, 2] } as const, dialogue };
};

/** No film: what stands for one where a rating says that the film is not liked. */
const none = -1;

/** Each rating with the film that is liked, or none. */
const withLiked = ({ x, y }: Ratings) => ({
  x,
  y,
  liked: new Tensor(
    "int32",
    y.shape,
    Int32Array.from(y.toNumbers(), (stars, row) => (stars >= liked ? Number(x.data[2 * row + 1]) : none)),
  ),
});

/** Users with the films that they like. */
function likesOf({ x, y }: Ratings): Ratings {
  const pairs = y
    .toNumbers()
    .flatMap((stars, row) => (stars >= liked ? [Number(x.data[2 * row]), Number(x.data[2 * row + 1])] : []));
  const count = pairs.length / 2;
  return {
    x: new Tensor("int32", [count, 2], Int32Array.from(pairs)),
    y: new Tensor("float32", [count], new Float32Array(count).fill(1)),
  };
}

/** Ratings in parts as likes, which rankings are measured by. */
const likesIn = ({ train, validation, test, ...parts }: PartedRatings): PartedRatings => ({
  ...{ ...parts, hasRatings: false, train: likesOf(train), validation: likesOf(validation), test: likesOf(test) },
  passed: { train, validation },
});

export default defineRecipe({
  name: "recommend-movies",
  summary:
    "Films recommended by who likes what, and ratings predicted: matrix factorization, neural collaborative filtering, tastes for genres",
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
    const all = limited(fromTensors(withLiked(data.ratings)), limit);
    const [rest, test] = all.split(0.9, foldIn(keyOf(seed), "test"));
    const [train, held] = rest.split(8 / 9, foldIn(keyOf(seed), "validation"));
    const parts: PartedRatings = {
      users: data.users.map(String),
      items: data.movies.map(({ id }) => String(id)),
      ...{ hasRatings: true, range: starRange },
      ...{ train: await collect(train), validation: await collect(held), test: await collect(test) },
    };
    const likes = likesIn(parts);
    const stars = parts.train.y.toNumbers();
    const kept: Facts = {
      users: [...data.users],
      movies: data.movies.map(({ id, title, genres }) => ({ id, title, genres: [...genres] })),
      genres: [...data.genres],
      rated: itemsHad(parts).map((own) => [...own]),
      mean: stars.reduce((sum, own) => sum + own, 0) / stars.length,
      popularity: popularityOf(data.movies.length, likes.train),
    };
    const opened = open({ model: kind, factors }, kept);
    const { model } = opened;
    // Rankings are measured by films that somebody likes.
    const canRank = [likes.validation, likes.test].every(({ y }) => y.data.length > 0);
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
      loss: {
        stars: { loss: meanSquaredError(), target: "y" },
        choices: { loss: crossEntropy({ ignoreIndex: none }), target: "liked" },
      },
      metrics: [reading(rootMeanSquaredError(), { output: "stars" })],
      callbacks: [earlyStopping({ monitor: "validation_loss", patience: 3 })],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      notes: [
        `${data.users.length} users, ${data.movies.length} films, ${data.genres.length} genres`,
        ...reasons.map(([why, count]) => `left out: ${count} ratings ${why}`),
      ],
      async measure(compile): Promise<Record<string, number>> {
        if (!canRank) return {};
        const scores = rankerOf(model, compile);
        const { recall, gain } = await rankingFigures(likes, {
          had: [parts.train, parts.validation],
          sought: likes.test,
          scores,
        });
        return { recall_at_10: recall, ndcg_at_10: gain };
      },
      baselines: async () => [
        ...(await baselinesOfRatings(parts)),
        ...(canRank ? await baselinesOfRatings(likes) : []),
      ],
      draw: async () => mapOf(model, data, parts.train),
    };
  },
});

/** Films as dots where their vectors lie, along the two directions in which they differ most (principal components). */
function mapOf({ rating }: models.Recommender, { movies, genres }: MovieRatings, { x }: Ratings): Drawings {
  const vectors = ["parts.factors.item.weight", "parts.neural.product.item.weight"]
    .map((path) => rating.parameters().get(path)?.value)
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
