/** Ratings that nobody gave, made from known tastes: to see whether a recommender finds what is there to find. */
import { count, nonNegative } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { type Key, keyType, Random } from "../../core/random.ts";

/** Options of `syntheticRatings`. */
export interface SyntheticRatingsOptions {
  /** Decides everything that is drawn. */
  readonly key: Key;
  /** Number of users; default 600. */
  readonly users?: number;
  /** Number of movies; default 1,200. */
  readonly movies?: number;
  /** Mean number of ratings of a user; default 120. */
  readonly perUser?: number;
  /** Standard deviation of what no model can know, in stars; default 0.6. */
  readonly noise?: number;
}

const checkOptions = optionsOf<SyntheticRatingsOptions>("syntheticRatings", {
  key: required(keyType),
  users: count(),
  movies: count(),
  perUser: count(),
  noise: nonNegative,
});

const genreNames = [
  "Action",
  "Adventure",
  "Animation",
  "Children",
  "Comedy",
  "Crime",
  "Drama",
  "Fantasy",
  "Horror",
  "Musical",
  "Mystery",
  "Romance",
  "Sci-Fi",
  "Thriller",
  "War",
  "Western",
];

/** Directions in which tastes differ. */
const factors = 8;

/**
 * `movies.csv` and `ratings.csv` in MovieLens's layout. A rating is 3.5 + b_u + b_i + p_u · q_i + noise, in half stars from 0.5
 * to 5: users differ by b_u (0.4) and films by b_i (0.5, standard deviations in stars); q_i is half its genres', half its own,
 * and p_u · q_i is of 0.6 stars. Films differ in how often they are seen, and users see rather what they will like.
 */
export function syntheticRatings(options: SyntheticRatingsOptions): Record<"movies.csv" | "ratings.csv", string> {
  const { key, users = 600, movies = 1200, perUser = 120, noise = 0.6 } = checkOptions(options);
  const random = new Random(key);
  const vector = (deviation: number) => Array.from({ length: factors }, () => deviation * random.normal());
  const ofGenre = genreNames.map(() => vector(1));
  const films = Array.from({ length: movies }, (_, at) => {
    const genres = [...random.permutation(genreNames.length)].slice(0, 1 + random.integer(3)).sort((a, b) => a - b);
    const own = vector(Math.SQRT1_2);
    // Of mean genres the variance is 1 / their number.
    const scale = Math.SQRT1_2 / Math.sqrt(genres.length);
    const q = own.map((part, i) => part + scale * genres.reduce((sum, genre) => sum + (ofGenre[genre]?.[i] ?? 0), 0));
    // Zipf's law, the places drawn.
    return {
      id: 1 + 3 * at,
      genres,
      q,
      bias: 0.5 * random.normal(),
      popularity: 1 / (1 + random.integer(movies)) ** 0.7,
    };
  });
  const cumulative: number[] = [];
  for (const { popularity } of films) cumulative.push((cumulative.at(-1) ?? 0) + popularity);
  const pick = () => {
    const at = random.uniform(0, cumulative.at(-1));
    let [low, high] = [0, movies - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] ?? 0) > at) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  const rows = ["userId,movieId,rating,timestamp"];
  for (let user = 1; user <= users; user++) {
    const [p, bias] = [vector(0.6 / Math.sqrt(factors)), 0.4 * random.normal()];
    const liking = (at: number) => (films[at]?.q ?? []).reduce((sum, part, i) => sum + part * (p[i] ?? 0), 0);
    // From a sixth of the mean to many times it, as of people.
    const count = Math.min(movies / 3, Math.round((perUser / 1.1) * Math.exp(0.7 * random.normal() - 0.1)));
    const seen = new Set<number>();
    while (seen.size < Math.max(10, count)) {
      const [one, other] = [pick(), pick()];
      seen.add(liking(one) > liking(other) ? one : other);
    }
    for (const at of seen) {
      const stars = 3.5 + bias + (films[at]?.bias ?? 0) + liking(at) + noise * random.normal();
      const rating = Math.min(5, Math.max(0.5, Math.round(2 * stars) / 2));
      rows.push(`${user},${films[at]?.id},${rating.toFixed(1)},${1_000_000_000 + 60 * rows.length}`);
    }
  }
  const titles = films.map(({ id, genres }, at) => {
    const names = genres.map((genre) => genreNames[genre]);
    return `${id},"${names[0]} film ${at + 1}, The (${1950 + (at % 70)})",${names.join("|")}`;
  });
  return { "movies.csv": `${["movieId,title,genres", ...titles].join("\n")}\n`, "ratings.csv": `${rows.join("\n")}\n` };
}
