/** The new head of a classifier on a base, and what is trained of both. */
import { blockGroups, layerGroups, unfreezeLast } from "../../finetune/freezing/layer-groups.ts";
import { normalizationParameters } from "../../finetune/freezing/normalization.ts";
import { type AnyModule, activation, batchNorm, dense, dropout, type Module, sequential } from "../../nn/index.ts";

/** Share of the features that training drops: there are often more of them than a few samples can tell apart. */
const dropped = 0.3;

/**
 * A head of features [N, W] that gives scores [N, outputs]. Features of any size are brought to mean 0 and deviation 1 first, so that one rate
 * suits all bases (He et al. 2022, "Masked Autoencoders", sec. A.1, for linear probes).
 */
export const headOf = (outputs: number): Module =>
  sequential([batchNorm({ scale: false, center: false }), dropout(dropped), dense(outputs)]);

/** What gives what it is given: of a base without a head, and before one whose first layer names its input. */
export const asItIs = () => activation((x) => x);

/** Parameters of the head that `withHead` puts on the base of a candidate. */
const isOfHead = /^candidates\.\w+\.(?:layers\.\d+\.)?head\./;

/** Trains the head of a classifier alone, or with so many of the last blocks below it, all where there are no more; what normalizes in the base stays as it is. */
export function trainTop(model: AnyModule, blocks: number): void {
  unfreezeLast(model, Math.min(blocks, blockGroups(layerGroups(model)).length));
  const { affine, statistics } = normalizationParameters(model);
  const kept = new Set([...affine, ...statistics]);
  for (const [path, parameter] of model.parameters()) {
    if (isOfHead.test(path)) parameter.frozen = false;
    else if (blocks === 0 || kept.has(path)) parameter.frozen = true;
  }
}
