/** The tails of the normal distribution, to a relative accuracy that differences of small probabilities can bear. */

// Rational approximations of erf and erfc: W. J. Cody 1969, "Rational Chebyshev approximation for the error function",
// Mathematics of Computation 23; coefficients as in his routine CALERF of SPECFUN.
const erfNear = {
  above: [3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694],
  below: [23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171],
  leading: 0.18577770618460315,
};
const erfcMiddle = {
  above: [
    0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769, 1712.0476126340707,
    2051.0783778260716, 1230.3393547979972,
  ],
  below: [
    15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597, 4362.619090143247,
    3439.3676741437216, 1230.3393548037495,
  ],
  leading: 2.1531153547440383e-8,
};
const erfcFar = {
  above: [0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275, 0.0006587491615298378],
  below: [2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918],
  leading: 0.016315387137302097,
};

/** (leading xⁿ + above₀ xⁿ⁻¹ + …) / (xⁿ + below₀ xⁿ⁻¹ + …). */
function rational(x: number, { above, below, leading }: typeof erfNear): number {
  let [numerator, denominator] = [leading, 1];
  for (let i = 0; i < above.length; i++) {
    numerator = numerator * x + (above[i] as number);
    denominator = denominator * x + (below[i] as number);
  }
  return numerator / denominator;
}

/** exp(-x²): the square is taken in two parts, since its rounding would be multiplied by x². */
function gaussian(x: number): number {
  const coarse = Math.trunc(x * 16) / 16;
  return Math.exp(-coarse * coarse) * Math.exp(-(x - coarse) * (x + coarse));
}

/** exp(x²) erfc(x) for x from 0, to a relative error of 1e-15; where erfc itself would be 0 too. */
export function scaledErfc(x: number): number {
  if (x <= 0.46875) return (1 - x * rational(x * x, erfNear)) / gaussian(x);
  if (x <= 4) return rational(x, erfcMiddle);
  const inverse = 1 / (x * x);
  return (1 / Math.sqrt(Math.PI) - inverse * rational(inverse, erfcFar)) / x;
}

/** 1 - erf(x); 0 where float64 has nothing as small. */
function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x > 27.3) return 0;
  if (x <= 0.46875) return 1 - x * rational(x * x, erfNear);
  return gaussian(x) * scaledErfc(x);
}

/** The probability that a standard normal number is above z, to a relative error of 2e-13 (z below 37). Of one below z: `upperTail(-z)`. */
export const upperTail = (z: number): number => 0.5 * erfc(z * Math.SQRT1_2);
