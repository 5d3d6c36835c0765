/** Text from language models: one token after the other, each drawn from what the model expects (autoregressive decoding). */
import type { Random } from "../core/random.ts";
import type { Decoder } from "./decoder.ts";
import { checkSampling, type SamplingOptions, sampleToken } from "./sampling.ts";

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
  options: SamplingOptions & { readonly random: Random },
): AsyncGenerator<number> {
  checkSampling(options);
  model.reset();
  const read = [...prompt];
  let logits = await model.feed(prompt);
  for (;;) {
    const token = sampleToken(logits, options, options.random);
    yield token;
    read.push(token);
    if (model.length < model.capacity) logits = await model.feed([token]);
    else {
      model.reset();
      logits = await model.feed(read.slice(-Math.ceil(model.capacity / 2)));
    }
  }
}
