/** Samples in parts: what is tested on, and the folds of what is trained on. */
import { append, appendTo } from "../../core/lists.ts";
import { foldIn, keyOf, Random } from "../../core/random.ts";

/** Share of the rows that the test takes, less of large tables. */
const testShare = (rows: number): number => (rows > 20_000 ? 0.1 : 0.2);

/** The first rows in a random order, all without a limit. */
export function limitedRows(
  rows: number,
  { limit = rows, seed }: { readonly limit: number | undefined; readonly seed: number },
): number[] {
  if (limit >= rows) return Array.from({ length: rows }, (_, row) => row);
  return [...new Random(foldIn(keyOf(seed), "limit")).permutation(rows).subarray(0, limit)].sort((a, b) => a - b);
}

/** Places of rows to train on, the fold of each, and places of those to test on. */
export interface RowParts {
  readonly train: readonly number[];
  readonly folds: readonly number[];
  readonly test: readonly number[];
}

/** What rows are parted by. */
export interface Parting {
  /** Rows of one group come into one part. */
  readonly groups: readonly string[];
  /** Each has its share of every part; default there are none. */
  readonly classes?: readonly string[];
  /** The latest are tested on; default those that are drawn. */
  readonly moments?: readonly number[];
  /** Places of those that are tested on, where the data say; default those that are drawn. */
  readonly tested?: readonly number[];
  readonly seed: number;
  readonly folds: number;
  /** Of the rows, what the test takes; default a fifth, of more than 20,000 rows a tenth. */
  readonly share?: number;
}

/** Parts rows: at random, each class in its share, by time, or as the data say; groups stay whole. */
export function partsOfRows(parting: Parting): RowParts {
  const { groups, classes, moments, tested, seed, folds, share = testShare(parting.groups.length) } = parting;
  const rows = groups.length;
  const drawn = [...new Random(foldIn(keyOf(seed), "parts")).permutation(rows)];
  const chosen =
    tested ??
    (moments &&
      drawn.toSorted((a, b) => (moments[b] as number) - (moments[a] as number)).slice(0, Math.round(share * rows)));
  const late = chosen && new Set(chosen);
  const byGroup = new Map<string, number[]>();
  for (const place of late ? drawn.filter((row) => !late.has(row)) : drawn)
    appendTo(byGroup, groups[place] as string, place);
  const strata = new Map<string, (readonly number[])[]>();
  for (const group of byGroup.values()) appendTo(strata, classes?.[group[0] as number] ?? "", group);
  const test: number[] = [...(late ?? [])];
  const train: number[] = [];
  const own: number[] = [];
  let dealt = 0;
  let fold = 0;
  // Groups are dealt out in turn: to the test so often, else to the next fold.
  for (const group of [...strata.values()].flat()) {
    dealt += group.length;
    if (!late && test.length + group.length / 2 < share * dealt) append(test, group);
    else {
      append(train, group);
      append(
        own,
        group.map(() => fold),
      );
      fold = (fold + 1) % folds;
    }
  }
  return { train, folds: own, test };
}
