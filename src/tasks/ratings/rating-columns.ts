/** Which columns of a table say who rated what, how and when. */
import { OptionError, unknownName } from "../../core/errors.ts";
import { quoted } from "../../core/printable.ts";
import type { ColumnType } from "../../data/tables/column-kinds.ts";
import type { DataKind } from "../kinds/data-kind.ts";

/** What a column of ratings is for. */
export type RatingRole = "user" | "item" | "rating" | "time";

/** Names that columns of each role have, with or without "id" behind them. */
const usual: Readonly<Record<RatingRole, RegExp>> = {
  user: /^(?:user|customer|member|reader|viewer|reviewer|person)s?[ _-]?(?:id)?$/i,
  item: /^(?:item|movie|film|product|book|song|track|artist|article|game|recipe|asin|isbn)s?[ _-]?(?:id)?$/i,
  rating: /^(?:ratings?|scores?|stars?)$/i,
  time: /^(?:time|timestamp|time_stamp|date|datetime|rated_at|created_at)$/i,
};

/** What a person says of the columns; `""` where nothing. */
export type NamedRatingColumns = Readonly<Record<RatingRole, string>>;

/** The column of each role; without a rating the choice alone counts. */
export type RatingColumns = Readonly<
  Record<"user" | "item", ColumnType> & Partial<Record<"rating" | "time", ColumnType>>
>;

const columnOf = (columns: readonly ColumnType[], role: RatingRole): ColumnType | undefined =>
  columns.find(({ name }) => usual[role].test(name));

/** Finds the columns. Throws OptionError, with the nearest, for a name that is not there, and where users or items are not found. */
export function ratingColumns(columns: readonly ColumnType[], named: NamedRatingColumns): RatingColumns {
  const names = columns.map(({ name }) => name);
  const find = (role: RatingRole): ColumnType | undefined => {
    if (named[role] === "") return columnOf(columns, role);
    const found = columns.find(({ name }) => name === named[role]);
    if (!found) throw unknownName("column", named[role], names);
    return found;
  };
  const needed = (role: "user" | "item"): ColumnType => {
    const found = find(role);
    if (found) return found;
    throw new OptionError(
      `no column is named as one of ${role}s are, such as "${role}" or "${role}_id"; the table has ${names.slice(0, 10).map(quoted).join(", ")}; name it: --${role} COLUMN`,
    );
  };
  const [user, item, rating, time] = [needed("user"), needed("item"), find("rating"), find("time")];
  if (rating && rating.kind !== "number" && rating.distinct > 1)
    throw new OptionError(
      `--rating is ${quoted(rating.name)}: ${rating.why}; name a column of numbers, or pass --task ranking, which reads no ratings`,
    );
  return { user, item, ...(rating && { rating }), ...(time && { time }) };
}

/** Rows that say who rated or chose what. */
export const ratingsKind: DataKind = {
  recipe: "ratings",
  tasks: ["ratings", "ranking"],
  recognize(data) {
    if (data.kind !== "table" || !columnOf(data.columns, "user") || !columnOf(data.columns, "item")) return undefined;
    if (columnOf(data.columns, "rating")) return "ratings of items by users";
    const others = data.columns.length - (columnOf(data.columns, "time") ? 3 : 2);
    return others === 0 ? "items that users chose" : undefined;
  },
};
