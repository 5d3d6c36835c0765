/** How models are served, whatever they are opened from. */
import type { CompileOptions } from "../../jit/compile.ts";
import type { AdapterPath } from "./adapters.node.ts";
import type { BatchingOptions } from "./batched-tensors.ts";
import type { WritingOptions } from "./writing.ts";

/** How models are served. */
export interface ServedOptions {
  readonly batching: BatchingOptions;
  readonly writing: WritingOptions;
  readonly compile: CompileOptions;
  /** Of runs: the weights of the best epoch. */
  readonly best?: boolean | undefined;
  /** Of a run of your own recipe: the recipe, whose code is run. */
  readonly recipe?: string | undefined;
  /** Adapters of a language model that requests may choose. */
  readonly adapters: readonly AdapterPath[];
  /** Bytes of memory that are free. */
  readonly free: () => number;
}
