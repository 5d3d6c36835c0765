/** Texts in a table or in folders as a task: what is predicted of them, and in which parts they are. */

import { statSync } from "node:fs";
import { join } from "node:path";
import { DataError, FileError, OptionError, unknownName } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import type { Tensor } from "../../core/tensor.ts";
import { entriesOf } from "../../data/pipeline/class-folders.node.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import { parseNumber } from "../../data/tables/cell-numbers.ts";
import { type ColumnType, ColumnTypeBuilder } from "../../data/tables/column-kinds.ts";
import { readTextFile, textEndings } from "../../data/text/text-file.node.ts";
import { endingOf } from "../../storage/ending.ts";
import { limitedRows, partsOfRows } from "../folds/parting.ts";
import { drawnRows } from "../tables/drawn-rows.node.ts";
import { balanceNote, targetColumn } from "../tables/target.ts";
import {
  areLabels,
  fitTextTarget,
  outputsOf,
  type TextTarget,
  type TextTaskName,
  taskOfTarget,
} from "./text-target.ts";
import { isPart } from "./texts-kind.node.ts";

/** What texts are loaded, and how. */
export interface TextsRequest {
  /** A table, or a folder with a folder of files of text for each class, maybe below `train` and `test`. */
  readonly path: string;
  /** The column of texts; `""`: the one of free text. */
  readonly text: string;
  /** The column to predict; `""`: the one of a usual name, or the last. */
  readonly target: string;
  /** What is predicted. */
  readonly task: TextTaskName;
  /** Parts that the texts to train on are in. */
  readonly folds: number;
  /** Start of all randomness. */
  readonly seed: number;
  /** So many texts at most. */
  readonly limit: number | undefined;
}

/** Texts of a part, with what is predicted of them. */
export interface LabelledTexts {
  readonly texts: readonly string[];
  /** int32 [N] classes, float32 [N, labels] of 0 and 1, or float32 [N, 1] numbers. */
  readonly y: Tensor;
}

/** Texts in parts. */
export interface PartedTexts<T extends LabelledTexts = LabelledTexts> {
  /** The column of the texts. */
  readonly name: string;
  readonly target: TextTarget;
  /** What is trained on, and … */
  readonly train: T;
  /** … the fold of each of its texts, 0, 1, … */
  readonly folds: readonly number[];
  readonly test: T;
  /** What they were taken for, in sentences. */
  readonly notes: readonly string[];
}

/** Texts with their targets as they were found. */
interface FoundTexts {
  readonly name: string;
  readonly texts: readonly string[];
  readonly column: ColumnType;
  readonly cells: readonly string[];
  /** Where each stands. */
  readonly lines: readonly string[];
  /** Places of those to test on, where the data say. */
  readonly tested?: readonly number[];
  readonly notes: readonly string[];
}

/** The column of texts. Throws OptionError where it is not clear which. */
function textColumn(columns: readonly ColumnType[], { text, target }: TextsRequest): ColumnType {
  const names = columns.map(({ name }) => name);
  const named = columns.find(({ name }) => name === text);
  if (named) return named;
  if (text !== "") throw unknownName("column", text, names);
  const found = columns.filter(({ kind, name }) => kind === "text" && name !== target);
  const [only, ...others] = found;
  if (only && others.length === 0) return only;
  throw new OptionError(
    `${found.length === 0 ? "no column" : plural(found.length, "column")} of ${names.map(quoted).join(", ")} ${found.length === 0 ? "is" : "are"} free text; name the one that is to be read: --text COLUMN`,
  );
}

async function fromTable(request: TextsRequest): Promise<FoundTexts> {
  const { path, seed, task } = request;
  const { file, rows, lines, types } = await drawnRows(path, seed);
  const own = textColumn(types, request);
  const rest = types.filter(({ name }) => name !== own.name);
  if (rest.length === 0)
    throw new DataError(`${path}: has texts (${quoted(own.name)}) and nothing to predict of them; add a column`);
  const { column, why } = targetColumn(rest, request.target);
  const [textAt, at] = [own, column].map(({ name }) => file.names.indexOf(name)) as [number, number];
  const isNumber = !areLabels(column, task) && !taskOfTarget(column, task).isClasses;
  const isKnown = (cell: string) =>
    cell !== "" && (!isNumber || Number.isFinite(parseNumber(cell, column.decimalComma)));
  const kept = limitedRows(rows.length, request).filter(
    (row) => (rows[row]?.[textAt] ?? "").trim() !== "" && isKnown(rows[row]?.[at] ?? ""),
  );
  const others = rest.filter(({ name }) => name !== column.name);
  const missing = rows.length - kept.length;
  return {
    name: own.name,
    texts: kept.map((row) => rows[row]?.[textAt] ?? ""),
    column,
    cells: kept.map((row) => rows[row]?.[at] ?? ""),
    lines: kept.map((row) => `${path}: line ${lines[row]}`),
    notes: [
      ...file.notes,
      `${quoted(column.name)} is predicted (${why}; --target names another) of the texts in ${quoted(own.name)} (--text names others)`,
      ...(others.length > 0 ? [`not read: ${others.map(({ name }) => quoted(name)).join(", ")}`] : []),
      ...(missing > 0 && request.limit === undefined
        ? [`${plural(missing, "row")} without a text or a value to predict left out`]
        : []),
    ],
  };
}

