/** Nodes that stand for what we cannot compute or whose shapes are not known: named, counted, without a gradient. */
import type { TensorType } from "../graph/ir.ts";
import { defineOp, type OpDef } from "../graph/op.ts";
import { kindOf } from "../ops/registry.ts";

/** Why a node is not understood whole. */
export interface UnknownReason {
  /** The operator itself is not known, or only the shapes here. */
  readonly kind: "operator" | "shape";
  readonly why: string;
  /** Names of graph inputs whose elements it must know while it is built. */
  readonly computedFrom?: readonly string[];
}

/**
 * An operator of a file's name with outputs of given types. What is known of `op` (its kind, whether it contracts) stays;
 * what a sum of products costs is not known, which NaN says.
 */
export function unknownOp(type: string, domain: string, op: OpDef | undefined, types: readonly TensorType[]): OpDef {
  const rules = {
    arity: "0-",
    domain,
    infer: () => types,
    grad: "none",
    flops: () => (op?.contracts ? Number.NaN : 0),
    kind: op ? kindOf(op) : "other",
    statistics: op?.statistics ?? [],
    settings: op?.settings ?? [],
  } as const;
  return defineOp(type, op?.contracts ? { ...rules, macs: () => Number.NaN } : rules);
}
