/** How near translations come to those of people: BLEU and chrF over a whole test set, as sacreBLEU (Post 2018) computes them. */
import { DataError } from "../../core/errors.ts";

/** How often each sequence of `length` items occurs. */
function ngrams(items: readonly string[], length: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let at = 0; at + length <= items.length; at++) {
    const gram = items.slice(at, at + length).join("\u0001");
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

const total = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((sum, n) => sum + n, 0);

/** Occurrences in both, each at most as often as in the other. */
const common = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number =>
  [...a].reduce((sum, [gram, count]) => sum + Math.min(count, b.get(gram) ?? 0), 0);

/** Of sequences of one length: how many match, how many there are in the translations and in the references. */
interface Matches {
  matched: number;
  made: number;
  wanted: number;
}

function matchesOf(
  made: readonly (readonly string[])[],
  wanted: readonly (readonly string[])[],
  longest: number,
): Matches[] {
  if (made.length !== wanted.length || made.length === 0)
    throw new DataError(`there are ${made.length} translations and ${wanted.length} references; pass one for each`);
  const sums = Array.from({ length: longest }, (): Matches => ({ matched: 0, made: 0, wanted: 0 }));
  for (const [i, own] of made.entries())
    for (const [n, sum] of sums.entries()) {
      const [a, b] = [ngrams(own, n + 1), ngrams(wanted[i] ?? [], n + 1)];
      sum.matched += common(a, b);
      sum.made += total(a);
      sum.wanted += total(b);
    }
  return sums;
}

/**
 * BLEU in percent (Papineni et al. 2002, sec. 2.3): the geometric mean of the shares of 1 to 4 tokens in a row that the reference
 * has too, times e^(1 - r/c) where the translations, c tokens, are shorter than the references, r. A share of 0 counts as
 * half, a quarter, … of one match (method 3 of Chen and Cherry 2014, sacreBLEU's default). One reference each. Throws DataError
 * unless both lists are equally long.
 */
export function bleu(translations: readonly (readonly string[])[], references: readonly (readonly string[])[]): number {
  const sums = matchesOf(translations, references, 4);
  const [first] = sums;
  if (!first || first.matched === 0 || sums.some(({ made }) => made === 0)) return 0;
  let halving = 1;
  const logs = sums.map(({ matched, made }) => {
    if (matched > 0) return Math.log(matched / made);
    halving *= 2;
    return Math.log(1 / (halving * made));
  });
  const brevity = Math.min(0, 1 - first.wanted / first.made);
  return 100 * Math.exp(brevity + logs.reduce((sum, log) => sum + log, 0) / logs.length);
}

/**
 * chrF2 in percent (Popović 2015): precision and recall of 1 to 6 characters in a row, without spaces, each averaged over the
 * lengths, and their F score with recall weighing twice. Throws DataError unless both lists are equally long.
 */
export function chrf(translations: readonly string[], references: readonly string[]): number {
  const characters = (texts: readonly string[]) => texts.map((text) => [...text.replace(/\s+/gu, "")]);
  const sums = matchesOf(characters(translations), characters(references), 6).filter(
    ({ made, wanted }) => made > 0 && wanted > 0,
  );
  const mean = (share: (sum: Matches) => number) => sums.reduce((all, sum) => all + share(sum), 0) / sums.length;
  const precision = mean(({ matched, made }) => matched / made);
  const recall = mean(({ matched, wanted }) => matched / wanted);
  return precision + recall > 0 ? (100 * 5 * precision * recall) / (4 * precision + recall) : 0;
}
