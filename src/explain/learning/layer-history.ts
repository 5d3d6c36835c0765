/** Statistics of layers over a run as plain data, as checkpoints and reports keep them. */
import * as z from "zod";
import type { BatchStatistics } from "./layer-statistics.ts";

/** JSON has no number for what is not finite. */
const measured = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

/** One measurement. */
export const layerMomentSchema = z.strictObject({
  /** Epochs completed. */
  epoch: z.number().int().nonnegative(),
  /** Batches trained on. */
  batch: z.number().int().nonnegative(),
  /** Mean loss of the batch that is measured on. */
  loss: measured,
  layers: z
    .array(
      z.strictObject({
        path: z.string(),
        type: z.string(),
        shape: z.array(z.number()).readonly(),
        mean: measured,
        deviation: measured,
        zeros: measured,
        dead: measured,
        weights: z
          .strictObject({
            parameters: z.number(),
            norm: measured,
            gradient: measured.optional(),
            ratio: measured.optional(),
          })
          .optional(),
      }),
    )
    .readonly(),
});

/** Statistics of a model's layers at one moment of a run. */
export type LayerMoment = BatchStatistics & {
  /** Epochs completed. */
  readonly epoch: number;
  /** Batches trained on. */
  readonly batch: number;
};

/** The measurements of a run, from its beginning. */
export const layerHistorySchema: z.ZodType<readonly LayerMoment[]> = z.array(layerMomentSchema);
