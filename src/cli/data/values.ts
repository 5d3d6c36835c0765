/** Figures of a profile as people read them, on a terminal and in a page. */
import { count, percent, plural } from "../../core/number-text.ts";
import type { BoxesProfile, ColumnProfile, NumberFigures, TargetProfile } from "../../data/profile/profile.ts";

/** A number in four digits: `43.92`, `1,234,567`. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  if (size >= 1e15 || (size < 1e-4 && size > 0)) return value.toExponential(2);
  if (size >= 1000) return count(value);
  return String(Number(value.toPrecision(4)));
}

/** A moment as its day, or to the minute where it is no midnight. */
export function momentText(milliseconds: number): string {
  const date = new Date(Math.round(milliseconds));
  if (Number.isNaN(date.getTime())) return "-";
  const text = date.toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : text.slice(0, 16).replace("T", " ");
}

/** A value of a column of numbers or of dates. */
export const valueText = ({ kind }: Pick<ColumnProfile, "kind">, value: number): string =>
  kind === "date" ? momentText(value) : shortNumber(value);

/** A missing share: `-` for none. */
export const missingText = ({ missing, rows }: Pick<ColumnProfile, "missing" | "rows">): string =>
  missing === 0 ? "-" : percent(missing / rows);

/** The figures of numbers, one line each. */
export function figureRows(column: Pick<ColumnProfile, "kind">, numbers: NumberFigures): (readonly [string, string])[] {
  const text = (value: number) => valueText(column, value);
  const [low, median, high] = numbers.quartiles;
  const rows: (readonly [string, string])[] = [
    ["range", `${text(numbers.least)} to ${text(numbers.most)}`],
    ["mean", column.kind === "date" ? text(numbers.mean) : `${text(numbers.mean)} ± ${text(numbers.deviation)}`],
    ["quartiles", `${text(low)}, ${text(median)}, ${text(high)}`],
  ];
  if (numbers.outliers && numbers.outliers.count > 0)
    rows.push([
      "outliers",
      `${count(numbers.outliers.count)} beyond ${text(numbers.outliers.low)} to ${text(numbers.outliers.high)}`,
    ]);
  return rows;
}

/** Boxes in numbers: `120 boxes of 2 classes, 3 of them crowds`. */
export const boxesText = ({ count: own, crowds, classes }: BoxesProfile): string =>
  `${plural(own, "box", "boxes")} of ${plural(classes.length, "class", "classes")}${crowds > 0 ? `, ${count(crowds)} of them crowds` : ""}`;

/** A predictor's score in the words of its task. */
export const scoreText = ({ task }: TargetProfile, score: number): string =>
  task === "classes" ? percent(score) : `R² ${score.toFixed(3)}`;
