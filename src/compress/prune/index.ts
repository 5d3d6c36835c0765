/** Pruning: channels and blocks that are cut out of a model, single weights that are kept at zero. */
export {
  type BlockPlan,
  cutBlocks,
  type PlannedBlock,
  type PruneBlocksOptions,
  planBlocks,
  pruneBlocks,
} from "./blocks.ts";
export type { ParameterPart, UncutLayer } from "./channels/groups.ts";
export {
  type BeforeAndAfter,
  type ChannelPlan,
  type KeptChannels,
  type KeptMacs,
  type KeptShare,
  type PlannedGroup,
  type PruneChannelsOptions,
  planChannels,
} from "./channels/plan.ts";
export { cutChannels, pruneChannels } from "./channels/prune.ts";
export type { ChannelScore } from "./channels/scores.ts";
export type { CutOptions, PrunedModel } from "./pruned-model.ts";
export type { KeptPattern, PruneBy } from "./weights/choose.ts";
export {
  type KeepZerosOptions,
  keepZeros,
  type PruneGraduallyOptions,
  pruneGradually,
} from "./weights/keep-zeros.ts";
export {
  type PruneWeightsOptions,
  planPruning,
  pruneWeights,
  type Sparsity,
  sparsityOf,
  type WeightPlan,
  type WeightScore,
  type WeightSparsity,
} from "./weights/plan.ts";
