/** What is remarkable in the columns and rows of a table. */
import { count, percent, plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import type { Associations, ColumnProfile, Finding, NearDuplicate, TableProfile } from "./profile.ts";

/** Columns that a sentence names. */
const mostNamed = 8;

const namesOf = (columns: readonly Pick<ColumnProfile, "name">[]): string => {
  const named = columns.slice(0, mostNamed).map(({ name }) => quoted(name));
  const more = columns.length - named.length;
  return `${named.join(", ")}${more > 0 ? ` and ${count(more)} more` : ""}`;
};

/** One sentence on all columns of which something is true. */
function about(
  columns: readonly ColumnProfile[],
  weight: Finding["weight"],
  test: (column: ColumnProfile) => boolean,
  say: (names: string, found: readonly ColumnProfile[]) => string,
): Finding[] {
  const found = columns.filter(test);
  return found.length === 0 ? [] : [{ weight, text: say(namesOf(found), found) }];
}

const isAre = (found: readonly unknown[]): string => (found.length === 1 ? "is" : "are");

/** What columns are worth nothing, what is missing, outlying or of several forms. */
export function columnFindings(all: readonly ColumnProfile[], target: string | undefined): Finding[] {
  const columns = all.filter(({ name }) => name !== target);
  return [
    ...about(
      columns,
      "problem",
      ({ kind }) => kind === "empty",
      (names, found) =>
        `${names} ${found.length === 1 ? "has" : "have"} no values at all; remove ${found.length === 1 ? "it" : "them"}`,
    ),
    ...about(
      columns,
      "problem",
      ({ missing, rows, kind }) => kind !== "empty" && missing > 0.5 * rows,
      (names, found) =>
        `${names} ${isAre(found)} missing in more than half of the rows; leave out, or say with a column of its own that a value is missing`,
    ),
    ...about(
      columns,
      "hint",
      ({ kind, missing }) => kind === "constant" && missing === 0,
      (names, found) => `${names} ${isAre(found)} constant, and useless to predict with`,
    ),
    ...about(
      columns,
      "hint",
      ({ kind, distinct, rows, missing }) => kind === "id" && distinct > 0.95 * (rows - missing),
      (names, found) =>
        `${names} ${found.length === 1 ? "names" : "name"} single rows (id), and ${isAre(found)} useless to predict with`,
    ),
    ...about(
      columns,
      "hint",
      ({ missing, rows }) => missing > 0 && missing <= 0.5 * rows,
      (names, found) =>
        `${names} ${found.length === 1 ? "has" : "have"} missing values, at most ${percent(Math.max(...found.map(({ missing, rows }) => missing / rows)))}`,
    ),
    ...about(
      columns,
      "hint",
      ({ why }) => why.includes("is no number") || why.includes("are no number"),
      (names) => `${names}: some values are no numbers among numbers; correct them, or name them as missing`,
    ),
    ...about(
      columns,
      "hint",
      ({ numbers, kind, rows }) => kind === "number" && (numbers?.outliers?.count ?? 0) > 0.01 * rows,
      (names, found) =>
        `${names} ${found.length === 1 ? "has" : "have"} more than 1 % of values beyond Tukey's fences (outliers)`,
    ),
    ...about(
      columns,
      "hint",
      ({ kind, distinct, rows, missing }) => kind === "category" && distinct > 100 && distinct > 0.1 * (rows - missing),
      (names) => `${names}: categories with very many values, most of which a model sees rarely`,
    ),
    ...about(
      columns,
      "hint",
      ({ dateFormat }) => dateFormat?.includes(" | ") === true,
      (names) => `${names}: dates in several formats; write them in one`,
    ),
    ...about(
      columns,
      "hint",
      ({ why }) => why.includes("cannot be told apart"),
      (names) => `${names}: days and months cannot be told apart; write dates as YYYY-MM-DD`,
    ),
  ];
}

/** Duplicated rows. */
export function rowFindings({ duplicatedRows, comparedRows, firstDuplicates }: TableProfile): Finding[] {
  if (duplicatedRows === 0) return [];
  const such = firstDuplicates.slice(0, 5).map(count).join(", ");
  return [
    {
      weight: duplicatedRows > 0.01 * comparedRows ? "problem" : "hint",
      text: `${plural(duplicatedRows, "row")} (${percent(duplicatedRows / comparedRows)}) ${duplicatedRows === 1 ? "has" : "have"} the same values as one before (${duplicatedRows === 1 ? "row" : "such as rows"} ${such}); remove them, or they may stand in training and test alike`,
    },
  ];
}

/** Pairs of columns that say the same. */
export function associationFindings({ names, values }: Associations, target: string | undefined): Finding[] {
  const pairs: string[] = [];
  for (const [i, row] of values.entries())
    for (const [j, value] of row.entries())
      if (j > i && value !== null && Math.abs(value) >= 0.995 && names[i] !== target && names[j] !== target)
        pairs.push(`${quoted(names[i] ?? "")} and ${quoted(names[j] ?? "")}`);
  if (pairs.length === 0) return [];
  const more = pairs.length > 4 ? ` and ${count(pairs.length - 4)} more pairs` : "";
  return [
    {
      weight: "hint",
      text: `${pairs.slice(0, 4).join("; ")}${more} say nearly the same (association 0.995 or more); keep one of each`,
    },
  ];
}

/** Texts or images that are almost the same. */
export function likenessFindings(pairs: readonly NearDuplicate[], what: string): Finding[] {
  const [first] = pairs;
  if (!first) return [];
  const conflicting = pairs.filter((pair) => pair.conflicting);
  const such = `such as ${first.items.join(" and ")}`;
  const findings: Finding[] = [
    {
      weight: "hint",
      text: `${plural(pairs.length, `pair of near-duplicate ${what}`, `pairs of near-duplicate ${what}`)}, ${such}; keep both of a pair in the same part of a split`,
    },
  ];
  if (conflicting.length > 0)
    findings.unshift({
      weight: "problem",
      text: `${plural(conflicting.length, "pair")} of near-duplicate ${what} with different classes, such as ${conflicting[0]?.items.join(" and ")}; one of both is probably labelled wrong`,
    });
  return findings;
}

/** Problems first. */
export const inOrder = (findings: readonly Finding[]): Finding[] => [
  ...findings.filter(({ weight }) => weight === "problem"),
  ...findings.filter(({ weight }) => weight === "hint"),
];
