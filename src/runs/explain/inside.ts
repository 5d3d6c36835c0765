/** What is inside a transformer, as methods of a run: rollout of attention, the logit lens, contributions to a logit. */
import { InternalError } from "../../core/errors.ts";
import { percent } from "../../core/number-text.ts";
import { Tensor } from "../../core/tensor.ts";
import {
  type Attribution,
  attentionMaps,
  attentionRollout,
  logitContributions,
  logitLens,
} from "../../explain/index.ts";
import type { Asked, Inside } from "./methods.ts";
import { nameOf } from "./sample.ts";

const insideOf = ({ inside }: Asked) => {
  if (inside) return inside;
  throw new InternalError("a method that looks inside was asked of a sample without tokens");
};

/** Shares of the tokens in the place that decides: the last of a causal model, the first, which stands for the text, of others. */
export async function rollout(asked: Asked): Promise<Attribution> {
  const { model, inputs } = insideOf(asked);
  const maps = await attentionMaps(model, inputs);
  const shares = attentionRollout(maps);
  const [tokens = 0] = shares.shape;
  // Where the first token sees itself alone, the last one has seen all.
  const isCausal = maps.every(({ weights: { shape, data } }) => {
    const [, , keys = 1] = shape;
    return Array.from({ length: shape[0] ?? 1 }, (_, head) => data[head * tokens * keys] ?? 0).every(
      (own) => own > 0.9999,
    );
  });
  const row = isCausal ? tokens - 1 : 0;
  const { place } = asked.chosen;
  return {
    method: "attentionRollout",
    values: new Tensor("float32", asked.x.shape, shares.data.slice(row * tokens, (row + 1) * tokens)),
    target: place,
    score: asked.scores[place] as number,
    notes: [
      `these are shares of attention in the ${row === 0 ? "first" : "last"} place, which are the same for every class, and say where layers look, not what the score comes from`,
    ],
  };
}

/** The likeliest tokens that are shown of each block. */
const shownTokens = 3;

/** What would come next after each block. */
export async function lens(asked: Asked): Promise<Inside> {
  const { model, inputs } = insideOf(asked);
  const { place } = asked.chosen;
  const layers = await logitLens(model, inputs);
  const bars = layers.map(({ path, probabilities: { data } }) => {
    const order = Array.from(data.keys()).sort((a, b) => (data[b] as number) - (data[a] as number));
    const likeliest = order.slice(0, shownTokens).map((at) => `${nameOf(asked, at)} ${percent(data[at] as number)}`);
    return { name: path, shown: likeliest.join(", "), value: data[place] as number };
  });
  return {
    method: "logitLens",
    pictures: [
      {
        title: `The probability of ${nameOf(asked, place)} after each block`,
        picture: { kind: "bars", bars, inOrder: true },
      },
    ],
    notes: ["blocks before the last were not trained to be read by the head"],
  };
}

/** What each block adds to the score of the next token. */
export async function logits(asked: Asked): Promise<Inside> {
  const { model, inputs } = insideOf(asked);
  const { place } = asked.chosen;
  const { contributions, score, notes } = await logitContributions(model, inputs, { token: place });
  const bars = contributions.map(({ path, value }) => ({ name: path, shown: "", value }));
  return {
    method: "logitContributions",
    pictures: [
      {
        title: `What each block adds to the score of ${nameOf(asked, place)}, ${Number(score.toPrecision(4))}`,
        picture: { kind: "bars", bars, inOrder: true },
      },
    ],
    notes,
  };
}
