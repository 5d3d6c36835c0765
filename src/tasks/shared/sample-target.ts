/** What is predicted of images or sounds: one of several classes, which of several labels, a number. */
import * as z from "zod";
import { DataError, OptionError, unknownName } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { count } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { Tensor } from "../../core/tensor.ts";
import type { ColumnType } from "../../data/tables/column-kinds.ts";
import { fitTarget, type TableTaskName, targetColumn, targetSchema, taskOfColumn } from "../tables/target.ts";

/** What a task may be; `auto` goes by the target's values. */
export const sampleTasks = ["auto", "classification", "labels", "regression"] as const;
/** What is predicted: `auto`, `classification`, `labels`, `regression`. */
export type SampleTaskName = (typeof sampleTasks)[number];

/** The target as JSON: classes, labels, or where a number lies in the training samples. */
export const sampleTargetSchema = z.discriminatedUnion("kind", [
  ...targetSchema.options,
  z.strictObject({ name: z.string(), kind: z.literal("labels"), labels: z.array(z.string()).min(1) }),
]);
/** What is predicted: that of a table, or of `kind` `labels` which of these a sample has. */
export type SampleTarget = Readonly<z.infer<typeof sampleTargetSchema>>;

/** What is to be predicted, before it is known what samples are trained on. */
export interface SampleTargetChoice {
  /** In a sentence: what is predicted, why, and how to say otherwise. */
  readonly note: string;
  /** Whether a sample has a value; of those without, nothing can be learned. */
  isKnown(cells: readonly string[]): boolean;
  /** What samples should be spread by over the parts; nothing for numbers. */
  classOf?(cells: readonly string[]): string;
  /** The target of samples, learned from those that are trained on: int32 [N] classes, float32 [N, labels] of 0 and 1, float32 [N, 1] numbers. */
  fit(
    cells: readonly (readonly string[])[],
    trained: readonly number[],
  ): { readonly target: SampleTarget; readonly y: Tensor };
}

/** What is asked for. */
export interface SampleTargetRequest {
  /** The column to predict; `""`: the one of a usual name, or the last. */
  readonly target: string;
  /** Columns of 0 and 1, each a label; none: one column is predicted. */
  readonly labels: readonly string[];
  readonly task: SampleTaskName;
}

/** The parts of a cell that lists labels, as JSON or with | or ; between them. */
function listedLabels(cell: string, separator: RegExp): readonly string[] {
  if (cell.startsWith("["))
    try {
      const parsed = parseJson(cell);
      if (Array.isArray(parsed)) return parsed.map(String);
    } catch {
      // No list: a label that begins with a bracket.
    }
  return cell.split(separator).flatMap((part) => part.trim() || []);
}

/** So large a share of values that list several labels says that a column does. */
const listing = 0.02;

/** What separates the labels of a column, and why it is taken to list some; `undefined` for a column of one value each. */
function labelColumn(cells: readonly string[], task: SampleTaskName) {
  const [lists, either] = [/$^/, /[|;]/];
  const present = cells.filter((cell) => cell !== "");
  const several = (separator: RegExp) =>
    present.filter((cell) => listedLabels(cell, separator).length > 1).length / Math.max(1, present.length);
  if (present.length > 0 && present.every((cell) => cell.startsWith("[")))
    return { separator: lists, why: "its values are lists" };
  const names = new Set(present.flatMap((cell) => listedLabels(cell, either)));
  if (several(either) >= listing && names.size <= Math.max(2, present.length / 3))
    return { separator: either, why: "its values list several labels" };
  if (task !== "labels") return undefined;
  return { separator: several(either) > 0 ? either : /[|;,]/, why: "as asked" };
}

