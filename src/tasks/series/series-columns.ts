/** What each column of a table of time series is: the time, the series, what is forecast, what is read beside, and why. */
import { DataError, OptionError, unknownName } from "../../core/errors.ts";
import { quoted } from "../../core/printable.ts";
import type { ColumnType } from "../../data/tables/column-kinds.ts";

/** What a person says of the columns; `""` or an empty list where nothing. */
export interface NamedColumns {
  /** The column of time. */
  readonly time: string;
  /** The column that tells series apart. */
  readonly series: string;
  /** What is forecast. */
  readonly targets: readonly string[];
  /** What is known of the steps to forecast. */
  readonly known: readonly string[];
  /** What is not read. */
  readonly ignore: readonly string[];
}

/** Columns by what they are for. */
export interface SeriesRoles {
  readonly time: ColumnType;
  readonly series: ColumnType | undefined;
  readonly targets: readonly ColumnType[];
  readonly covariates: readonly ColumnType[];
  readonly known: readonly ColumnType[];
  /** Why the time and the targets are these, in sentences. */
  readonly notes: readonly string[];
  /** Columns that are not read, with the reasons. */
  readonly left: readonly { readonly name: string; readonly why: string }[];
}

/** Names of columns of numbers that tell a time, where there is no date. */
const timeNames = /^(?:time|t|step|year|period|index|timestamp)$/i;
/** Values of a category that is read at each step. */
const mostValues = 20;

/** Says what columns are for. Throws OptionError, with the nearest, for a name that is not there; DataError where no column is a time or a number. */
export function rolesOf(columns: readonly ColumnType[], named: NamedColumns): SeriesRoles {
  const names = columns.map(({ name }) => name);
  const columnOf = (name: string): ColumnType => {
    const found = columns.find((column) => column.name === name);
    if (!found) throw unknownName("column", name, names);
    return found;
  };
  const series = named.series === "" ? undefined : columnOf(named.series);
  const others = columns.filter((column) => column !== series && !named.ignore.includes(column.name));
  for (const name of named.ignore) columnOf(name);
  const time = timeOf(others, named.time === "" ? undefined : columnOf(named.time));
  const known = named.known.map(columnOf);
  const stray = known.find(({ kind }) => kind !== "number" && kind !== "category");
  if (stray)
    throw new OptionError(`--known names ${quoted(stray.name)}: ${stray.why}; name columns of numbers or categories`);
  const taken = [time, series, ...known];
  const free = others.filter((column) => !taken.includes(column));
  const targets = targetsOf(free, named.targets.map(columnOf), taken);
  const isRead = ({ kind, distinct }: ColumnType) =>
    kind === "number" || (kind === "category" && distinct <= mostValues);
  const beside = free.filter((column) => !targets.includes(column));
  return {
    time,
    series,
    targets,
    covariates: beside.filter(isRead),
    known,
    notes: [
      `${quoted(time.name)} is the time (${named.time === "" ? (time.kind === "date" ? "the only dates" : "by its name") : "as asked"}; --time names another)`,
      `${targets.map(({ name }) => quoted(name)).join(", ")} ${targets.length === 1 ? "is" : "are"} forecast (${named.targets.length === 0 ? "all columns of numbers" : "as asked"}; --target names others)`,
    ],
    left: beside
      .filter((column) => !isRead(column))
      .map(({ name, kind, why }) => ({ name, why: kind === "category" ? `${why}, too many for each step` : why })),
  };
}

function timeOf(columns: readonly ColumnType[], given: ColumnType | undefined): ColumnType {
  const isTime = ({ kind }: ColumnType) => kind === "date" || kind === "number" || kind === "id";
  if (given && !isTime(given))
    throw new OptionError(`--time is ${quoted(given.name)}: ${given.why}; name a column of dates or numbers`);
  if (given) return given;
  const dates = columns.filter(({ kind }) => kind === "date");
  if (dates.length > 1)
    throw new OptionError(
      `there are several columns of dates, ${dates.map(({ name }) => quoted(name)).join(", ")}; name the time of the rows: --time COLUMN`,
    );
  const found = dates[0] ?? columns.find((column) => timeNames.test(column.name) && isTime(column));
  if (!found)
    throw new DataError("no column tells the time of the rows by dates; name one of dates or numbers: --time COLUMN");
  return found;
}

function targetsOf(
  free: readonly ColumnType[],
  given: readonly ColumnType[],
  taken: readonly (ColumnType | undefined)[],
): readonly ColumnType[] {
  const twice = given.find((column) => taken.includes(column));
  if (twice)
    throw new OptionError(
      `--target names ${quoted(twice.name)}, which is the time, the series or known ahead; name another`,
    );
  const odd = given.find(({ kind }) => kind !== "number" && kind !== "id");
  if (odd)
    throw new DataError(`target ${quoted(odd.name)}: ${odd.why}; only numbers are forecast, name others by --target`);
  const found = given.length > 0 ? [...new Set(given)] : free.filter(({ kind }) => kind === "number");
  if (found.length === 0)
    throw new DataError("no column of numbers is left to forecast; name one by --target, or pass a table that has one");
  return found;
}
