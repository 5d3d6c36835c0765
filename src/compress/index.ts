/** Smaller and merged models, in any environment. */
export * from "./merge/index.ts";
export * from "./prune/index.ts";
