/** Rankings: the best of many scores, and how much of what was sought is among them. */
import { OptionError } from "../../core/errors.ts";

/** Places of the `count` highest scores, the highest first, without those that `skip`; of equal scores the first. */
export function highest(
  scores: ArrayLike<number>,
  count: number,
  skip: (place: number) => boolean = () => false,
): number[] {
  if (!Number.isInteger(count) || count < 1)
    throw new OptionError(`highest: count is ${count}; pass a whole number from 1`);
  const best: number[] = [];
  for (let place = 0; place < scores.length; place++) {
    const score = scores[place] ?? Number.NaN;
    if (skip(place) || !(best.length < count || score > (scores[best.at(-1) ?? 0] ?? 0))) continue;
    const at = best.findIndex((other) => score > (scores[other] ?? 0));
    best.splice(at < 0 ? best.length : at, 0, place);
    if (best.length > count) best.pop();
  }
  return best;
}

/** Share of the relevant places that are among the recommended ones: recall@k for k recommendations; NaN of none. */
export const recallOf = (recommended: readonly number[], relevant: ReadonlySet<number>): number =>
  recommended.filter((place) => relevant.has(place)).length / relevant.size;
