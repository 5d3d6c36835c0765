/** What a table of time series was taken for, as a run keeps it, and the network that reads it. */
import * as z from "zod";
import { rowEncodingSchema } from "../../data/tables/rows/row-encoding.ts";
import { Forecaster } from "../../models/sequence/forecaster.ts";
import { columnsOf } from "../tables/table-model.ts";
import { timeStepSchema } from "./time-steps.ts";

/** How series are read of rows, and what training data showed of them, as JSON. */
export const seriesEncodingSchema = z.strictObject({
  /** The column of time: dates of a format, or numbers. */
  time: z.strictObject({
    name: z.string(),
    dateFormat: z.string().optional(),
    decimalComma: z.boolean(),
    step: timeStepSchema,
  }),
  /** The column that tells series apart, and its values. */
  series: z.strictObject({ name: z.string(), values: z.array(z.string()).min(1) }).optional(),
  targets: z.array(z.strictObject({ name: z.string(), decimalComma: z.boolean() })).min(1),
  /** Columns that are read of the window beside the targets. */
  covariates: z.optional(rowEncodingSchema),
  /** Columns that are known of the steps to forecast too. */
  known: z.optional(rowEncodingSchema),
  window: z.number().int().positive(),
  horizon: z.number().int().positive(),
  cycles: z.array(z.enum(["day", "week", "year"])),
  /** Of each series, of each target. */
  scales: z.array(z.array(z.strictObject({ mean: z.number(), deviation: z.number().gt(0), change: z.number().gt(0) }))),
});
/** How series are read of rows: `time`, `series`, `targets`, `covariates` and `known` columns; `window` and `horizon` in steps; `cycles` of the calendar; `scales` of each series and target in training. */
export type SeriesEncoding = Readonly<z.infer<typeof seriesEncodingSchema>>;

/** The part of an encoding that rows are read by. */
export type SeriesColumns = Pick<SeriesEncoding, "time" | "series" | "targets" | "covariates" | "known">;

/** The network of a table of series, and the types of its inputs for one window. */
export function seriesNetwork(encoding: SeriesEncoding, width: number) {
  const { window, horizon, scales, cycles, targets } = encoding;
  const covariates = encoding.covariates?.fields.flatMap(columnsOf) ?? [];
  const known = encoding.known?.fields.flatMap(columnsOf) ?? [];
  const model = new Forecaster({ window, horizon, scales, cycles, covariates, known, width });
  const type = (...shape: readonly number[]) => ({ dtype: "float32", shape }) as const;
  const inputs = {
    past: type(1, window, targets.length + covariates.length + known.length),
    ...(cycles.length > 0 && { time: type(1, 2) }),
    ...(known.length > 0 && { future: type(1, horizon, known.length) }),
    ...(scales.length > 1 && { series: { dtype: "int32", shape: [1] } as const }),
  };
  return { model, inputs };
}
