/** Ratings, or choices, in parts, and how well rankings find what is in a part. */
import type { Tensor } from "../../core/tensor.ts";
import { highest, recallOf } from "../../train/metrics/ranking.ts";

/** Ratings: `x` int32 [N, 2], user and item; `y` float32 [N], 1 of a choice. */
export type Ratings = { readonly x: Tensor; readonly y: Tensor };

/** Ratings in parts. */
export interface PartedRatings {
  /** Names, by number. */
  readonly users: readonly string[];
  readonly items: readonly string[];
  /** Whether there are ratings; else choices alone. */
  readonly hasRatings: boolean;
  readonly train: Ratings;
  readonly validation: Ratings;
  readonly test: Ratings;
  /** The least and the highest rating of the training part. */
  readonly range: readonly [number, number];
  /** Of choices: what users had in these parts and did not choose. It is not recommended to them; default nothing. */
  readonly passed?: { readonly train: Ratings; readonly validation: Ratings };
}

/** Items of each user in some ratings. */
export function itemsOfUsers(users: number, ...parts: readonly Ratings[]): readonly Set<number>[] {
  const found = Array.from({ length: users }, () => new Set<number>());
  for (const { x } of parts)
    for (let at = 0; at < x.data.length; at += 2) found[Number(x.data[at])]?.add(Number(x.data[at + 1]));
  return found;
}

/** How many users have each item. */
export function popularityOf(items: number, ...parts: readonly Ratings[]): number[] {
  const counts = new Array<number>(items).fill(0);
  for (const { x } of parts)
    for (let at = 1; at < x.data.length; at += 2) {
      const item = Number(x.data[at]);
      counts[item] = (counts[item] as number) + 1;
    }
  return counts;
}

/** Items that are recommended. */
export const recommended = 10;

/**
 * Recall at 10 and normalized discounted cumulative gain at 10 (Järvelin and Kekäläinen 2002, with gains of 0 and 1) of rankings, as means
 * over users with something to be found. Items that a user has are neither recommended nor sought.
 */
export async function rankingFigures(
  { users, items }: Pick<PartedRatings, "users" | "items">,
  {
    had,
    sought,
    scores,
  }: {
    readonly had: readonly Ratings[];
    readonly sought: Ratings;
    /** Scores of all items for a user; the highest are recommended. */
    readonly scores: (user: number) => ArrayLike<number> | Promise<ArrayLike<number>>;
  },
): Promise<{ readonly recall: number; readonly gain: number }> {
  const own = itemsOfUsers(users.length, ...had);
  let [recall, gain, count] = [0, 0, 0];
  for (const [user, wanted] of itemsOfUsers(users.length, sought).entries()) {
    if (wanted.size === 0) continue;
    const best = highest(
      await scores(user),
      Math.min(recommended, items.length),
      (item) => own[user]?.has(item) ?? false,
    );
    const gainAt = (place: number) => 1 / Math.log2(place + 2);
    const found = best.reduce((sum, item, place) => sum + (wanted.has(item) ? gainAt(place) : 0), 0);
    const most = Array.from({ length: Math.min(recommended, wanted.size) }, (_, place) => gainAt(place));
    recall += recallOf(best, wanted);
    gain += found / most.reduce((a, b) => a + b, 0);
    count++;
  }
  return { recall: recall / count, gain: gain / count };
}
