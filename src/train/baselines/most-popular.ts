/** Recommending what most users like, a baseline of every recommender (Cremonesi, Koren and Turrin 2010, section 3.1). */
import { DataError, ShapeError } from "../../core/errors.ts";
import { appendTo } from "../../core/lists.ts";
import { count } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import { highest, recallOf } from "../metrics/ranking.ts";

/** Options of `mostPopular` and `popularityRecall`. */
export interface MostPopularOptions {
  /** Number of items. */
  readonly items: number;
  /** How many items are recommended; default 10. */
  readonly k?: number;
}

const checkOptions = optionsOf<MostPopularOptions>("mostPopular", { items: required(count()), k: count() });

/** Items by user, of pairs [N, 2] of a user and an item that is liked. */
function itemsByUser(where: string, liked: Tensor, items: number): Map<number, number[]> {
  if (liked.shape.length !== 2 || liked.shape[1] !== 2)
    throw new ShapeError(`${where}: liked is ${showShape(liked.shape)}; pass pairs [N, 2] of a user and an item`);
  const found = new Map<number, number[]>();
  const numbers = liked.toNumbers();
  for (let i = 0; i < numbers.length; i += 2) {
    const [user, item] = [numbers[i] as number, numbers[i + 1] as number];
    if (!(Number.isInteger(item) && item >= 0 && item < items))
      throw new DataError(`${where}: the item of pair ${i / 2} is ${item}; pass items from 0 to ${items - 1}`);
    appendTo(found, user, item);
  }
  return found;
}

/**
 * Recommends to a user the items that most users like and that they do not have, the most popular first, of equal ones the lower number.
 * `liked` is pairs [N, 2] of a user and an item. Throws ShapeError for anything else, DataError for an item outside 0 … items-1.
 * @example
 * const recommend = mostPopular(tensor([[0, 1], [1, 1], [1, 2]]), { items: 3, k: 2 });
 * recommend(0); // [2, 0]
 */
export function mostPopular(liked: Tensor, options: MostPopularOptions): (user: number) => readonly number[] {
  const { items, k = 10 } = checkOptions(options);
  const byUser = itemsByUser("mostPopular", liked, items);
  const counts = new Float64Array(items);
  for (const own of byUser.values()) for (const item of new Set(own)) counts[item] = (counts[item] as number) + 1;
  return (user) => {
    const own = new Set(byUser.get(user));
    return highest(counts, k, (item) => own.has(item));
  };
}

/**
 * Recall at k of the most popular items: of what each user of `test` likes, the share that is among the k recommended to them, as a mean over
 * users. What a user has in `train` is neither recommended nor sought. Throws DataError where `test` has nothing new.
 */
export function popularityRecall(train: Tensor, test: Tensor, options: MostPopularOptions): number {
  const recommend = mostPopular(train, options);
  const had = itemsByUser("popularityRecall: train", train, options.items);
  const recalls: number[] = [];
  for (const [user, wanted] of itemsByUser("popularityRecall: test", test, options.items)) {
    const own = new Set(had.get(user));
    const sought = new Set(wanted.filter((item) => !own.has(item)));
    if (sought.size > 0) recalls.push(recallOf(recommend(user), sought));
  }
  if (recalls.length === 0)
    throw new DataError("popularityRecall: test has no item that its user does not have in train; pass others");
  return recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length;
}
