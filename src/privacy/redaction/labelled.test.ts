/**
 * How well personal data is found in sentences that were labelled before anything recognized them (test/fixtures/redaction/): what the guide states, some points below, so that a
 * recognizer that becomes worse is seen. `scripts/measure-redaction.ts` prints all figures.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { PersonalKind } from "./kinds.ts";
import { loadNameTagger } from "./names/load-name-tagger.node.ts";
import { redactor } from "./redact-text.ts";
import { type KindScore, labelledSentences, scoreOf } from "./testing/labelled.ts";

const redact = redactor({ names: await loadNameTagger() });

async function measured(language: string): Promise<Readonly<Partial<Record<PersonalKind, KindScore>>>> {
  const sentences = labelledSentences(readFileSync(`test/fixtures/redaction/${language}.txt`, "utf8"));
  expect(sentences.length).toBeGreaterThanOrEqual(150);
  const found = [];
  for (const { text } of sentences) found.push((await redact(text)).changes);
  return scoreOf(sentences, found);
}

/** Precision of findings and recall of labels, by overlap. */
const shares = ({ labelled, found, touchedLabels, touchedFindings }: KindScore) => ({
  precision: touchedFindings / found,
  recall: touchedLabels / labelled,
});

test.each([
  ["english", { person: [0.6, 0.88], others: [0.93, 0.93] }],
  ["chinese", { person: [0.6, 0.88], others: [0.93, 0.93] }],
] as const)("%s", async (language, least) => {
  const scores = await measured(language);
  const { person, ...others } = scores;
  const own = shares(person as KindScore);
  expect(own.precision).toBeGreaterThan(least.person[0]);
  expect(own.recall).toBeGreaterThan(least.person[1]);
  const sum = (name: keyof KindScore) => Object.values(others).reduce((total, score) => total + score[name], 0);
  expect(sum("touchedFindings") / sum("found")).toBeGreaterThan(least.others[0]);
  expect(sum("touchedLabels") / sum("labelled")).toBeGreaterThan(least.others[1]);
});

test("scores by hand", () => {
  const [sentence] = labelledSentences("Ask {{person|Ada Byron}} at {{email|a@b.io}}.");
  expect(sentence?.text).toBe("Ask Ada Byron at a@b.io.");
  const found = [
    { kind: "person", start: 4, end: 7 },
    { kind: "card", start: 0, end: 3 },
  ] as const;
  const scores = scoreOf([sentence as NonNullable<typeof sentence>], [found]);
  expect(scores.person).toEqual({ labelled: 1, found: 1, exact: 0, touchedLabels: 1, touchedFindings: 1, hidden: 0 });
  expect(scores.email).toMatchObject({ labelled: 1, found: 0, touchedLabels: 0 });
  expect(scores.card).toMatchObject({ labelled: 0, found: 1, touchedFindings: 0 });
});
