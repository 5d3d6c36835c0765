/** Inspects files beside the page: large ones take seconds. */
import { type Inspection, inspect } from "../../src/analyze/index.ts";
import { atPlace } from "../../src/core/errors.ts";
import { adam } from "../../src/train/optimizers/adam.ts";
import { fileBytes } from "../../src/web/files.ts";
import { trainingWorker } from "../../src/web/training-worker.ts";
import { openNetwork } from "./open.ts";

/** What the page asks for. */
export interface Wanted {
  readonly file: File;
  /** Shapes of the inputs; default those of the file. */
  readonly inputShape: string | undefined;
}

trainingWorker(async ({ file, inputShape }: Wanted): Promise<Inspection> => {
  const bytes = await fileBytes(file);
  try {
    return inspect(openNetwork(file.name, bytes, inputShape), { optimizer: adam(), precision: "float32" }).inspection;
  } catch (error) {
    throw error instanceof Error && error.message.includes(file.name) ? error : atPlace(file.name, error);
  }
});
