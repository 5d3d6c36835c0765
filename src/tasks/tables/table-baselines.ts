/** Simple baselines on the rows that a table's networks are trained and tested on. */
import type { Tensor } from "../../core/tensor.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import type { RowEncoding } from "../../data/tables/rows/row-encoding.ts";
import type { BaselineResult, TablePart } from "../../train/baselines/baseline.ts";
import { type CompareBaselinesOptions, compareTableBaselines } from "../../train/baselines/compare.ts";
import { denseFeatures } from "./dense-features.ts";
import type { TableTarget } from "./target.ts";

/** Rows and their targets. */
export interface TableSamples {
  /** [rows, numbers], as the encoding says. */
  readonly x: Tensor<"float32">;
  /** int32 [rows] classes, or float32 [rows, 1] numbers. */
  readonly y: Tensor;
}

/** An encoded table in parts. */
export interface EncodedTable {
  readonly encoding: RowEncoding;
  readonly target: TableTarget;
  /** What is trained on, and … */
  readonly train: TableSamples;
  /** … the fold of each of its rows, 0, 1, … */
  readonly folds: readonly number[];
  readonly test: TableSamples;
}

/** What simple baselines reach; their settings are chosen on the rows of the first fold. */
export function baselinesOfTable(
  { encoding, target, train, folds, test }: EncodedTable,
  options: CompareBaselinesOptions,
): Promise<readonly BaselineResult[]> {
  const partOf = ({ x, y }: TableSamples): TablePart => ({
    x: denseFeatures(encoding, x),
    labels:
      target.kind === "classes"
        ? { kind: "classes", y: y as Tensor<"int32">, classes: target.classes.length }
        : { kind: "numbers", y: y.reshape([y.shape[0] ?? 0]) as Tensor<"float32"> },
  });
  const rowsOf = (isFirst: boolean): TablePart => {
    const rows = folds.flatMap((fold, row) => ((fold === 0) === isFirst ? [row] : []));
    return partOf({ x: gatherRows(train.x, rows), y: gatherRows(train.y, rows) });
  };
  return compareTableBaselines({ train: rowsOf(false), validation: rowsOf(true), test: partOf(test) }, options);
}
