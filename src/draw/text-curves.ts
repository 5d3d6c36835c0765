/** Learning curves in characters, for terminals. */
import { scaleLinear } from "d3-scale";
import { greatest, least } from "../core/lists.ts";
import { validationPrefix, wholeTicks } from "./curves.ts";

/** How large a chart is, in characters. */
export interface TextCurvesOptions {
  /** Columns of the whole chart, its axis included; default 80. */
  readonly columns?: number;
  /** Rows of the curves, without the title and the axis below; default 8. */
  readonly rows?: number;
}

/** What stands for a point of the training, of the validation, and of both. */
const [ofTraining, ofValidation, ofBoth] = ["•", "+", "*"] as const;

/**
 * A chart of one result by epoch, as lines of text: its name, the curves of training and of validation data over an axis of epochs. Epochs
 * without a number are left out; none where there is no number at all.
 */
export function textCurves(
  history: readonly Readonly<Record<string, number>>[],
  name: string,
  { columns = 80, rows = 8 }: TextCurvesOptions = {},
): readonly string[] {
  const points = [name, `${validationPrefix}${name}`].map((key) =>
    history.flatMap((results, i) => {
      const value = results[key] ?? Number.NaN;
      return Number.isFinite(value) ? [[i + 1, value] as const] : [];
    }),
  );
  const values = points.flat().map(([, value]) => value);
  if (values.length === 0) return [];
  const [low, high] = [least(values), greatest(values)];
  const span = high > low ? [low, high] : [low - 1, high + 1];
  const show = (value: number) => String(Number(value.toPrecision(4)));
  const axis = Math.max(...span.map((value) => show(value).length));
  const width = Math.max(8, columns - axis - 2);
  const across = scaleLinear([1, Math.max(2, history.length)], [0, width - 1]);
  const down = scaleLinear(span as [number, number], [rows - 1, 0]);
  const grid = Array.from({ length: rows }, () => new Array<string>(width).fill(" "));
  for (const [i, own] of points.entries())
    for (const [epoch, value] of own) {
      const [row, column] = [Math.round(down(value)), Math.round(across(epoch))];
      const cells = grid[row] as string[];
      const mark = i === 0 ? ofTraining : ofValidation;
      cells[column] = cells[column] === " " || cells[column] === mark ? mark : ofBoth;
    }
  const labelOf = (row: number) =>
    row === 0 ? show(span[1] as number) : row === rows - 1 ? show(span[0] as number) : "";
  const ticks = new Array<string>(width).fill(" ");
  for (const epoch of wholeTicks(history.length)) {
    const text = String(epoch);
    const start = Math.min(width - text.length, Math.round(across(epoch)));
    for (const [i, digit] of [...text].entries()) ticks[start + i] = digit;
  }
  const both = points.every(({ length }) => length > 0);
  const legend = both ? `   ${ofTraining} training  ${ofValidation} validation  ${ofBoth} both` : "";
  return [
    `${name}${legend}`,
    ...grid.map((cells, row) => `${labelOf(row).padStart(axis)} │${cells.join("").trimEnd()}`),
    `${" ".repeat(axis)} └${"─".repeat(width)}`,
    `${" ".repeat(axis + 2)}${ticks.join("").trimEnd()}`,
  ];
}
