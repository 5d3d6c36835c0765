/** Welch's t-test: whether two lists of numbers have different means. */

/** log Γ(x) for x > 0 by Lanczos' series of 9 terms (g = 7), to some 15 digits. */
function logGamma(x: number): number {
  const terms = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const at = x - 1;
  const sum = terms.reduce((own, term, i) => (i === 0 ? term : own + term / (at + i)), 0);
  const t = at + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (at + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** The regularized incomplete beta function I_x(a, b), by its continued fraction (Press et al. 1992, section 6.4). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const factor = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x)) / a;
  const away = (own: number) => (Math.abs(own) < 1e-300 ? 1e-300 : own);
  let [c, d] = [1, 1 / away(1 - ((a + b) * x) / (a + 1))];
  let fraction = d;
  for (let m = 1; m <= 300; m++) {
    const terms = [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ];
    for (const term of terms) {
      d = 1 / away(1 + term * d);
      c = away(1 + term / c);
      fraction *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-14) break;
  }
  return factor * fraction;
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, own) => sum + own, 0) / values.length;

/** The variance of what values are a sample of. */
const varianceOf = (values: readonly number[], mean: number): number =>
  values.reduce((sum, own) => sum + (own - mean) ** 2, 0) / (values.length - 1);

/**
 * The probability that lists of two values or more, of one mean, have means as far apart as these or farther, by Student's distribution
 * with unequal variances (Welch 1947), two-sided. Where neither list varies it is 1 for equal means and 0 for others.
 */
export function welchProbability(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  const [ofA, ofB] = [varianceOf(a, meanA) / a.length, varianceOf(b, meanB) / b.length];
  const variance = ofA + ofB;
  if (variance === 0) return meanA === meanB ? 1 : 0;
  const squared = (meanA - meanB) ** 2 / variance;
  const degrees = variance ** 2 / (ofA ** 2 / (a.length - 1) + ofB ** 2 / (b.length - 1));
  return incompleteBeta(degrees / (degrees + squared), degrees / 2, 0.5);
}
