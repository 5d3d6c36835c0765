/** What merging adds in Node: models in files, mergekit's configs. */
export {
  type MergedFiles,
  type MergedTensor,
  type MergedType,
  type MergeFilesOptions,
  mergeFiles,
} from "./merge/merge-files.node.ts";
export { type MergekitPlan, readMergekit } from "./merge/mergekit.ts";
