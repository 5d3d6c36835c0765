/** What is predicted of texts: one of several classes, any of several labels, or a number. */
import * as z from "zod";
import { DataError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { quoted } from "../../core/printable.ts";
import { Tensor } from "../../core/tensor.ts";
import type { ColumnType } from "../../data/tables/column-kinds.ts";
import type { CandidateTarget } from "../../models/shared/candidate-network.ts";
import { fitTarget, type TableTaskName, targetSchema, taskOfColumn } from "../tables/target.ts";

/** What a task of texts may be; `auto` and `texts` go by the target's values. */
export const textTasks = ["auto", "texts", "classification", "regression", "labels"] as const;
/** Whether classes, labels or numbers are predicted of texts. */
export type TextTaskName = (typeof textTasks)[number];

/** The target as JSON: that of a table, or the names of labels. */
export const textTargetSchema = z.union([
  targetSchema,
  z.strictObject({ name: z.string(), kind: z.literal("labels"), labels: z.array(z.string()).min(1) }),
]);
/** What is predicted: `name`, its column; of `kind` `classes` or `labels`, these; of `kind` `number`, its mean and deviation. */
export type TextTarget = Readonly<z.infer<typeof textTargetSchema>>;

/** Signs that part labels in a cell. */
const partings = ["|", ";", ","] as const;

/** The labels of a cell: a list in JSON, or parted by a sign. Throws DataError for a list of something else than names. */
function labelsIn(cell: string, parting: string, where: string): string[] {
  if (!cell.trimStart().startsWith("[")) return [...new Set(cell.split(parting).flatMap((name) => name.trim() || []))];
  const found = parseJson(cell);
  if (Array.isArray(found) && found.every((name) => typeof name === "string" || Number.isFinite(name)))
    return [...new Set(found.map(String))];
  throw new DataError(`${where}: is ${quoted(cell)}, expected a list of names such as ["news", "sport"]; correct it`);
}

/** The sign that most cells have. */
function partingOf(cells: readonly string[]): string {
  const [first = "|", ...others] = partings;
  const times = (sign: string) => cells.filter((cell) => cell.includes(sign)).length;
  return others.reduce((best, sign) => (times(sign) > times(best) ? sign : best), first as string);
}

/** The targets of texts. */
export interface TextTargets {
  readonly target: TextTarget;
  /** int32 [N] classes, float32 [N, labels] of 0 and 1, or float32 [N, 1] numbers. */
  readonly y: Tensor;
}

/** Whether a column is predicted as labels: as asked, or since it holds lists. */
export const areLabels = ({ kind }: ColumnType, task: TextTaskName): boolean =>
  task === "labels" || (kind === "json" && (task === "auto" || task === "texts"));

/** Whether classes or numbers are predicted of a column that holds no labels, and why. Throws DataError for one that nothing can be predicted of. */
export const taskOfTarget = (column: ColumnType, task: TextTaskName) =>
  taskOfColumn(column, (task === "texts" ? "auto" : task) as TableTaskName);

/**
 * Learns what is predicted. Throws DataError for cells that are no labels.
 * @param trained places of the texts to train on
 * @param lines where each text stands, for errors
 */
export function fitTextTarget(
  column: ColumnType,
  kind: "labels" | "classes" | "number",
  cells: readonly string[],
  { trained, lines }: { readonly trained: readonly number[]; readonly lines: readonly string[] },
): TextTargets {
  if (kind !== "labels") return fitTarget(column, kind === "classes", cells, trained);
  const parting = partingOf(cells);
  const own = cells.map((cell, i) => labelsIn(cell, parting, `${lines[i]}: ${quoted(column.name)}`));
  const labels = [...new Set(trained.flatMap((place) => own[place] ?? []))].sort();
  if (labels.length === 0)
    throw new DataError(`target ${quoted(column.name)}: no text has a label; name another column by --target`);
  const y = new Float32Array(cells.length * labels.length);
  for (const [i, names] of own.entries())
    for (const name of names) {
      const place = labels.indexOf(name);
      if (place >= 0) y[i * labels.length + place] = 1;
    }
  return {
    target: { name: column.name, kind: "labels", labels },
    y: new Tensor("float32", [cells.length, labels.length], y),
  };
}

/** The target as networks take it. */
export function candidateTarget(target: TextTarget): CandidateTarget {
  return target.kind === "number" ? { mean: target.mean, deviation: target.deviation } : target.kind;
}

/** Scores that a text gets. */
export function outputsOf(target: TextTarget): number {
  if (target.kind === "number") return 1;
  return target.kind === "classes" ? target.classes.length : target.labels.length;
}
