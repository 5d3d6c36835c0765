/** Tasks of your own data, without code: what the data is taken for, what learns from it, what that is held against. */

export { type FoldedBatch, foldedObjective } from "./folds/folded-objective.ts";
export { type KeepBestOptions, keepBestCandidate } from "./folds/keep-best.ts";
export { denseFeatures } from "./tables/dense-features.ts";
export { baselinesOfTable, type EncodedTable, type TableSamples } from "./tables/table-baselines.ts";
export { tableModel } from "./tables/table-model.ts";
export { type TableTarget, type TableTaskName, tableTasks, targetSchema } from "./tables/target.ts";
export { evidenceOf } from "./texts/evidence.ts";
export { baselinesOfTexts } from "./texts/text-baselines.ts";
export { type TextBatchOptions, textBatches, textModel } from "./texts/text-model.ts";
export { type TextTarget, type TextTaskName, textTargetSchema, textTasks } from "./texts/text-target.ts";
