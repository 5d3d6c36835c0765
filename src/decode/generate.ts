/** Text from language models: one token after the other, each drawn from what the model expects (autoregressive decoding). */
import { having } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import type { Random } from "../core/random.ts";
import type { Decoder } from "./decoder.ts";
import { type SamplingOptions, sampleToken, samplingTypes } from "./sampling.ts";

/** Options of `generate`. */
export interface GenerateOptions extends SamplingOptions {
  /** Draws the tokens. */
  readonly random: Random;
}

const checkOptions = optionsOf<GenerateOptions>("sampling", {
  ...samplingTypes,
  random: required(having("uniform", "a generator such as new Random(keyOf(1))")),
});

/**
 * Tokens after a prompt, without end: leave the loop when you have enough. When the decoder is full, it forgets the
 * first half of what it read. Throws DataError for an empty prompt or one that is longer than the decoder can read,
 * OptionError for options that leave nothing to draw.
 * @example
 * const random = new Random(keyOf(0));
 * for await (const token of generate(model, tokenizer.encode("Call me"), { temperature: 0.8, random })) {
 *   process.stdout.write(tokenizer.decode([token]));
 *   if (model.length === model.capacity) break;
 * }
 */
export async function* generate(
  model: Decoder,
  prompt: readonly number[],
  options: GenerateOptions,
): AsyncGenerator<number> {
  const { random, ...sampling } = checkOptions(options);
  model.reset();
  const read = [...prompt];
  let logits = await model.feed(prompt);
  for (;;) {
    const token = sampleToken(logits, sampling, random);
    yield token;
    read.push(token);
    if (model.length < model.capacity) logits = await model.feed([token]);
    else {
      model.reset();
      logits = await model.feed(read.slice(-Math.ceil(model.capacity / 2)));
    }
  }
}
