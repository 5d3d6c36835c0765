/** What is measured of a model on validation data as a whole, where sums over batches do not say it. */
import type { CompileOptions } from "../../jit/compile.ts";

/** A result after every epoch, beside the loss and the metrics: results have it as `validation_NAME`. */
export interface Measure {
  /** Name in results and logs. */
  readonly name: string;
  /** Whether higher ("up") or lower ("down") is better. */
  readonly direction: "up" | "down";
  /** The result of the model as it is now, on data that the measure knows. */
  measure(compile: CompileOptions): Promise<number>;
}
