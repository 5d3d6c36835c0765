/** The batches of an epoch with the numbers of their samples, read where they are needed. */
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";

/** A batch that is read where it is needed, with the numbers of its samples where they have some. */
export interface NumberedBatch<B extends Batch> {
  readonly samples: readonly number[] | undefined;
  read(): Promise<B>;
}

/** The batches of an epoch, from one on, or every `stride`-th of them. @param reads whether each is read in any case: then they may be read ahead */
export async function* numberedBatches<B extends Batch>(
  data: Dataset<B>,
  epoch: number,
  { skip = 0, stride = 1, reads }: { readonly skip?: number; readonly stride?: number; readonly reads: boolean },
): AsyncGenerator<NumberedBatch<B>> {
  const { source } = data;
  const numbers = typeof source.samples === "object" ? source.samples : undefined;
  const { at, length } = source.at ? source : (source.ahead ?? source);
  if (!reads && numbers && at && length !== undefined) {
    for (let i = skip; i < length; i += stride) yield { samples: numbers.of(i, epoch), read: async () => at(i, epoch) };
    return;
  }
  let i = skip;
  for await (const batch of data.epoch(epoch, { skip, stride })) {
    yield { samples: numbers?.of(i, epoch), read: async () => batch };
    i += stride;
  }
}
