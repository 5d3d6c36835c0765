/** What reads no features: the class that most rows have, the mean of their numbers. */
import { greatest } from "../../core/lists.ts";
import { scoreOf, type TableBaseline, type TableRows } from "./baseline.ts";

/** How many rows each class has. */
export function classCounts({ targets, classes }: TableRows): Float64Array {
  const counts = new Float64Array(classes);
  for (const label of targets) counts[label] = (counts[label] as number) + 1;
  return counts;
}

/** The mean of the targets. */
export const meanOf = ({ targets, count }: TableRows): number => targets.reduce((sum, value) => sum + value, 0) / count;

const constant = (name: string, what: string, of: (train: TableRows) => number): TableBaseline => ({
  name,
  fit(train, validation) {
    const refit = (rows: TableRows) => {
      const value = of(rows);
      return ({ count }: { readonly count: number }) => new Float64Array(count).fill(value);
    };
    const shown = Number(of(train).toPrecision(4));
    return { settings: `${what} ${shown}`, validation: scoreOf(refit(train)(validation), validation), refit };
  },
});

/** The class that most rows of the training part have. */
export const majority = constant("majority", "class", (train) => {
  const counts = classCounts(train);
  return counts.indexOf(greatest(counts));
});

/** The mean of the training part's numbers. */
export const mean = constant("mean", "mean", meanOf);
