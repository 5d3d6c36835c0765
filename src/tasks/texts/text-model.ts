/** The network of texts, and the batches that it reads. */

import type { Key } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { bucketed } from "../../data/pipeline/buckets.ts";
import type { Dataset } from "../../data/pipeline/dataset.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import { lengthOfText, type ReadText, type TextFeatures, textFeatureRows } from "../../data/text/text-features.ts";
import { TextNetwork, type TextNetworkOptions } from "../../models/text/text-network.ts";
import type { FoldedBatch } from "../folds/folded-objective.ts";
import type { TextSamples } from "./load-texts.node.ts";
import { candidateTarget, outputsOf, type TextTarget } from "./text-target.ts";

/** A network that reads texts by their features, and predicts the target. */
export const textModel = (
  { words, characters, weights, runs }: TextFeatures,
  target: TextTarget,
  options: Pick<TextNetworkOptions, "members" | "width" | "evidence">,
): TextNetwork =>
  new TextNetwork(
    { words: words.length, characters: characters.length, weights, runs },
    { ...options, outputs: outputsOf(target), target: candidateTarget(target) },
  );

/** How batches of texts are made. */
export interface TextBatchOptions {
  /** How texts become ids. */
  readonly features: TextFeatures;
  /** Texts in a batch. */
  readonly size: number;
  /** The fold of each text; default none is trained on. */
  readonly folds?: readonly number[];
  /** Draws their order anew each epoch; default short ones come first. */
  readonly key?: Key;
}

/** Lengths that batches have: that of the longest text, and those that half and nine tenths of them fit in. */
function lengthsOf(own: readonly number[], longest: number): number[] {
  const sorted = [...own].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 1;
  return [...new Set([at(0.5), at(0.9), longest])].sort((a, b) => a - b);
}

/** Batches of texts of like length: ids, targets and folds. */
export function textBatches({ read, y }: TextSamples, options: TextBatchOptions): Dataset<FoldedBatch> {
  const { features, size, folds = [], key } = options;
  const lengths = read.map((own) => lengthOfText(own, features));
  return bucketed([...read.keys()], {
    size: Math.min(size, read.length),
    widths: lengthsOf(lengths, features.longest),
    lengthOf: (place) => lengths[place] as number,
    collate: (own, length) => ({
      x: textFeatureRows(
        own.map((place) => read[place] as ReadText),
        length,
        features.runs,
      ),
      y: gatherRows(y, own),
      fold: new Tensor(
        "int32",
        [own.length],
        Int32Array.from(own, (place) => folds[place] ?? -1),
      ),
    }),
    ...(key && { key }),
  });
}
