/** Text from language models: one token after the other, each drawn from what the model expects (autoregressive decoding). */
import type { Random } from "../core/random.ts";
import type { Decoder } from "./decoder.ts";
import { checkSampling, type SamplingOptions, sampleToken } from "./sampling.ts";

/**
 * Tokens after a prompt, without end. When the decoder is full, it forgets the first half of what it read. Throws DataError for an
 * empty prompt or one that is longer than the decoder can read.
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
