/** Pytrees: values nested in arrays and plain objects, flattened to a list and rebuilt. */

/** A leaf, or arrays and plain objects of trees. */
export type Tree<T> = T | readonly Tree<T>[] | { readonly [key: string]: Tree<T> };

/**
 * The same nesting as `X`, with every leaf of type `From` replaced by `To`. An interface counts as a leaf, as an instance of a class
 * does: name the type of a plain object by `type`.
 */
export type MapTree<X, From, To> = X extends From
  ? To
  : X extends readonly unknown[] | Readonly<Record<string, unknown>>
    ? { [K in keyof X]: MapTree<X[K], From, To> }
    : X;

/** Whether a value is a plain object, not an instance of a class. */
export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));

/** Calls `visit` on every leaf, depth first, object keys in insertion order; returns the tree of results. */
export function mapTree(tree: unknown, visit: (leaf: unknown, path: string) => unknown, path = ""): unknown {
  const at = (key: string | number) => (path === "" ? String(key) : `${path}.${key}`);
  if (Array.isArray(tree)) return tree.map((item, i) => mapTree(item, visit, at(i)));
  if (isPlainObject(tree))
    return Object.fromEntries(Object.entries(tree).map(([key, item]) => [key, mapTree(item, visit, at(key))]));
  return visit(tree, path);
}

/** Leaves with their paths (`layers.0.weight`), depth first. */
export function leavesOf(tree: unknown): { readonly path: string; readonly leaf: unknown }[] {
  const leaves: { path: string; leaf: unknown }[] = [];
  mapTree(tree, (leaf, path) => leaves.push({ path, leaf }));
  return leaves;
}
