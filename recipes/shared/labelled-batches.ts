/** Labelled texts in batches of like length. */
import { bucketed, type Dataset, type Key, type Labelled, padRows, tensor } from "../../src/index.ts";

/** Token ids of a text, and its class. */
export interface LabelledIds {
  readonly ids: readonly number[];
  readonly label: number;
}

/** Rows of so many of the texts, padded with 0 to one of the widths; in another order each epoch with a key. */
export const labelledBatches = (
  texts: readonly LabelledIds[],
  { size, widths, key }: { readonly size: number; readonly widths: readonly number[]; readonly key?: Key | undefined },
): Dataset<Labelled> =>
  bucketed(texts, {
    size,
    widths,
    lengthOf: ({ ids }) => ids.length,
    collate: (rows, width) => ({
      x: padRows(
        rows.map(({ ids }) => ids),
        width,
      ),
      y: tensor(
        rows.map(({ label }) => label),
        { dtype: "int32" },
      ),
    }),
    ...(key && { key }),
  });
