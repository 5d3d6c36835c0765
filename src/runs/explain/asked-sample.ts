/** A sentence of a run that is asked by sentences: its words, each left out of the question once. */
import { DataError, OptionError, SardonyxError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import { textTokens } from "../../data/text/text-features.ts";
import type { OpenRun } from "../open/open-run.node.ts";
import type { AskedSample, Chosen } from "./sample.ts";
import { wordsIn } from "./samples.ts";

/** Words of a sentence that are left out, each by a question. */
const mostWords = 200;

/** The sample of a question whose answer is scores. Throws OptionError for a run that answers otherwise, and what the run throws. */
export async function askedSample(run: OpenRun, question: string): Promise<AskedSample> {
  const { classes, labels } = run.deployment;
  const scoresFor = async (text: string): Promise<readonly number[]> => {
    const answer = await run.ask(text);
    if (!("output" in answer))
      throw new OptionError(
        `the run answers ${run.deployment.dialogue?.what ?? "questions"} in words, not by scores of classes; explain runs that classify, predict a number or write text`,
      );
    return answer.output.toNumbers();
  };
  const scores = await scoresFor(question);
  const tokens = textTokens(question);
  if (tokens.length > mostWords)
    throw new DataError(
      `the text has ${tokens.length} words, of which each is left out in turn; pass ${mostWords} at most`,
    );
  const parts = wordsIn(question, tokens, new Array<number>(tokens.length).fill(0));
  const places = parts.flatMap(({ value }, place) => (value === undefined ? [] : [place]));
  const names = [classes, labels].find((own) => own?.length === scores.length);
  return {
    what: "a question",
    baselineText: "a text without the word",
    isImage: false,
    scores,
    scoresOf: scores.length === 1 ? "number" : labels?.length === scores.length ? "labels" : "classes",
    names,
    usual: { method: "occlusion", why: "The run is asked by sentences, so that a word can only be left out." },
    async drops({ place, against }: Chosen) {
      const scoreOf = (all: readonly number[]) =>
        (all[place] as number) - (against === undefined ? 0 : (all[against] as number));
      const values = new Float32Array(places.length);
      const notes: string[] = [];
      for (const [i, left] of places.entries()) {
        const without = parts.map(({ text }, at) => (at === left ? "" : text)).join("");
        try {
          values[i] = scoreOf(scores) - scoreOf(await scoresFor(without));
        } catch (error) {
          // Without its only word a sentence is empty.
          if (!(error instanceof SardonyxError)) throw error;
          notes.push(`without "${parts[left]?.text}" there is no answer: ${error.message}`);
        }
      }
      return {
        method: "occlusion",
        values: new Tensor("float32", [1, values.length], values),
        target: against === undefined ? place : undefined,
        score: scoreOf(scores),
        notes,
      };
    },
    picture: ({ data }) => {
      const valued = new Map(places.map((place, i) => [place, data[i] as number]));
      return {
        kind: "words",
        words: parts.map(({ text }, place) => ({
          text,
          ...(valued.has(place) && { value: valued.get(place) as number }),
        })),
      };
    },
  };
}
