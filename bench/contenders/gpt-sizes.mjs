// Owns the small GPT that peers of the browser train: GPT-2 of few layers, written by each in its own operators.
import { labels } from "./data.mjs";

/** Texts of a batch, tokens of each, and the sizes of the network; scores are made by the table of the embedding. */
export const gpt = { texts: 4, tokens: 64, vocabulary: 96, width: 64, layers: 2, heads: 4, feedForward: 256 };

/** The tokens [texts · tokens], and what is to be told at each: themselves, so that the loss falls. */
export const gptTokens = () => labels(gpt.texts * gpt.tokens);
