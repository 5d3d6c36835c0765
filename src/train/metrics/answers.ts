/** How well answers agree with those that are right, as SQuAD measures it. */
import { greatest } from "../../core/lists.ts";

/** An answer without case, punctuation, articles and double spaces. */
const normalized = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/g, "")
    .replace(/\b(?:a|an|the)\b/g, " ")
    .split(/\s+/)
    .filter((word) => word !== "")
    .join(" ");

function overlap(predicted: string, answer: string): number {
  const [own, right] = [predicted.split(" ").filter(Boolean), answer.split(" ").filter(Boolean)];
  if (own.length === 0 || right.length === 0) return own.length === right.length ? 1 : 0;
  const left = new Map<string, number>();
  for (const word of right) left.set(word, (left.get(word) ?? 0) + 1);
  let same = 0;
  for (const word of own) {
    const count = left.get(word) ?? 0;
    if (count > 0) same++;
    left.set(word, count - 1);
  }
  return (2 * same) / (own.length + right.length);
}

/** How far an answer is right. */
export type AnswerScores = {
  /** 1 where it is one of the answers, but for case, punctuation and articles; else 0. */
  readonly exact: number;
  /** F1 of its words with those of the answer that it is most like, from 0 to 1. */
  readonly f1: number;
};

/**
 * The scores of SQuAD's evaluation (Rajpurkar et al. 2016, sec. 6.1): the best over all answers that are right.
 * @example answerScores("the Eiffel Tower", ["Eiffel Tower"]) // { exact: 1, f1: 1 }
 */
export function answerScores(predicted: string, answers: readonly string[]): AnswerScores {
  const own = normalized(predicted);
  const right = answers.map(normalized);
  return {
    exact: right.includes(own) ? 1 : 0,
    f1: greatest(
      right.map((answer) => overlap(own, answer)),
      0,
    ),
  };
}
