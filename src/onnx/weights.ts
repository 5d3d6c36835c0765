/** Which stored tensors of a file are trained weights, and which are constants of the computation. */
import { size } from "../core/shape.ts";
import type { OpDef } from "../graph/op.ts";
import { kindOf } from "../ops/registry.ts";
import { fixedTableOf } from "./fixed-tables.ts";
import type { ModelFile } from "./model-file.ts";
import type { StoredTensor } from "./tensor.ts";

/** How the file keeps a tensor. */
export interface Storage {
  /** As a Constant node, not as an initializer. */
  readonly isNode: boolean;
  /** The file has weights among its initializers. */
  readonly hasInitializers: boolean;
}

/** Whether a stored tensor that an operator takes at a position is a trained weight; `op` is `undefined` for one that is not known. */
export type WeightRule = (stored: StoredTensor, op: OpDef | undefined, position: number, storage: Storage) => boolean;

/** Whether a file keeps its weights as initializers, as most do; elsewhere they are Constant nodes. */
export const hasInitializers = ({ graph }: ModelFile): boolean =>
  [...graph.initializers.values()].some(({ shape, type }) => shape.length > 0 && type.dtype.startsWith("float"));

/** Kinds of operators that have weights: of these even a single number may be one, the bias of a layer with one output, the slope of a PRelu. */
const weighted: ReadonlySet<string> = new Set(["dense", "convolution", "normalization", "recurrent", "activation"]);

/**
 * Files do not say which tensors were trained. A weight is a float tensor with at least one axis where an operator takes
 * data, not a setting such as a bound; a single number is one only where a layer takes it. Files with initializers keep constants as nodes, and some exporters weights too, which are
 * those that layers take; in the others every tensor is a node. Masks and sinusoids of positions are known by their elements. Numbers of 8 bits or fewer are quantized weights, and so are the biases that go with them.
 */
export function isWeight(
  stored: StoredTensor,
  op: OpDef | undefined,
  position: number,
  { isNode, hasInitializers }: Storage,
): boolean {
  const { shape, type } = stored;
  const isOfLayer = op !== undefined && weighted.has(kindOf(op));
  if (shape.length === 0 || op?.settings.includes(position) || (isNode && hasInitializers && !isOfLayer)) return false;
  const one = size(shape) === 1;
  if (/^b?float/.test(type.name)) return (!one || isOfLayer) && fixedTableOf(stored, op) === undefined;
  return !one && (/^u?int[48]$/.test(type.name) || (type.name === "int32" && op?.contracts === true));
}

/** Whether a stored tensor that is no weight is one of a model's buffers: several numbers that are no positions or extents. */
export const isBuffer = ({ shape, type }: StoredTensor): boolean =>
  size(shape) > 1 && (/float/.test(type.name) || /^u?int[48]$/.test(type.name));