/** A choice of labels, from those that each sample has. */
function labelsChoice(
  name: string,
  note: (labels: number) => string,
  { known, of }: { known(cells: readonly string[]): boolean; of(cells: readonly string[]): readonly string[] },
  all: readonly (readonly string[])[],
): SampleTargetChoice {
  const labels = [...new Set(all.flatMap(of))].sort();
  if (labels.length === 0)
    throw new DataError(`target ${quoted(name)}: no file has a label; name another column by --target`);
  return {
    note: note(labels.length),
    isKnown: known,
    classOf: (cells) => [...of(cells)].sort().join("\u0000"),
    fit(cells) {
      const y = new Float32Array(cells.length * labels.length);
      for (const [row, own] of cells.entries())
        for (const label of of(own)) y[row * labels.length + labels.indexOf(label)] = 1;
      return {
        target: { name, kind: "labels", labels },
        y: new Tensor("float32", [cells.length, labels.length], y),
      };
    },
  };
}

const yes = new Set(["1", "true", "yes"]);
const no = new Set(["0", "false", "no"]);

/** Labels that are columns of 0 and 1. Throws DataError for another value, OptionError for a column that is not there. */
function choiceOfColumns(
  types: readonly ColumnType[],
  rows: readonly (readonly string[])[],
  labels: readonly string[],
): SampleTargetChoice {
  const names = types.map(({ name }) => name);
  const places = labels.map((label) => {
    const place = names.indexOf(label);
    if (place < 0) throw unknownName("column", label, names);
    const odd = rows.find((cells) => {
      const cell = (cells[place] ?? "").toLowerCase();
      return cell !== "" && !yes.has(cell) && !no.has(cell);
    });
    if (odd)
      throw new DataError(
        `the column ${quoted(label)} of --labels holds ${quoted(odd[place] ?? "")}, expected 0 or 1; correct it, or leave the column out`,
      );
    return { label, place };
  });
  return labelsChoice(
    labels.join(","),
    (count) => `which of ${count} labels a file has is predicted, by the columns of --labels`,
    {
      known: (cells) => places.every(({ place }) => (cells[place] ?? "") !== ""),
      of: (cells) => places.flatMap(({ label, place }) => (yes.has((cells[place] ?? "").toLowerCase()) ? [label] : [])),
    },
    rows,
  );
}

/** What is predicted of files by the columns beside them. Throws OptionError for a column that is not there, DataError for one that nothing can be learned of. */
export function chooseSampleTarget(
  types: readonly ColumnType[],
  rows: readonly (readonly string[])[],
  { target, labels, task }: SampleTargetRequest,
): SampleTargetChoice {
  if (labels.length > 0) {
    if (task === "classification" || task === "regression")
      throw new OptionError(`--labels names several labels, and --task ${task} predicts one thing; leave the one out`);
    return choiceOfColumns(types, rows, labels);
  }
  const { column, why } = targetColumn(types, target);
  const at = types.indexOf(column);
  const cellOf = (cells: readonly string[]) => cells[at] ?? "";
  const head = `${quoted(column.name)} is predicted (${why}; --target names another)`;
  const listed = task === "classification" || task === "regression" ? undefined : labelColumn(rows.map(cellOf), task);
  if (listed)
    return labelsChoice(
      column.name,
      (labels) => `${head}, which of ${count(labels)} labels a file has (${listed.why}; --task says otherwise)`,
      { known: (cells) => cellOf(cells) !== "", of: (cells) => listedLabels(cellOf(cells), listed.separator) },
      rows,
    );
  const asked: TableTaskName = task === "classification" || task === "regression" ? task : "auto";
  const { isClasses, why: whyTask } = taskOfColumn(column, asked);
  const kind = isClasses ? "one of several classes" : "a number";
  return {
    note: `${head}, ${kind} (${whyTask}; --task says otherwise)`,
    isKnown: (cells) => cellOf(cells) !== "",
    ...(isClasses && { classOf: cellOf }),
    fit: (cells, trained) => fitTarget(column, isClasses, cells.map(cellOf), trained),
  };
}

/** Names of what each score of the network is of; none of a number. */
export const namesOf = (target: SampleTarget): readonly string[] =>
  target.kind === "classes" ? target.classes : target.kind === "labels" ? target.labels : [];
