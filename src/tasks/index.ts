/** Tasks of your own data, without code: what the data is taken for, what learns from it, what that is held against. */
export { denseFeatures } from "./tables/dense-features.ts";
export { type KeepBestOptions, keepBestCandidate } from "./tables/keep-best.ts";
export { baselinesOfTable, type EncodedTable, type TableSamples } from "./tables/table-baselines.ts";
export { tableModel } from "./tables/table-model.ts";
export { type FoldedBatch, tableObjective } from "./tables/table-objective.ts";
export { type TableTarget, type TableTaskName, tableTasks, targetSchema } from "./tables/target.ts";
