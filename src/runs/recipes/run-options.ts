/** Options of starting a run, beside its settings, each declared once. */

import * as z from "zod";
import { matching } from "../../core/option-types.ts";

export const runOptionsSchema = z.strictObject({
  out: z.string().min(1).optional().describe("folder of the run; default runs/RECIPE"),
  resume: z.boolean().optional().describe("resume the run in --out, or the newest run of the recipe"),
  from: z
    .string()
    .min(1)
    .optional()
    .describe("folder of a run with whose parameters this new one begins; the networks must be alike"),
  encryptTo: z
    .string()
    .min(1)
    .optional()
    .describe("encrypt all that is written: age1…, a file of such lines, or passphrase (asked for)"),
  checkpointSeconds: z.number().min(0).optional().describe("seconds between checkpoints; default 30"),
  profile: z
    .boolean()
    .optional()
    .describe("show where the time goes, by operator and by layer (50 batches unless --epochs)"),
});

/** What ends a run. */
export const signalType = matching<AbortSignal>("an AbortSignal", (value) => value instanceof AbortSignal);

/** Options of starting a run. */
export type RunOptions = Readonly<z.infer<typeof runOptionsSchema>>;
