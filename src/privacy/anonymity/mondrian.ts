/** Tables made anonymous: quasi-identifiers are generalized, group by group, until each row is like enough others (Mondrian, LeFevre et al. 2006). */
import { OptionError } from "../../core/errors.ts";
import { greatest, least } from "../../core/lists.ts";
import { count, fraction, listOf, share, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import {
  type Anonymity,
  type AnonymityOptions,
  type MicrodataRow,
  measureAnonymity,
  requireColumns,
  SensitiveValues,
} from "./anonymity.ts";

/** Options of `anonymizeTable`. */
export interface AnonymizeOptions extends AnonymityOptions {
  /** Rows that are to be alike at least. */
  readonly k: number;
  /** Different sensitive values in each group at least; default 1. */
  readonly l?: number | undefined;
  /** How far a group's sensitive values may be from those of the table, from 0 to 1; default 1. */
  readonly t?: number | undefined;
  /** Share of the rows that may be left out, those that cost the others most; default 0. */
  readonly suppress?: number | undefined;
}

/** A table made anonymous. */
export interface AnonymizedTable {
  /** The rows that are left, in their order: of quasi-identifiers the value that a group shares, `20 to 39` of numbers, `a | b` of categories; other columns as they were. */
  readonly rows: readonly MicrodataRow[];
  /** What was lost of the quasi-identifiers, from 0 to 1: the mean over rows and columns of how much of a column's range a group spans (Xu et al. 2006). */
  readonly loss: number;
  /** Places in the table of the rows that were left out, in order; none without `suppress`. */
  readonly suppressed: readonly number[];
  readonly before: Anonymity;
  readonly after: Anonymity;
}

const check = optionsOf<AnonymizeOptions>("anonymizeTable", {
  quasiIdentifiers: required(listOf(string, "names of columns")),
  sensitive: string,
  k: required(count(2)),
  l: count(),
  t: share,
  suppress: fraction,
});

/** A quasi-identifier: its values as places in their order. */
interface Column {
  readonly name: string;
  readonly isNumber: boolean;
  /** Different values, in order. */
  readonly values: readonly (string | number)[];
  /** For each row the place of its value. */
  readonly places: Int32Array;
}

function columnOf(name: string, rows: readonly MicrodataRow[]): Column {
  const own = rows.map((row) => row[name] as string | number);
  const isNumber = own.every((value) => typeof value === "number");
  const values = [...new Set(own)].sort((a, b) => (isNumber ? Number(a) - Number(b) : String(a) < String(b) ? -1 : 1));
  const placeOf = new Map(values.map((value, i) => [value, i]));
  return { name, isNumber, values, places: Int32Array.from(own, (value) => placeOf.get(value) as number) };
}

/** How much of a column's range places span, from 0 to 1: of numbers by their difference, of categories by how many there are. */
function spanOf({ isNumber, values, places }: Column, members: Int32Array): number {
  if (values.length < 2) return 0;
  const own = members.map((row) => places[row] as number);
  if (!isNumber) return (new Set(own).size - 1) / (values.length - 1);
  const valueAt = (place: number) => Number(values[place]);
  return (valueAt(greatest(own)) - valueAt(least(own))) / (valueAt(values.length - 1) - valueAt(0));
}

/** What a group of rows says of a column in place of their own values. */
function generalized({ isNumber, values, places }: Column, members: Int32Array): string | number {
  const own = [...new Set(members.map((row) => places[row] as number))].sort((a, b) => a - b);
  const [first, last] = [values[own[0] ?? 0] ?? "", values[own.at(-1) ?? 0] ?? ""];
  if (own.length === 1) return first;
  return isNumber ? `${first} to ${last}` : own.map((place) => values[place]).join(" | ");
}

/**
 * Generalizes the quasi-identifiers of a table until every row shares them with `k` - 1 others at least, cutting groups in two at the median of the column that spans most of its range
 * while both halves keep what is asked for. With `suppress`, up to that share of the rows is left out first, those farthest from the middle of their groups. Of the others of its group nothing tells a row but the columns that are left: leave out names and numbers of persons. Throws
 * OptionError where the whole table does not have what is asked for, or columns are not there, DataError for missing values.
 * @example anonymizeTable(rows, { quasiIdentifiers: ["age", "sex", "zip"], sensitive: "diagnosis", k: 5, l: 2 }).rows
 */
export function anonymizeTable(rows: readonly MicrodataRow[], options: AnonymizeOptions): AnonymizedTable {
  const { quasiIdentifiers, sensitive, k, l = 1, t = 1, suppress = 0 } = check(options);
  requireColumns("anonymizeTable", rows, options);
  if (sensitive === undefined && (options.l !== undefined || options.t !== undefined))
    throw new OptionError("anonymizeTable: l and t are of sensitive values; name the column: sensitive");
  const columns = quasiIdentifiers.map((name) => columnOf(name, rows));
  const secrets = sensitive === undefined ? undefined : rows.map((row) => row[sensitive] as string | number);
  const ofTable = secrets && new SensitiveValues(secrets);
  const isEnough = (members: Int32Array): boolean => {
    if (members.length < k) return false;
    const own = ofTable?.measure(Array.from(members, (row) => secrets?.[row] as string | number));
    return !own || (own.distinct >= l && own.distance <= t + 1e-12);
  };
  const all = Int32Array.from(rows.keys());
  if (!isEnough(all)) {
    const found = ofTable?.measure(secrets ?? []).distinct;
    throw new OptionError(
      `anonymizeTable: the whole table has ${rows.length} rows${found === undefined ? "" : ` and ${found} sensitive values`}, and each group is to have ${k}${l > 1 ? ` and ${l}` : ""}; ask for less`,
    );
  }
  const whole = partsOf(all, columns, isEnough);
  const suppressed = outliersOf(whole, columns, Math.floor(suppress * rows.length));
  const isLeft = new Uint8Array(rows.length).fill(1);
  for (const row of suppressed) isLeft[row] = 0;
  const left = all.filter((row) => isLeft[row] === 1);
  // Groups are made anew of what is left: what was far from all others drew borders too. Where too little is left, nothing is left out.
  const isUseful = suppressed.length > 0 && isEnough(left);
  const groups = isUseful ? partsOf(left, columns, isEnough) : whole;
  const made: MicrodataRow[] = [...rows];
  let lost = 0;
  for (const members of groups) {
    const shared = Object.fromEntries(columns.map((column) => [column.name, generalized(column, members)]));
    for (const row of members) made[row] = { ...(rows[row] as MicrodataRow), ...shared };
    lost += columns.reduce((sum, column) => sum + spanOf(column, members), 0) * members.length;
  }
  const asked = { quasiIdentifiers, sensitive };
  const kept = isUseful ? made.filter((_, row) => isLeft[row] === 1) : made;
  return {
    rows: kept,
    loss: lost / (kept.length * columns.length),
    suppressed: isUseful ? suppressed : [],
    before: measureAnonymity(rows, asked),
    after: measureAnonymity(kept, asked),
  };
}

/** Groups that cannot be cut in two any more, without recursion. */
function partsOf(
  all: Int32Array,
  columns: readonly Column[],
  isEnough: (members: Int32Array) => boolean,
): readonly Int32Array[] {
  const done: Int32Array[] = [];
  const open = [all];
  for (let members = open.pop(); members; members = open.pop()) {
    const own = members;
    const spans = columns.map((column) => ({ column, span: spanOf(column, own) }));
    const order = spans.filter(({ span }) => span > 0).sort((a, b) => b.span - a.span);
    let halves: readonly Int32Array[] | undefined;
    for (const { column } of order) {
      halves = halvesOf(own, column);
      if (halves.every(isEnough)) break;
      halves = undefined;
    }
    if (halves) open.push(...halves);
    else done.push(own);
  }
  return done;
}

/** At most so many rows, those farthest from the middle of their groups, in order: each widens the ranges that its group shows. */
function outliersOf(groups: readonly Int32Array[], columns: readonly Column[], most: number): number[] {
  if (most === 0) return [];
  const distances = groups.flatMap((members) => {
    const middles = columns.map(({ places }) => middleOf(Array.from(members, (row) => places[row] as number)));
    return Array.from(members, (row) => {
      const distance = columns.reduce((sum, column, c) => {
        const pair = Int32Array.of(row, members[middles[c] as number] as number);
        return sum + spanOf(column, pair);
      }, 0);
      return { row, distance };
    });
  });
  const far = distances.filter(({ distance }) => distance > 0).sort((a, b) => b.distance - a.distance || a.row - b.row);
  return far
    .slice(0, most)
    .map(({ row }) => row)
    .sort((a, b) => a - b);
}

/** The index of the median. */
function middleOf(values: readonly number[]): number {
  const order = [...values.keys()].sort((a, b) => (values[a] as number) - (values[b] as number));
  return order[(order.length - 1) >> 1] as number;
}

/** The rows whose values are at the median and before it, and the others. */
function halvesOf(members: Int32Array, { places }: Column): readonly Int32Array[] {
  const own = members.map((row) => places[row] as number).sort();
  const median = own[(own.length - 1) >> 1] as number;
  // Where more than half have the largest value, those before it are the first half.
  const border = median === own.at(-1) ? median - 1 : median;
  const isFirst = (row: number) => (places[row] as number) <= border;
  return [members.filter(isFirst), members.filter((row) => !isFirst(row))];
}
