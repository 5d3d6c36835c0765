/** Windows of time series as batches, made as they are asked for: windows overlap, and would take their length in memory. */
import type { Key } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { type Batch, type Dataset, fromTensors } from "../../data/pipeline/dataset.ts";
import { inputsOf, targetsOf } from "./series-grid.ts";
import type { SeriesParts } from "./series-parts.ts";
import type { PartedSeries } from "./simple-forecast.ts";

/** Parts that windows are in, as numbers of a batch. */
export const windowParts: Readonly<Record<keyof SeriesParts, number>> = {
  train: 0,
  between: 1,
  validation: 2,
  test: 3,
};

/** How batches are made. */
export interface WindowBatches {
  readonly parts: readonly (keyof SeriesParts)[];
  readonly batchSize: number;
  /** Shuffles the windows, and leaves out a last batch that is smaller; default they stay in order. */
  readonly key?: Key;
}

/** Batches of the windows of some parts: inputs of a `Forecaster`, `y` [N, targets, horizon] with NaN where it is not known, `part` int32 [N]. */
export function windowBatches(
  { encoding, parts: all }: Pick<PartedSeries, "encoding" | "parts">,
  { parts, batchSize, key }: WindowBatches,
): Dataset<Batch> {
  const windows = parts.flatMap((name) => all[name].map((window) => ({ window, part: windowParts[name] })));
  const indices = fromTensors({ index: new Tensor("int32", [windows.length], Int32Array.from(windows.keys())) });
  const size = Math.min(batchSize, windows.length);
  const batches = key ? indices.shuffle(key).batch(size, { dropLast: true }) : indices.batch(size);
  return batches.map(({ index }): Batch => {
    const own = Array.from(index.data, (at) => windows[Number(at)] as (typeof windows)[number]);
    const picked = own.map(({ window }) => window);
    return {
      ...inputsOf(picked, encoding),
      y: targetsOf(picked, encoding.horizon),
      part: new Tensor(
        "int32",
        [own.length],
        Int32Array.from(own, ({ part }) => part),
      ),
    };
  });
}
