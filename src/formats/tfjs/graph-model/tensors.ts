/** The stored tensors of a TensorFlow graph: which are trained weights, under which paths, and which of those are statistics. */
import { isFloat } from "../../../core/dtype.ts";
import { FileError } from "../../../core/errors.ts";
import type { FileTensor } from "../../../import/imported-graph.ts";
import type { StoredWeight } from "../manifest.ts";
import { type GraphFile, type GraphNode, isPlaceholder } from "./graph-def.ts";
import { passedOn } from "./operators/elementwise.ts";
import { statisticsOf } from "./operators/window.ts";
import { Scopes } from "./scopes.ts";

/** A tensor of the file, under a name as a path. */
export interface GraphTensor extends FileTensor {
  readonly stored: StoredWeight;
}

/** Nodes that stand for a tensor of the manifest. */
const stores: ReadonlySet<string> = new Set(["Const", "VarHandleOp"]);
export const isStored = (op: string): boolean => stores.has(op);

/** Whether a stored tensor is a trained weight, as far as a file says: a float with at least one axis. */
export const isWeight = ({ dtype, shape }: StoredWeight): boolean =>
  dtype !== undefined && isFloat(dtype) && shape.length > 0;

/** The layers of a file's names. */
export const scopesOf = ({ nodes }: GraphFile): Scopes =>
  new Scopes(nodes.flatMap(({ name, op }) => (isStored(op) || isPlaceholder(op) ? [] : [name])));

/** The tensor that a node stands for. Throws FileError when the manifest does not have it. */
export function tensorOf(
  { name }: GraphNode,
  manifest: ReadonlyMap<string, StoredWeight>,
  scopes: Scopes,
): GraphTensor {
  const stored = manifest.get(name);
  if (!stored)
    throw new FileError(`tfjs: the tensor "${name}" of the graph is not in weightsManifest; convert the model again`);
  return { name: scopes.weight(name), shape: stored.shape, type: stored.type, stored };
}

/** A weight, and whether it is a running statistic. */
export interface GraphWeight extends GraphTensor {
  readonly isBuffer: boolean;
}

/** The weights of a file, found without any shape. */
export function weightsOfGraph(file: GraphFile, manifest: ReadonlyMap<string, StoredWeight>): readonly GraphWeight[] {
  const byName = new Map(file.nodes.map((node) => [node.name, node]));
  const scopes = scopesOf(file);
  const statistics = new Set<string>();
  for (const node of file.nodes)
    for (const position of statisticsOf(node)) {
      let source = byName.get(node.inputs[position]?.node ?? "");
      while (source && passedOn.has(source.op)) source = byName.get(source.inputs[0]?.node ?? "");
      if (source) statistics.add(source.name);
    }
  const names = new Set<string>();
  return file.nodes
    .filter(({ op }) => isStored(op))
    .map((node) => ({ ...tensorOf(node, manifest, scopes), isBuffer: statistics.has(node.name) }))
    .filter((tensor) => {
      if (!isWeight(tensor.stored)) return false;
      if (names.has(tensor.name))
        throw new FileError(
          `tfjs: two tensors have the path "${tensor.name}", of which one is "${tensor.stored.name}"; names must differ, convert the model again`,
        );
      names.add(tensor.name);
      return true;
    });
}
