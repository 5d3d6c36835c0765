/** The logit lens: what a language model would say next, were its head to read the states behind an earlier block. */
import { optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { softmax } from "../../ops/index.ts";
import { predictor } from "../../train/predict.ts";
import { requireSampleInputs, type SampleInputs } from "../tokens/token-inputs.ts";
import {
  type ResidualStream,
  type StreamOptions,
  type StreamPart,
  StreamReader,
  streamTypes,
} from "./residual-stream.ts";

/** What the head makes of the states at one depth. */
export interface LensLayer {
  /** The block behind which the states are, `transformer.h.3`; `embedding` before the first. */
  readonly path: string;
  /** The probability of each token to come next, float32 [tokens]. */
  readonly probabilities: Tensor<"float32">;
}

const checkOptions = optionsOf<StreamOptions>("logitLens", streamTypes);

class Lens extends StreamReader {
  protected partsOf({ blocks, last, head }: ResidualStream): readonly StreamPart[] {
    const states = [
      { path: "embedding", value: blocks[0]?.input as Value },
      ...blocks.map(({ path, output: value }) => ({ path, value })),
    ];
    return states.map(({ path, value }) => ({ path, value: softmax(head(new Map([[last, value]]))) }));
  }
}

/**
 * The probabilities of the next token behind each block of a language model, by its own last norm and head (nostalgebraist 2020, "interpreting
 * GPT: the logit lens"); the last entry is what the model says. Blocks before the last were not trained to be read so: early entries may mean
 * nothing (Belrose et al. 2023). Throws UnsupportedError for a model without a list of blocks, ShapeError for one without scores of tokens.
 * @param inputs token ids [1, T], or inputs by name
 * @example const layers = await explain.logitLens(gpt, ids); // layers.at(-1)?.probabilities
 */
export async function logitLens<O>(
  model: Module<never, O>,
  inputs: SampleInputs,
  options: StreamOptions = {},
): Promise<readonly LensLayer[]> {
  checkOptions(options);
  requireSampleInputs(inputs);
  const lens = new Lens(model, options);
  const ask = predictor(lens);
  try {
    const found = (await ask(inputs as never)) as unknown as readonly Tensor<"float32">[];
    return found.map(({ data }, i) => ({
      path: lens.paths[i] as string,
      probabilities: new Tensor("float32", [data.length], data),
    }));
  } finally {
    await ask.release();
  }
}
