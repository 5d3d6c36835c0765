/** Successive halving (Jamieson and Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization"). */

/** Of the trials at a rung, one in so many goes on. */
const keepsOneOf = 3;

/** A rung of a search: so many trials are trained up to so many epochs. */
export interface Rung {
  readonly epochs: number;
  readonly trials: number;
}

/**
 * The rungs of a search of so many trials for a training of so many epochs. A third goes on at each, to three times the epochs; what is left at
 * the end is trained in full, which is no rung.
 */
export function rungsOf(trials: number, epochs: number): readonly Rung[] {
  const count = Math.max(1, Math.round(Math.log(trials) / Math.log(keepsOneOf)));
  const rungs: Rung[] = [];
  for (let i = 0; i < count; i++) {
    const own: Rung = {
      epochs: Math.max(1, Math.ceil(epochs / keepsOneOf ** (count - i))),
      trials: Math.max(2, Math.ceil(trials / keepsOneOf ** i)),
    };
    // Of few epochs the first rungs would be alike: all trials take the later one.
    const last = rungs.at(-1);
    if (last?.epochs === own.epochs) continue;
    rungs.push(own);
  }
  return rungs;
}
