/** A part of the training data held back, by which a search chooses settings of a recipe that trains on all of it. */
import { type Batch, type Dataset, foldIn, keyOf } from "../../src/index.ts";

/** How samples become batches that are trained on, and batches that are measured. */
interface Batching<T, B extends Batch> {
  readonly train: Dataset<T>;
  readonly seed: number;
  readonly trained: (own: Dataset<T>) => Dataset<B>;
  readonly measured: (own: Dataset<T>) => Dataset<B>;
}

/** Nine tenths to train on, a tenth to validate by. */
export function heldBack<T, B extends Batch>({ train, seed, trained, measured }: Batching<T, B>) {
  const [known, held] = train.split(0.9, foldIn(keyOf(seed), "trial"));
  return { train: trained(known), validation: measured(held) };
}
