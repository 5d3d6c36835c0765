/** What a trained recommender answers: the best items that a user does not have. */
import * as z from "zod";
import { DataError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { percent, plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { highest } from "../../train/metrics/ranking.ts";
import { recommended } from "./rating-parts.ts";

/** What a run keeps of its ratings, as JSON. */
export const ratingFactsSchema = z.object({
  users: z.array(z.string()),
  items: z.array(z.string()),
  /** Whether ratings are predicted; else which item is chosen. */
  hasRatings: z.boolean(),
  /** Items that each user has. */
  had: z.array(z.array(z.number())),
  /** How many users have each item, in the training part. */
  popularity: z.array(z.number()),
  /** The mean of the ratings, the least and the highest of the training part. */
  mean: z.number(),
  range: z.tuple([z.number(), z.number()]),
});
/** What a run keeps of its ratings: `users` and `items` by number, `hasRatings`, the items that users `had`, their `popularity`, `mean` and `range` of ratings. */
export type RatingFacts = Readonly<z.infer<typeof ratingFactsSchema>>;

/** The user that is asked for: `{"user": "42"}`, or the name alone. Throws DataError for anything else. */
export function userOf(question: string): string {
  const mend = `pass a user, such as 42 or '{"user": "42"}'`;
  if (!question.trimStart().startsWith("{")) {
    if (question.trim() === "") throw new DataError(`the user is empty; ${mend}`);
    return question.trim();
  }
  let parsed: unknown;
  try {
    parsed = parseJson(question);
  } catch (cause) {
    throw new DataError(`the question is no JSON (${(cause as Error).message}); ${mend}`, { cause });
  }
  const { user } = parsed as { readonly user?: unknown };
  if (typeof user === "string" || typeof user === "number") return String(user);
  throw new DataError(`the question has no "user"; ${mend}`);
}

/** The items with the highest scores that a user does not have; to one who was not trained on, what most users have. */
export async function recommendationFor(
  name: string,
  facts: RatingFacts,
  scoresOf: (user: number) => Promise<ArrayLike<number>>,
) {
  const { users, items, hasRatings, had, popularity, range } = facts;
  const user = users.indexOf(name);
  const isKnown = user >= 0;
  const own = new Set(isKnown ? had[user] : []);
  const scores = isKnown ? await scoresOf(user) : popularity;
  const bounded = (score: number) => (hasRatings ? Math.min(range[1], Math.max(range[0], score)) : score);
  const best = highest(scores, recommended, (item) => own.has(item)).map((item) => ({
    item: items[item] ?? "",
    score: isKnown ? bounded(scores[item] ?? 0) : (popularity[item] ?? 0),
  }));
  const shown = (score: number) => (isKnown ? (hasRatings ? score.toFixed(2) : percent(score)) : plural(score, "user"));
  const what = !isKnown
    ? "by how many users have them"
    : hasRatings
      ? "by predicted ratings"
      : "by how likely they are chosen next";
  return {
    text: `${plural(best.length, "item")}${isKnown ? ` that are new to ${quoted(name)}` : ""}, ${what}\n${best.map(({ item, score }) => `  ${shown(score)}  ${item}`).join("\n")}`,
    fields: { user: name, isKnown, items: best },
    ...(!isKnown && { note: `${quoted(name)} is no user that was trained on: what most users have is shown` }),
  };
}
