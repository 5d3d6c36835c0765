/** Tasks of fine-tuning: a pretrained model with what it is to learn, as everything that trains and deploys takes it. */
import { DataError } from "../../core/errors.ts";
import { append, appendTo } from "../../core/lists.ts";
import { foldIn, keyOf, Random } from "../../core/random.ts";
import type { Batch, Dataset } from "../../data/index.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import type { AnyModule, Loss, TypeTree } from "../../nn/index.ts";
import type { Metric, Objective } from "../../train/index.ts";

/** The tasks by name. */
export const taskNames = [
  "text-classification",
  "text-regression",
  "token-classification",
  "question-answering",
  "embedding",
  "image-classification",
  "audio-classification",
  "chat",
] as const;

/** What a model is to learn. */
export type TaskName = (typeof taskNames)[number];

/** Whether a task puts a new head on its model, and does not only train what the model has. */
export const hasNewHead = (task: TaskName): boolean => task !== "chat" && task !== "embedding";

/** A model and its data, ready to be trained. */
export interface FinetuneTask {
  /** The model with whatever is new on it. */
  readonly model: AnyModule;
  /** Types of its inputs for a batch of 1. */
  readonly inputs: TypeTree;
  /** Paths of what is new, and has no pretrained weights. */
  readonly fresh: readonly string[];
  /** To train on, shuffled, in batches. */
  readonly train: Dataset<Batch>;
  /** To choose settings by. */
  readonly validation: Dataset<Batch>;
  /** To be measured once, at the end. */
  readonly test: Dataset<Batch>;
  /** What is minimized: a loss of the model's outputs, or … */
  readonly loss?: Loss;
  /** … an objective, of tasks that compare the outputs for several rows. */
  readonly objective?: Objective<never>;
  /** What is measured beside it. */
  readonly metrics: readonly Metric[];
  /** Further results of the test, of what no metric can add up from batches. */
  measure?(compile: CompileOptions): Promise<Readonly<Record<string, number>>>;
  /** Rows of the model's inputs that a sample is, such as 2 texts of a pair; default 1. */
  readonly rows?: number;
  /** Names of the classes. */
  readonly classes?: readonly string[];
  /** How many samples there are. */
  readonly samples: { readonly train: number; readonly test: number };
  /** What was left out of the data or cut. */
  readonly notes: readonly string[];
  /** A few samples as they are learned, in lines. */
  readonly preview: readonly string[];
}

/** How samples are parted and put in batches. */
export interface BatchSettings {
  /** Samples of a step. */
  readonly batchSize: number;
  /** Start of all randomness: how samples are parted, their order, the first values of a head. */
  readonly seed: number;
  /** Use so many samples at most to train on, and to test on; default all. */
  readonly limit?: number | undefined;
}

/** Places of samples to train on, to choose settings by, and to test on. */
export interface Parts {
  readonly train: readonly number[];
  readonly validation: readonly number[];
  readonly test: readonly number[];
}

/**
 * Parts samples at random: 80 % to train on, 10 % for validation, 10 % for the test. Samples of one group, such as questions about one text,
 * come into one part, so that the test is of others, unless most samples are of a few groups. Throws DataError for fewer than 10 samples.
 */
export function partsOf(
  count: number,
  { seed, limit }: BatchSettings,
  groupOf: (place: number) => unknown = (place) => place,
): Parts {
  if (count < 10)
    throw new DataError(`there are ${count} samples, too few to train on, validate and test; pass at least 10`);
  const groups = new Map<unknown, number[]>();
  for (const place of new Random(foldIn(keyOf(seed), "parts")).permutation(count)) {
    const group = groupOf(place);
    appendTo(groups, group, place);
  }
  const share = Math.max(1, Math.floor(count / 10));
  // A group of more than a part is to be trained on.
  const [small, large] = [true, false].map((isSmall) =>
    [...groups.values()].filter((group) => group.length <= share === isSmall),
  ) as [number[][], number[][]];
  const isEnough = small.length > 2 && small.flat().length >= 3 * share;
  let rest = isEnough ? small : [...groups.values()].flat().map((place) => [place]);
  const take = () => {
    const taken: number[] = [];
    rest = rest.filter((group) => {
      const fits = taken.length + group.length <= share;
      if (fits) append(taken, group);
      return !fits;
    });
    return taken.slice(0, limit);
  };
  const [test, validation] = [take(), take()];
  return { test, validation, train: [...rest, ...(isEnough ? large : [])].flat().slice(0, limit) };
}

/** The datasets of a task in batches, the first shuffled; with `dropLast` it gives whole batches alone. */
export function partBatches(
  rowsOf: (places: readonly number[]) => Dataset<never>,
  parts: Parts,
  { batchSize, seed, dropLast = false }: BatchSettings & { readonly dropLast?: boolean },
): Pick<FinetuneTask, "train" | "validation" | "test"> {
  const batched = (rows: Dataset<never>, options = {}) =>
    (rows as Dataset<Record<string, never>>).batch(
      Math.min(batchSize, rows.length ?? 1),
      options,
    ) as unknown as Dataset<Batch>;
  return {
    train: batched(rowsOf(parts.train).shuffle(keyOf(seed)), { dropLast }),
    validation: batched(rowsOf(parts.validation)),
    test: batched(rowsOf(parts.test)),
  };
}
