/** Spearman's rank correlation: whether two lists are in the same order. */

/** Ranks from 0, those of equal values their mean. */
function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Uint32Array.from({ length: values.length }, (_, i) => i).sort(
    (a, b) => (values[a] as number) - (values[b] as number),
  );
  const ranks = new Float64Array(values.length);
  for (let from = 0, to = 0; from < order.length; from = to) {
    const value = values[order[from] as number];
    while (to < order.length && values[order[to] as number] === value) to++;
    for (let i = from; i < to; i++) ranks[order[i] as number] = (from + to - 1) / 2;
  }
  return ranks;
}

/**
 * Pearson's correlation of the ranks of two lists of one length, equal values having their mean rank (Spearman 1904); 0 where all values of a
 * list are equal, which orders nothing.
 */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [ranksA, ranksB] = [ranksOf(a), ranksOf(b)];
  const middle = (ranksA.length - 1) / 2;
  let [products, squaresA, squaresB] = [0, 0, 0];
  for (const [i, rank] of ranksA.entries()) {
    const [ofA, ofB] = [rank - middle, (ranksB[i] as number) - middle];
    products += ofA * ofB;
    squaresA += ofA * ofA;
    squaresB += ofB * ofB;
  }
  return squaresA === 0 || squaresB === 0 ? 0 : products / Math.sqrt(squaresA * squaresB);
}
