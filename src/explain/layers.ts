/** What lies between the input and the scores in a graph: the values that follow from the input, and which layer gives which. */
import { isFloat } from "../core/dtype.ts";
import { nearest, OptionError } from "../core/errors.ts";
import { type Node, nodesOf, type Value } from "../graph/ir.ts";

/** Every value that follows from x, or several, on the way to an output, of any dtype, and x. @param boundary where the way begins; default the graph's inputs */
export function dependentsOf(
  x: Value | readonly Value[],
  output: Value,
  boundary?: ReadonlySet<Value>,
): ReadonlySet<Value> {
  const found = new Set<Value>(Array.isArray(x) ? x : [x as Value]);
  for (const node of nodesOf([output], boundary))
    if (node.inputs.some((value) => value && found.has(value))) for (const own of node.outputs) found.add(own);
  return found;
}

/** The path of the layer that made a node, in the module or by its name in the file; `""` is the model itself. */
export const layerPath = ({ scope }: Node): string =>
  scope?.path.replace(/^scores(?=\.|$)\.?/, "").replace(/^model(?=\.|$)\.?/, "") ?? "";

/** What each layer gives, floats that follow from the input, by its path, in the order in which they are computed. */
export function layerValues(
  x: Value,
  output: Value,
  fits: (value: Value) => boolean = () => true,
): ReadonlyMap<string, Value> {
  const dependents = dependentsOf(x, output);
  const found = new Map<string, Value>();
  for (const node of nodesOf([output])) {
    const value = node.outputs[0];
    if (!dependents.has(value) || !isFloat(value.dtype) || !fits(value)) continue;
    const path = layerPath(node);
    // What a layer's last part gives, the layer gives.
    for (let own = path; own !== ""; own = own.slice(0, Math.max(0, own.lastIndexOf(".")))) {
      found.delete(own);
      found.set(own, value);
    }
  }
  return found;
}

/** Paths that an error lists at most. */
const listed = 24;

/** What the layer of a path gives. Throws OptionError for one that there is not, with those there are. */
export function layerValue(where: string, values: ReadonlyMap<string, Value>, path: string): Value {
  const found = values.get(path);
  if (found) return found;
  const paths = [...values.keys()];
  const closest = nearest(path, paths);
  const shown = paths.slice(-listed).join(", ");
  const more = paths.length > listed ? `, and ${paths.length - listed} before them` : "";
  throw new OptionError(
    `${where}: there is no such layer "${path}"${closest === undefined ? "" : `; did you mean "${closest}"?`}${
      closest === undefined ? ";" : ""
    } ${paths.length === 0 ? "the graph names no layers" : `there are ${shown}${more}`}`,
  );
}
