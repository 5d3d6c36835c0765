/** A dictionary learned from translated sentences: IBM's model 1 (Brown, Della Pietra, Della Pietra, Mercer 1993, sec. 4.1). */

/** A sentence and its translation, as tokens. */
export type TokenPair = readonly [source: readonly string[], target: readonly string[]];

/** Stands for the words of a translation that come of none of the source's. */
const nothing = "";

/**
 * The likeliest translation of each word: expectation and maximization of t(f|e), `rounds` times from even probabilities. A
 * word of a target comes of any word of its source, or of none.
 */
export function learnDictionary(pairs: readonly TokenPair[], rounds = 10): ReadonlyMap<string, string> {
  let table = new Map<string, Map<string, number>>();
  for (let round = 0; round < rounds; round++) {
    const counts = new Map<string, Map<string, number>>();
    for (const [source, target] of pairs) {
      const words = [nothing, ...source];
      for (const f of target) {
        // In the first round all are equally likely.
        const shares = words.map((e) => (round === 0 ? 1 : (table.get(e)?.get(f) ?? 0)));
        const sum = shares.reduce((total, share) => total + share, 0);
        for (const [i, e] of words.entries()) {
          const row = counts.get(e) ?? new Map<string, number>();
          row.set(f, (row.get(f) ?? 0) + (shares[i] ?? 0) / sum);
          counts.set(e, row);
        }
      }
    }
    table = new Map([...counts].map(([e, row]) => [e, normalized(row)]));
  }
  table.delete(nothing);
  return new Map([...table].map(([e, row]) => [e, likeliest(row)]));
}

function normalized(row: ReadonlyMap<string, number>): Map<string, number> {
  let sum = 0;
  for (const count of row.values()) sum += count;
  return new Map([...row].map(([f, count]) => [f, count / sum]));
}

/** Of equally likely ones that which was seen first. */
const likeliest = (row: ReadonlyMap<string, number>): string =>
  [...row].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ["", -1] as [string, number])[0];
