/** Simple ways beside a recommender: means, biases, what most users choose, nearest items; learned of the training part as the network is. */
import { fitRatingBiases } from "../../data/tables/rating-biases.ts";
import type { BaselineResult } from "../../train/baselines/baseline.ts";
import { advantageOf, type ComparedMetric } from "../../train/baselines/compared-metric.ts";
import { itemLikeness } from "./item-likeness.ts";
import { itemsOfUsers, type PartedRatings, popularityOf, type Ratings, rankingFigures } from "./rating-parts.ts";

/** What an item is scored for a user. */
type Scores = (user: number, item: number) => number;

/** A way with one setting. */
interface Attempt {
  readonly settings: string;
  readonly scores: Scores;
}

/** What simple ways reach: the root of the mean squared error of ratings, or recall at 10 of choices. Settings are chosen on the validation part. */
export async function baselinesOfRatings(ratings: PartedRatings): Promise<readonly BaselineResult[]> {
  const { hasRatings, train, validation, test, passed } = ratings;
  const had = [train, ...(passed ? [passed.train] : [])];
  const metric: ComparedMetric = hasRatings ? "rmse" : "recall at 10";
  const measure = async (scores: Scores, sought: Ratings, own: readonly Ratings[]): Promise<number> =>
    hasRatings
      ? errorOf(scores, sought)
      : (
          await rankingFigures(ratings, {
            had: own,
            sought,
            scores: (user) => Float64Array.from(ratings.items, (_, item) => scores(user, item)),
          })
        ).recall;
  const results: BaselineResult[] = [];
  for (const [name, attemptsOf] of Object.entries(hasRatings ? ofRatings : ofChoices)) {
    const began = performance.now();
    let best: (Attempt & { readonly reached: number }) | undefined;
    for (const attempt of attemptsOf(ratings)) {
      // Other work of the process gets its turn.
      await new Promise((resolve) => setTimeout(resolve, 0));
      const reached = await measure(attempt.scores, validation, had);
      if (!best || advantageOf(metric, reached, best.reached) > 0) best = { ...attempt, reached };
    }
    if (!best) continue;
    results.push({
      name,
      settings: best.settings,
      validation: best.reached,
      test: await measure(best.scores, test, [...had, validation, ...(passed ? [passed.validation] : [])]),
      metric,
      seconds: (performance.now() - began) / 1000,
    });
  }
  return results;
}

function errorOf(scores: Scores, { x, y }: Ratings): number {
  let sum = 0;
  for (let row = 0; row < y.data.length; row++)
    sum += (scores(Number(x.data[2 * row]), Number(x.data[2 * row + 1])) - Number(y.data[row])) ** 2;
  return Math.sqrt(sum / y.data.length);
}

/** Ratings of the mean that each user and item has beside its own. */
const shrinkages = [1, 2, 5, 10, 20] as const;
/** Nearest items that count. */
const neighbours = [10, 20, 40] as const;
/** Items whose likeness to one another is held in memory. */
const mostItems = 4000;

/** The mean with the biases of a user and an item. */
function biasScores(ratings: PartedRatings, shrinkage?: number): Scores {
  const { mean, users, items } = biasesOf(ratings, shrinkage);
  return (user, item) => mean + (users[user] ?? 0) + (items[item] ?? 0);
}

const biasesOf = ({ train, users, items }: PartedRatings, shrinkage?: number) =>
  fitRatingBiases(train, { users: users.length, items: items.length, ...(shrinkage !== undefined && { shrinkage }) });

const ofRatings: Readonly<Record<string, (ratings: PartedRatings) => Iterable<Attempt>>> = {
  "mean rating": (ratings) => {
    const { mean } = biasesOf(ratings);
    return [{ settings: "none", scores: () => mean }];
  },
  "biases of users and items": (ratings) =>
    shrinkages.map((shrinkage) => ({ settings: `shrinkage = ${shrinkage}`, scores: biasScores(ratings, shrinkage) })),
  *"nearest items"(ratings) {
    if (ratings.items.length > mostItems) return;
    const plain = biasScores(ratings);
    const { likeness, valuesOf } = itemLikeness(ratings, (user, item, value) => value - plain(user, item));
    for (const k of neighbours)
      yield {
        settings: `k = ${k}`,
        scores(user, item) {
          const near = valuesOf(user)
            .map((own) => ({ value: own.value, weight: likeness(item, own.item) }))
            .filter(({ weight }) => weight > 0)
            .sort((a, b) => b.weight - a.weight)
            .slice(0, k);
          const total = near.reduce((sum, { weight }) => sum + weight, 0);
          const difference = near.reduce((sum, { value, weight }) => sum + weight * value, 0);
          return plain(user, item) + (total > 0 ? difference / total : 0);
        },
      };
  },
};

const ofChoices: typeof ofRatings = {
  "most popular": ({ items, train }) => {
    const counts = popularityOf(items.length, train);
    return [{ settings: "none", scores: (_, item) => counts[item] ?? 0 }];
  },
  *"nearest items"(ratings) {
    if (ratings.items.length > mostItems) return;
    const { likeness, valuesOf } = itemLikeness(ratings, () => 1);
    yield {
      settings: "all that a user has",
      scores: (user, item) => valuesOf(user).reduce((sum, near) => sum + likeness(item, near.item), 0),
    };
  },
};

/** Items that each user has, for who recommends others. */
export const itemsHad = ({ users, train, validation }: PartedRatings): readonly (readonly number[])[] =>
  itemsOfUsers(users.length, train, validation).map((items) => [...items]);
