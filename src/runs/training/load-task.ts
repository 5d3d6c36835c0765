/** Loads what is trained, in batches that its samples fill. */
import { BatchSizeError, DataError, reword } from "../../core/errors.ts";

/** What loading goes by. */
interface Sizes {
  readonly batchSize: number;
  readonly limit?: number | undefined;
}

/** What was loaded, and the batch size that it has. */
export interface LoadedTask<T> {
  readonly task: T;
  readonly batchSize: number;
  /** What whoever chose the sizes should know. */
  readonly note?: string;
}

/**
 * Loads with the batch size of the settings; where a limit leaves fewer samples than that, with batches of all of them. Throws DataError
 * that names the options: where the data itself has fewer samples, and where a limit leaves too little of it.
 */
export async function loadTask<T>(sizes: Sizes, load: (batchSize: number) => Promise<T>): Promise<LoadedTask<T>> {
  const { batchSize: wanted, limit } = sizes;
  for (let batchSize = wanted; ; )
    try {
      const task = await load(batchSize);
      if (batchSize === wanted) return { task, batchSize };
      const note = `--limit ${limit} leaves ${batchSize} samples, fewer than --batch-size ${wanted}: batches have ${batchSize}`;
      return { task, batchSize, note };
    } catch (error) {
      const isTooLarge = error instanceof BatchSizeError && error.batchSize === batchSize && error.samples > 0;
      if (limit !== undefined && isTooLarge) {
        batchSize = error.samples;
        continue;
      }
      if (isTooLarge)
        throw new DataError(
          `--batch-size is ${wanted}, and the data has ${error.samples} samples; pass --batch-size ${error.samples} or less`,
          { cause: error },
        );
      if (limit !== undefined && error instanceof DataError)
        reword(error, `--limit ${limit} may leave too little of the data, pass more: ${error.message}`);
      throw error;
    }
}
