/** What a LeNet trained on MNIST thinks of made digits: how sure it is, which it sees, how far its features lie from real ones'. */
import {
  adam,
  type CompileOptions,
  collect,
  conv2d,
  crossEntropy,
  type Dataset,
  dense,
  fit,
  flatten,
  frechetDistance,
  keyOf,
  maxPool2d,
  predictor,
  scaleBytes,
  sequential,
  type Tensor,
} from "../../src/index.ts";
import type { LabelledImages } from "../../src/node.ts";
import { inBatches } from "./samples.ts";

export interface Judgement {
  /** Mean probability of the likeliest digit. */
  readonly confidence: number;
  /** Digits that a hundredth of the samples at least are taken for. */
  readonly digits: number;
  /** Fréchet distance of the features before the last layer from those of digits that the judge was not trained on. */
  readonly frechet: number;
}

const batch = 250;

/** Digits by which samples are judged. */
interface JudgedBy {
  /** What the judge learns. */
  readonly train: Dataset<LabelledImages>;
  /** With which samples are compared, a multiple of 250 of them: those of the test, or of a part to choose by. */
  readonly real: Dataset<LabelledImages>;
}

/** Trains the judge for an epoch, and gives what judges samples [N, 1, 28, 28] in [0, 1], N a multiple of 250. */
export async function digitJudge(
  compile: CompileOptions,
  { train, real: compared }: JudgedBy,
): Promise<(samples: Tensor) => Promise<Judgement>> {
  const features = sequential([
    conv2d(32, 3, { activation: "relu" }),
    maxPool2d(2),
    conv2d(64, 3, { activation: "relu" }),
    maxPool2d(2),
    flatten(),
    dense(128, { activation: "relu" }),
  ]);
  const model = sequential([features, dense(10)]);
  const scale = scaleBytes();
  await fit(model, train.shuffle(keyOf(0)).batch(64).map(scale), {
    loss: crossEntropy(),
    optimizer: adam(),
    epochs: 1,
    training: { compile },
  });
  const classify = predictor(model, { compile, snapshot: true });
  const describe = predictor(features, { compile, snapshot: true });
  const real = await inBatches(scale(await collect(compared)).x, batch, describe);
  return async (samples) => {
    const logits = await inBatches(samples, batch, classify);
    const rows = logits.shape[0] ?? 1;
    const seen = new Array<number>(10).fill(0);
    let confidence = 0;
    for (let row = 0; row < rows; row++) {
      const own = logits.data.subarray(10 * row, 10 * row + 10);
      const highest = Math.max(...own);
      confidence += 1 / own.reduce((sum, logit) => sum + Math.exp(logit - highest), 0) / rows;
      seen[own.indexOf(highest)] = (seen[own.indexOf(highest)] ?? 0) + 1;
    }
    return {
      confidence,
      digits: seen.filter((count) => count >= rows / 100).length,
      frechet: frechetDistance(await inBatches(samples, batch, describe), real),
    };
  };
}
