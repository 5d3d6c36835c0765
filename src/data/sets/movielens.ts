/**
 * Ratings of films in the layout of MovieLens (Harper and Konstan 2015): `movies.csv` (movieId,title,genres, the genres
 * between bars) and `ratings.csv` (userId,movieId,rating,timestamp, ratings in half stars from 0.5 to 5).
 */
import { DataError, FileError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Labelled } from "../pipeline/dataset.ts";

/** A movie that is rated. */
export interface Movie {
  /** The number that ratings name it by. */
  readonly id: number;
  /** With the year: `Toy Story (1995)`. */
  readonly title: string;
  /** Names of its genres. */
  readonly genres: readonly string[];
}

/** Rows that were left out, and why. */
export interface SkippedRatings {
  /** Below 0.5 or above 5. */
  readonly outOfRange: number;
  /** Of a film that movies.csv does not have. */
  readonly unknownMovie: number;
  /** Of a film that the user has rated before. */
  readonly repeated: number;
}

/** Ratings of movies by users, with what is known of both. */
export interface MovieRatings {
  /** The movies, in the order of their places. */
  readonly movies: readonly Movie[];
  /** Ids of the users, in the order in which they first rate. */
  readonly users: readonly number[];
  /** Names of the genres, in alphabetical order. */
  readonly genres: readonly string[];
  /** x int32 [N, 2], places of user and movie in the lists above; y float32 [N], stars. */
  readonly ratings: Labelled;
  /** How many ratings were left out, and why. */
  readonly skipped: SkippedRatings;
}

/** The least and the most stars that a user can give. */
export const starRange = [0.5, 5] as const;

/** What MovieLens writes where a film has no genre. */
const noGenres = "(no genres listed)";

/** A line of a file, its fields, and its number. */
interface Line {
  readonly values: readonly string[];
  readonly line: number;
}

/** A file's name for errors, and its lines with their header. */
export interface CsvSource {
  readonly name: string;
  readonly lines: AsyncIterable<Line>;
}

/** Data lines, checked against the header that is expected. Throws FileError naming the line. */
async function* rowsOf({ name, lines }: CsvSource, header: readonly string[]): AsyncGenerator<Line> {
  let expected: readonly string[] | undefined;
  for await (const { values, line } of lines) {
    if (!expected) {
      expected = header;
      if (values.map((value) => value.trim()).join() !== header.join())
        throw new FileError(
          `${name}: line ${line} is "${values.join()}", expected the header ${header.join()}; pass files in MovieLens's layout`,
        );
      continue;
    }
    if (values.length !== header.length)
      throw new FileError(
        `${name}: line ${line} has ${values.length} values, expected ${header.length} (${header.join()}); correct the line`,
      );
    yield { values, line };
  }
}

/** A number in a field. Throws DataError naming file and line. */
function numberIn(text: string | undefined, what: string, name: string, line: number, whole: boolean): number {
  const value = text?.trim() ? Number(text) : Number.NaN;
  if (whole ? Number.isSafeInteger(value) && value >= 0 : Number.isFinite(value)) return value;
  const expected = whole ? "a whole number" : "a number";
  throw new DataError(`${name}: line ${line}, ${what} is "${text}", expected ${expected}; correct or remove the line`);
}

async function readMovies(source: CsvSource): Promise<Movie[]> {
  const movies: Movie[] = [];
  const seen = new Set<number>();
  for await (const { values, line } of rowsOf(source, ["movieId", "title", "genres"])) {
    const id = numberIn(values[0], "movieId", source.name, line, true);
    if (seen.has(id)) throw new DataError(`${source.name}: line ${line} has movieId ${id} a second time; remove one`);
    seen.add(id);
    const genres = (values[2] ?? "").split("|").filter((genre) => genre !== "" && genre !== noGenres);
    movies.push({ id, title: values[1] ?? "", genres });
  }
  return movies;
}

/**
 * Films and ratings. Ratings out of range, of unknown films and repeated ones are left out and counted. Throws FileError for a
 * line that is broken or another header, DataError for what is no number, or when no rating is left.
 */
export async function readMovieLens(files: {
  readonly movies: CsvSource;
  readonly ratings: CsvSource;
}): Promise<MovieRatings> {
  const movies = await readMovies(files.movies);
  const movieAt = new Map(movies.map(({ id }, at) => [id, at]));
  const userAt = new Map<number, number>();
  const [places, stars]: [number[], number[]] = [[], []];
  const skipped = { outOfRange: 0, unknownMovie: 0, repeated: 0 };
  const given = new Set<number>();
  const { name } = files.ratings;
  for await (const { values, line } of rowsOf(files.ratings, ["userId", "movieId", "rating", "timestamp"])) {
    const id = numberIn(values[0], "userId", name, line, true);
    const movie = movieAt.get(numberIn(values[1], "movieId", name, line, true));
    const rating = numberIn(values[2], "rating", name, line, false);
    const user = userAt.get(id) ?? userAt.size;
    const pair = movie === undefined ? -1 : user * movies.length + movie;
    if (rating < starRange[0] || rating > starRange[1]) skipped.outOfRange++;
    else if (movie === undefined) skipped.unknownMovie++;
    else if (given.has(pair)) skipped.repeated++;
    else {
      given.add(pair);
      userAt.set(id, user);
      places.push(user, movie);
      stars.push(rating);
    }
  }
  if (stars.length === 0)
    throw new DataError(`${name}: holds no rating of a known film; pass the ratings.csv that belongs to movies.csv`);
  return {
    movies,
    users: [...userAt.keys()],
    genres: [...new Set(movies.flatMap(({ genres }) => genres))].sort(),
    ratings: {
      x: new Tensor("int32", [stars.length, 2], Int32Array.from(places)),
      y: new Tensor("float32", [stars.length], Float32Array.from(stars)),
    },
    skipped,
  };
}

/** Which genres each film has, float32 [movies, genres]: 1 where it has one, else 0. */
export function multiHotGenres({ movies, genres }: Pick<MovieRatings, "movies" | "genres">): Tensor<"float32"> {
  const data = new Float32Array(movies.length * genres.length);
  for (const [row, movie] of movies.entries())
    for (const genre of movie.genres) data[row * genres.length + genres.indexOf(genre)] = 1;
  return new Tensor("float32", [movies.length, genres.length], data);
}
