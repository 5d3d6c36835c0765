/** What is trained of a classifier on a base: its head alone, or the last blocks below it too. */
import { blockGroups, layerGroups, unfreezeLast } from "../../finetune/freezing/layer-groups.ts";
import { normalizationParameters } from "../../finetune/freezing/normalization.ts";
import type { AnyModule } from "../../nn/index.ts";

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
