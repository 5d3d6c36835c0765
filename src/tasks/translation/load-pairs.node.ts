/** Pairs of a text and its translation in a table. */
import { DataError, unknownName } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { type ColumnType, inferColumnTypes } from "../../data/tables/column-kinds.ts";
import { readTable } from "../../data/tables/table-file.node.ts";
import type { Translations } from "../../data/text/translations.ts";
import { sentenceColumns } from "./translation-kind.ts";

/** What pairs are loaded. */
export interface PairsRequest {
  /** The file of the table. */
  readonly path: string;
  /** The column that is translated; `""`: the first of texts. */
  readonly source: string;
  /** The column of translations; `""`: the first other one of texts. */
  readonly target: string;
}

/** Pairs that are loaded. */
export interface LoadedPairs extends Translations {
  /** What the table was taken for, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Reads the pairs of a table; rows without both texts are left out and counted. Throws FileError or DataError, naming the line, for what
 * cannot be read, and for a table without two columns of texts; OptionError for a column that there is not.
 */
export async function loadPairs({ path, source, target }: PairsRequest): Promise<LoadedPairs> {
  const { file, rows } = await readTable(path);
  const types = inferColumnTypes(file.names, rows, { decimalComma: file.decimalComma });
  const [from, to] = columnsOf(types, { path, source, target });
  const [fromAt, toAt] = [file.names.indexOf(from), file.names.indexOf(to)];
  const all = rows.map((cells) => ({ source: (cells[fromAt] ?? "").trim(), target: (cells[toAt] ?? "").trim() }));
  const pairs = all.filter((pair) => pair.source !== "" && pair.target !== "");
  if (pairs.length === 0)
    throw new DataError(
      `${path}: no row has both ${quoted(from)} and ${quoted(to)}; fill them in, or name other columns`,
    );
  return {
    pairs,
    skipped: all.length - pairs.length,
    notes: [
      ...file.notes,
      `${quoted(from)} is translated to ${quoted(to)} (--source and --target name others): ${plural(pairs.length, "pair")}`,
    ],
  };
}

/** The names of both columns. */
function columnsOf(types: readonly ColumnType[], { path, source, target }: PairsRequest): readonly [string, string] {
  const names = types.map(({ name }) => name);
  for (const name of [source, target])
    if (name !== "" && !names.includes(name)) throw unknownName("column", name, names);
  const texts = sentenceColumns(types).map(({ name }) => name);
  // Of a table with two columns there is no doubt which they are.
  const candidates = names.length === 2 ? names : texts;
  const from = source || candidates.find((name) => name !== target);
  const to = target || candidates.find((name) => name !== from);
  if (from === undefined || to === undefined)
    throw new DataError(
      `${path}: has ${plural(texts.length, "column")} of texts, expected one to translate and one of translations; name them by --source and --target`,
    );
  if (from === to)
    throw new DataError(`${path}: ${quoted(from)} is named as --source and as --target; name two columns`);
  return [from, to];
}
