/** A table of ratings, or of choices, in a file: users and items by number, each user's ratings in parts. */
import { DataError } from "../../core/errors.ts";
import { append } from "../../core/lists.ts";
import { count, plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { foldIn, keyOf, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { parseNumber } from "../../data/tables/cell-numbers.ts";
import { type ColumnType, inferColumnTypes, parseDate } from "../../data/tables/column-kinds.ts";
import { readTable } from "../../data/tables/table-file.node.ts";
import { type NamedRatingColumns, ratingColumns } from "./rating-columns.ts";
import type { PartedRatings } from "./rating-parts.ts";

/** What ratings are loaded, and how. */
export interface RatingsRequest extends NamedRatingColumns {
  /** The file. */
  readonly path: string;
  /** `ratings`: numbers are predicted; `ranking`: what users choose; `auto`: by whether there is a column of ratings. */
  readonly task: "auto" | "ratings" | "ranking";
  /** Start of all randomness. */
  readonly seed: number;
  /** So many ratings at most, drawn at random. */
  readonly limit: number | undefined;
}

/** Ratings that are loaded. */
export interface LoadedRatings extends PartedRatings {
  /** What the table was taken for, in sentences. */
  readonly notes: readonly string[];
}

interface Rating {
  readonly item: number;
  readonly value: number;
  readonly moment: number;
}

/** Share of a user's ratings that the test takes, and as many the validation part; of fewer than five none. */
const partShare = 0.1;
const fewest = 5;

/**
 * Reads ratings, or choices where there is no column of ratings. Of each user with five or more a tenth is the test and a tenth the
 * validation part: the latest ones where there is a time, else drawn at random. Throws FileError or DataError, naming lines, for what cannot
 * be read and where nothing is left to test.
 */
export async function loadRatings(request: RatingsRequest): Promise<LoadedRatings> {
  const { path, task, seed, limit } = request;
  const { file, rows, lines } = await readTable(path);
  const types = inferColumnTypes(file.names, rows, { decimalComma: file.decimalComma });
  const found = ratingColumns(types, request);
  const { user, item, time } = found;
  const rating = task === "ranking" ? undefined : found.rating;
  if (task === "ratings" && !rating)
    throw new DataError(
      `${path}: has no column of ratings; name it by --rating, or pass --task ranking, which needs none`,
    );
  const at = (column: ColumnType) => file.names.indexOf(column.name);
  const [userAt, itemAt] = [at(user), at(item)];
  const [ratingAt, timeAt] = [rating && at(rating), time && at(time)];
  const users = new Map<string, number>();
  const items = new Map<string, number>();
  const byUser: Map<number, Rating>[] = [];
  let [left, repeated] = [0, 0];
  const order = new Random(foldIn(keyOf(seed), "limit")).permutation(rows.length);
  const kept = limit !== undefined && limit < rows.length ? order.subarray(0, limit).sort() : rows.keys();
  for (const row of kept) {
    const cells = rows[row] as readonly string[];
    const [who, what] = [cells[userAt] ?? "", cells[itemAt] ?? ""];
    const text = ratingAt === undefined ? "1" : (cells[ratingAt] ?? "");
    if (who === "" || what === "" || text === "") {
      left++;
      continue;
    }
    const value = ratingAt === undefined ? 1 : parseNumber(text, rating?.decimalComma);
    if (value === undefined || !Number.isFinite(Math.fround(value)))
      throw new DataError(
        `${path}: line ${lines[row]}: ${quoted(rating?.name ?? "")} is ${quoted(text)}, expected a number; correct it, or remove the row`,
      );
    const moment =
      timeAt === undefined || !time ? row : momentOf(cells[timeAt] ?? "", time, `${path}: line ${lines[row]}`);
    const own = placeIn(users, who);
    const ratings = byUser[own] ?? new Map<number, Rating>();
    byUser[own] = ratings;
    const thing = placeIn(items, what);
    const before = ratings.get(thing);
    if (before) repeated++;
    if (!before || moment >= before.moment) ratings.set(thing, { item: thing, value, moment });
  }
  const parts = partsOf(byUser, { seed, isTimed: time !== undefined });
  const tested = parts.test.length / 3;
  if (tested === 0)
    throw new DataError(
      `${path}: no ${quoted(user.name)} has ${fewest} rows or more, of which some could be tested; pass more rows of each`,
    );
  const ratings = (own: readonly number[]) => ({
    x: new Tensor("int32", [own.length / 3, 2], Int32Array.from(own.filter((_, i) => i % 3 < 2))),
    y: new Tensor("float32", [own.length / 3], Float32Array.from(own.filter((_, i) => i % 3 === 2))),
  });
  const { train, validation, test } = parts;
  const values = train.filter((_, i) => i % 3 === 2);
  return {
    users: [...users.keys()],
    items: [...items.keys()],
    hasRatings: rating !== undefined,
    train: ratings(train),
    validation: ratings(validation),
    test: ratings(test),
    range: values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ] as [number, number]),
    notes: [
      ...file.notes,
      `${plural(users.size, "user")} (${quoted(user.name)}), ${plural(items.size, "item")} (${quoted(item.name)}); --user and --item name other columns`,
      rating
        ? `${quoted(rating.name)} is predicted; --task ranking learns what users choose instead`
        : `what users choose is learned${found.rating ? "" : ": there is no column of ratings (--rating names one)"}`,
      `of each user with ${fewest} rows or more a tenth is the test and a tenth the validation part, ${time ? `the latest by ${quoted(time.name)}` : "drawn at random (--time names a column by which the latest are)"}`,
      ...(left > 0 ? [`${plural(left, "row")} without a user, an item or a rating left out`] : []),
      ...(repeated > 0
        ? [`${count(repeated)} of an item that the user has already: the ${time ? "latest" : "last"} counts`]
        : []),
    ],
  };
}

const placeIn = (places: Map<string, number>, name: string): number => {
  const place = places.get(name) ?? places.size;
  places.set(name, place);
  return place;
};

/** The moment of a row. Throws DataError where it tells none. */
function momentOf(
  cell: string,
  { name, kind, dateFormat = "", decimalComma = false }: ColumnType,
  where: string,
): number {
  const moment = kind === "date" ? parseDate(cell, dateFormat) : parseNumber(cell, decimalComma);
  if (moment === undefined)
    throw new DataError(
      `${where}: ${quoted(name)} is ${quoted(cell)}, and tells no time; correct it, or name another column by --time`,
    );
  return moment;
}

/** User, item and value of the ratings of each part, one after another. */
function partsOf(
  byUser: readonly ReadonlyMap<number, Rating>[],
  { seed, isTimed }: { readonly seed: number; readonly isTimed: boolean },
) {
  const random = new Random(foldIn(keyOf(seed), "parts"));
  const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  for (const [user, own] of byUser.entries()) {
    const rated = [...own.values()];
    const ordered = isTimed
      ? rated.sort((a, b) => a.moment - b.moment)
      : [...random.permutation(rated.length)].map((place) => rated[place] as Rating);
    const each = rated.length < fewest ? 0 : Math.max(1, Math.round(partShare * rated.length));
    const borders = [rated.length - 2 * each, rated.length - each];
    for (const [place, { item, value }] of ordered.entries()) {
      const part =
        place < (borders[0] as number) ? parts.train : place < (borders[1] as number) ? parts.validation : parts.test;
      append(part, [user, item, value]);
    }
  }
  return parts;
}
