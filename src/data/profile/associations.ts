/** How strongly two columns go together. */
import type { EncodedColumn } from "./encoded-column.ts";
import type { Associations } from "./profile.ts";

/** Columns that are compared with each other at most, and rows that this takes. */
const [mostColumns, mostRows] = [30, 5000];
/** Rows that a pair needs. */
const fewestRows = 5;
/** A category of more values says nothing that could be seen in a sample. */
const mostLevels = 50;

/** Pearson's correlation of rows that have both. */
export function pearson(x: Float64Array, y: Float64Array): number | null {
  let [n, meanX, meanY, xx, yy, xy] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] as number, y[i] as number];
    if (Number.isNaN(a) || Number.isNaN(b)) continue;
    n++;
    const [dx, dy] = [a - meanX, b - meanY];
    meanX += dx / n;
    meanY += dy / n;
    xx += dx * (a - meanX);
    yy += dy * (b - meanY);
    xy += dx * (b - meanY);
  }
  if (n < fewestRows || !(xx > 0) || !(yy > 0)) return null;
  return Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
}

/** The correlation ratio eta: the root of the share of a number's variance that lies between the groups of a category. */
export function correlationRatio(codes: Int32Array, levels: number, y: Float64Array): number | null {
  const [sums, counts] = [new Float64Array(levels), new Float64Array(levels)];
  let [n, total, squares] = [0, 0, 0];
  const first = y.find((value) => !Number.isNaN(value)) ?? 0;
  for (let i = 0; i < codes.length; i++) {
    const [code, value] = [codes[i] as number, (y[i] as number) - first];
    if (code < 0 || Number.isNaN(value)) continue;
    sums[code] = (sums[code] as number) + value;
    counts[code] = (counts[code] as number) + 1;
    n++;
    total += value;
    squares += value * value;
  }
  const all = squares - (total * total) / n;
  if (n < fewestRows || !(all > 1e-12 * squares)) return null;
  let between = -(total * total) / n;
  for (let code = 0; code < levels; code++)
    if ((counts[code] as number) > 0) between += (sums[code] as number) ** 2 / (counts[code] as number);
  return Math.sqrt(Math.max(0, Math.min(1, between / all)));
}

/** Cramér's V of two categories, its bias taken out (Bergsma 2013). */
export function cramersV(a: Int32Array, levelsA: number, b: Int32Array, levelsB: number): number | null {
  const table = new Float64Array(levelsA * levelsB);
  const [rows, columns] = [new Float64Array(levelsA), new Float64Array(levelsB)];
  let n = 0;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    if (x < 0 || y < 0) continue;
    table[x * levelsB + y] = (table[x * levelsB + y] as number) + 1;
    rows[x] = (rows[x] as number) + 1;
    columns[y] = (columns[y] as number) + 1;
    n++;
  }
  const [r, c] = [rows.filter((value) => value > 0).length, columns.filter((value) => value > 0).length];
  if (n < fewestRows || r < 2 || c < 2) return null;
  let sum = 0;
  for (let x = 0; x < levelsA; x++)
    for (let y = 0; y < levelsB; y++) {
      const expected = (rows[x] as number) * (columns[y] as number);
      if (expected > 0) sum += (table[x * levelsB + y] as number) ** 2 / expected;
    }
  const phi = Math.max(0, sum - 1 - ((r - 1) * (c - 1)) / (n - 1));
  const least = Math.min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1;
  return least > 0 ? Math.min(1, Math.sqrt(phi / least)) : null;
}

function associationOf(a: EncodedColumn, b: EncodedColumn): number | null {
  if (a.numbers && b.numbers) return pearson(a.numbers, b.numbers);
  if (a.codes && b.codes) return cramersV(a.codes, a.levels, b.codes, b.levels);
  const [category, number] = a.codes ? [a, b] : [b, a];
  return category.codes && number.numbers ? correlationRatio(category.codes, category.levels, number.numbers) : null;
}

/** Every pair of the first thirty columns of numbers and of few categories. */
export function associationsOf(columns: readonly EncodedColumn[]): Associations {
  const shown = columns
    .filter(({ numbers, levels }) => numbers !== undefined || (levels > 1 && levels <= mostLevels))
    .slice(0, mostColumns)
    .map((column) => {
      const step = Math.ceil((column.numbers ?? column.codes ?? []).length / mostRows);
      return {
        ...column,
        ...(column.numbers && { numbers: column.numbers.filter((_, i) => i % step === 0) }),
        ...(column.codes && { codes: column.codes.filter((_, i) => i % step === 0) }),
      };
    });
  const values = shown.map(() => new Array<number | null>(shown.length).fill(null));
  for (const [i, a] of shown.entries())
    for (const [j, b] of shown.entries()) {
      if (j < i) continue;
      const value = i === j ? 1 : associationOf(a, b);
      (values[i] as (number | null)[])[j] = value;
      (values[j] as (number | null)[])[i] = value;
    }
  return { names: shown.map(({ name }) => name), values };
}
