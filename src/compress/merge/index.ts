/** Merging of models of one architecture. */
export { type AverageModelsOptions, average } from "./average.ts";
export { type DareOptions, dare } from "./dare.ts";
export { type FisherInformationOptions, type FisherOptions, fisher, fisherInformation } from "./fisher.ts";
export { type GreedySoup, type GreedySoupOptions, greedySoup } from "./greedy-soup.ts";
export type { MergeMethod, TensorToMerge } from "./method.ts";
export { type SlerpOptions, slerp } from "./slerp.ts";
export { type TaskArithmeticOptions, taskArithmetic } from "./task-arithmetic.ts";
export { type MergeModelsOptions, mergeModules, mergeTensors, type TensorsByPath, tensorsOfModule } from "./tensors.ts";
export { type TiesOptions, ties } from "./ties.ts";