/** Files of text in the folders of a folder, by class. */
async function filesByClass(path: string): Promise<{ readonly path: string; readonly label: string }[]> {
  const classes = (await entriesOf(path)).filter((entry) => entry.isDirectory());
  const files = await Promise.all(
    classes.map(async ({ name }) =>
      (await entriesOf(join(path, name)))
        .filter((entry) => entry.isFile() && textEndings.includes(endingOf(entry.name)))
        .map((entry) => ({ path: join(path, name, entry.name), label: name })),
    ),
  );
  return files.flat();
}

async function fromFolder(request: TextsRequest): Promise<FoundTexts> {
  const { path } = request;
  const parts = (await entriesOf(path)).filter((entry) => entry.isDirectory() && isPart(entry.name));
  const isParted = parts.length === 2;
  const listed = isParted
    ? (
        await Promise.all(
          parts.map(async ({ name }) =>
            (await filesByClass(join(path, name))).map((file) => ({ ...file, isTest: name.toLowerCase() === "test" })),
          ),
        )
      ).flat()
    : (await filesByClass(path)).map((file) => ({ ...file, isTest: false }));
  const kept = limitedRows(listed.length, request).map((place) => listed[place] as (typeof listed)[number]);
  const builder = new ColumnTypeBuilder("class");
  const texts: string[] = [];
  const read: (typeof listed)[number][] = [];
  const broken: string[] = [];
  for (const file of kept)
    try {
      const text = await readTextFile(file.path);
      if (text.trim() === "") throw new FileError(`${file.path}: has no text in it`);
      texts.push(text);
      read.push(file);
      builder.add(file.label);
    } catch (error) {
      broken.push((error as Error).message);
    }
  if (texts.length === 0)
    throw new DataError(
      `${path}: its folders hold no readable text${broken.length > 0 ? ` (${broken[0]})` : ""}; expected a folder for each class, with files ${textEndings.join(", ")}`,
    );
  const tested = read.flatMap(({ isTest }, place) => (isTest ? [place] : []));
  return {
    name: "text",
    texts,
    column: builder.build(),
    cells: read.map(({ label }) => label),
    lines: read.map((file) => file.path),
    ...(isParted && { tested }),
    notes: [
      `each folder${isParted ? " below train and test" : ""} is a class`,
      ...(broken.length > 0
        ? [
            `${plural(broken.length, "file")} left out: ${broken.slice(0, 3).join("; ")}${broken.length > 3 ? "; …" : ""}`,
          ]
        : []),
    ],
  };
}

/** Texts that say the same but for case, spaces and punctuation are one. */
const sameText = (text: string): string =>
  text
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu)
    ?.join(" ") ?? text.trim();

/**
 * Reads texts, says what they were taken for, and parts them: as their folders say, or a fifth for the test, each class in its share,
 * equal texts in one part. Throws FileError or DataError, naming the place, for what cannot be read and for too few texts.
 */
export async function partTexts(request: TextsRequest): Promise<PartedTexts> {
  const { path, folds, seed, task } = request;
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status) throw new FileError(`there is no file or folder ${path} with the texts; check the path`);
  const { name, texts, column, cells, lines, tested, notes } = await (status.isDirectory() ? fromFolder : fromTable)(
    request,
  );
  const kind = areLabels(column, task) ? "labels" : taskOfTarget(column, task).isClasses ? "classes" : "number";
  const least = 2 * folds;
  if (texts.length < least)
    throw new DataError(
      `${path}: ${plural(texts.length, "text")} with a value to predict, too few to train on and test; pass ${least} at least`,
    );
  const groups = texts.map(sameText);
  const all = partsOfRows({
    groups,
    ...(kind === "classes" && { classes: cells }),
    ...(tested && { tested }),
    seed,
    folds,
  });
  const held = new Set(all.test.map((place) => groups[place]));
  // Where the data say what is tested on, a text may be on both sides.
  const kept = all.train.flatMap((place, i) =>
    held.has(groups[place]) ? [] : [{ place, fold: all.folds[i] as number }],
  );
  const train = kept.map(({ place }) => place);
  if (train.length < folds || all.test.length === 0)
    throw new DataError(
      `${path}: no texts are left to ${train.length < folds ? "train" : "test"} on; pass more, or other ones`,
    );
  const { target, y } = fitTextTarget(column, kind, cells, { trained: train, lines });
  const samplesOf = (places: readonly number[]): LabelledTexts => ({
    texts: places.map((place) => texts[place] as string),
    y: gatherRows(y, places),
  });
  const repeated = all.train.length - train.length;
  const balance = target.kind === "labels" ? undefined : balanceNote(target, y);
  return {
    name,
    target,
    train: samplesOf(train),
    test: samplesOf(all.test),
    folds: kept.map(({ fold }) => fold),
    notes: [
      ...notes,
      kind === "labels"
        ? `of ${plural(outputsOf(target), "label")} each text has any number`
        : `it is ${kind === "classes" ? `one of ${plural(outputsOf(target), "class", "classes")}` : "a number"} (${taskOfTarget(column, task).why}; --task says otherwise)`,
      ...(repeated > 0 ? [`${plural(repeated, "text")} that the test has too not trained on`] : []),
      ...(balance !== undefined ? [balance] : []),
    ],
  };
}
