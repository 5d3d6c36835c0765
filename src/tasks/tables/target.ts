/** What is predicted of a table's rows: one of several classes, or a number. */
import * as z from "zod";
import { DataError, OptionError, unknownName } from "../../core/errors.ts";
import { percent, plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { Tensor } from "../../core/tensor.ts";
import { parseNumber } from "../../data/tables/cell-numbers.ts";
import type { ColumnType } from "../../data/tables/column-kinds.ts";

/** What a task may be; `auto` goes by the target's values. */
export const tableTasks = ["auto", "classification", "regression"] as const;
/** Whether classes or numbers are predicted: `auto`, `classification`, `regression`. */
export type TableTaskName = (typeof tableTasks)[number];

/** The target as JSON: names of classes, or where a number lies in the training rows. */
export const targetSchema = z.discriminatedUnion("kind", [
  z.strictObject({ name: z.string(), kind: z.literal("classes"), classes: z.array(z.string()).min(2) }),
  z.strictObject({
    name: z.string(),
    kind: z.literal("number"),
    decimalComma: z.boolean(),
    mean: z.number(),
    deviation: z.number().gt(0),
  }),
]);
/** What is predicted: `name`, its column; of `kind` `classes`, these; of `kind` `number`, its mean and deviation in the training rows. */
export type TableTarget = Readonly<z.infer<typeof targetSchema>>;

/** Names that columns to be predicted have, in the order of trust. */
const usualNames = ["target", "label", "class", "y", "outcome", "species"];
/** A whole number with more values is not taken for classes. */
const mostClasses = 20;
/** Rows that a class has at least, on average, where numbers are taken for classes. */
const rowsOfClass = 10;

/** The column to predict: the one that is named, one of a usual name, or the last. Throws OptionError, with the nearest, for one that is not there. */
export function targetColumn(
  columns: readonly ColumnType[],
  given: string,
): { readonly column: ColumnType; readonly why: string } {
  const names = columns.map(({ name }) => name);
  const named = columns.find(({ name }) => name === given);
  if (named) return { column: named, why: "as asked" };
  if (given !== "") throw unknownName("column", given, names);
  const usual = usualNames.flatMap((name) => columns.filter((column) => column.name.toLowerCase() === name));
  const column = usual[0] ?? columns.at(-1);
  if (!column) throw new DataError("the table has no columns; pass one with a column to predict");
  return { column, why: usual[0] ? "by its name" : "the last column" };
}

/** Whether a column is predicted as classes, and why. Throws DataError for one that nothing can be predicted of. */
export function taskOfColumn(
  { name, kind, distinct, rows, missing, values, why }: ColumnType,
  task: TableTaskName,
): { readonly isClasses: boolean; readonly why: string } {
  const where = `target ${quoted(name)}`;
  if (kind === "empty") throw new DataError(`${where}: has no value in any row; name another column by --target`);
  if (kind === "constant" || distinct < 2)
    throw new DataError(`${where}: ${why}, so that there is nothing to tell apart; name another column by --target`);
  const present = rows - missing;
  if (task === "regression") {
    if (kind !== "number")
      throw new OptionError(`${where}: ${why}, and --task regression takes numbers; leave --task out`);
    return { isClasses: false, why: "as asked" };
  }
  const isWhole = kind === "number" && values !== undefined;
  const isNumber = kind === "number" && !(isWhole && distinct <= mostClasses && present >= rowsOfClass * distinct);
  if (task === "auto" && isNumber) return { isClasses: false, why };
  if (task === "classification" && kind === "number" && !isWhole)
    throw new OptionError(`${where}: ${why}, too many for classes; pass --task regression, or a column of classes`);
  if (kind === "id" || kind === "text" || kind === "json" || kind === "date" || distinct > present / 2)
    throw new DataError(
      `${where}: ${why}, so that hardly a value could be learned; name a column of classes or numbers by --target`,
    );
  return { isClasses: true, why: task === "classification" ? "as asked" : why };
}

/** Classes by their names: numbers in their order, texts by the alphabet. */
export function classNames(cells: readonly string[]): string[] {
  const names = [...new Set(cells)];
  const numbers = names.every((name) => Number.isFinite(Number(name)));
  return names.sort((a, b) => (numbers ? Number(a) - Number(b) : a < b ? -1 : 1));
}

/** The target of rows, and what is learned of it: int32 [rows] classes, or float32 [rows, 1] numbers. */
export function fitTarget(
  { name, decimalComma = false }: ColumnType,
  isClasses: boolean,
  cells: readonly string[],
  trained: readonly number[],
): { readonly target: TableTarget; readonly y: Tensor } {
  if (isClasses) {
    const classes = classNames(cells);
    const places = new Map(classes.map((own, place) => [own, place]));
    const y = new Tensor(
      "int32",
      [cells.length],
      Int32Array.from(cells, (cell) => places.get(cell) ?? 0),
    );
    return { target: { name, kind: "classes", classes }, y };
  }
  const values = cells.map((cell) => parseNumber(cell, decimalComma) ?? Number.NaN);
  const own = trained.map((row) => values[row] as number);
  const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
  const deviation = Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length) || 1;
  const y = new Tensor("float32", [values.length, 1], Float32Array.from(values));
  return { target: { name, kind: "number", decimalComma, mean, deviation }, y };
}

/** What of the balance of classes a person should know. */
export function balanceNote(target: TableTarget, y: Tensor): string | undefined {
  if (target.kind !== "classes") return undefined;
  const counts = target.classes.map(
    (_, place) => Array.prototype.filter.call(y.data, (own) => Number(own) === place).length,
  );
  const most = Math.max(...counts);
  const share = most / y.data.length;
  return share > 0.8
    ? `${percent(share)} of the rows are ${quoted(target.classes[counts.indexOf(most)] ?? "")} (${plural(most, "row")}): who always answers that is right as often`
    : undefined;
}
