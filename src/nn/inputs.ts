/** What a module takes: one tensor, tensors by name, or any pytree of tensors. */
import { OptionError, ShapeError, unknownName } from "../core/errors.ts";
import { isPlainObject, leavesOf } from "../core/tree.ts";
import { type TensorType, Value } from "../graph/ir.ts";

/** The names of a module's inputs, and which of them may be left out. */
export type NamedInputs = Readonly<Record<string, "required" | "optional">>;

/**
 * How a module takes its inputs: one tensor, which a batch calls `x`; tensors by name; or any pytree of tensors.
 * @example readonly inputs = { image: "required", table: "required" } as const;
 */
export type InputForm = "tensor" | "tree" | NamedInputs;

/** What `apply` takes: the inputs, or a tensor alone where the first of them is called `x`. */
export type Given<I> = I | (I extends { readonly x: Value } ? Value : never);

/** Tensor types in arrays and plain objects, nested as the inputs of a module are. */
export type TypeTree = TensorType | readonly TypeTree[] | { readonly [name: string]: TypeTree | undefined };

/** Whether an item has the type of a tensor: a type, a host tensor, a graph value. */
export const isTensorType = (item: unknown): item is TensorType =>
  typeof item === "object" &&
  item !== null &&
  typeof (item as Partial<TensorType>).dtype === "string" &&
  Array.isArray((item as Partial<TensorType>).shape);

/** Calls `visit` on every type, which mapTree would take for a tree; returns what it gives, nested alike. */
export function mapTypes<T>(
  tree: TypeTree | undefined,
  visit: (type: TensorType, path: string) => T,
  path = "",
): unknown {
  const at = (key: string | number) => (path === "" ? String(key) : `${path}.${key}`);
  if (isTensorType(tree)) return visit(tree, path);
  if (Array.isArray(tree)) return tree.map((item, i) => mapTypes(item, visit, at(i)));
  if (!isPlainObject(tree)) return tree;
  return Object.fromEntries(
    Object.entries(tree).map(([key, item]) => [key, mapTypes(item as TypeTree | undefined, visit, at(key))]),
  );
}

/** The graph values of a pytree, depth first; everything else in it is passed over. */
export const valuesOf = (tree: unknown): readonly Value[] =>
  tree instanceof Value ? [tree] : leavesOf(tree).flatMap(({ leaf }) => (leaf instanceof Value ? [leaf] : []));

/** `x and mask` of their names; `a tensor` of a tensor alone. */
function describe(given: unknown): string {
  if (given instanceof Value) return `a tensor ${given}`;
  if (Array.isArray(given)) return `a list of ${given.length}`;
  return isPlainObject(given) ? `{ ${Object.keys(given).join(", ")} }` : `a ${typeof given}`;
}

/** A record without the entries that are undefined. */
export const presentOf = <T>(record: Readonly<Record<string, T | undefined>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter((entry): entry is [string, T] => entry[1] !== undefined));

/**
 * The inputs as the module's `call` takes them. Throws ShapeError for a record where one tensor is taken, OptionError for a
 * name that is not taken or one that is missing.
 */
export function inputsFor(form: InputForm, given: unknown): unknown {
  if (form === "tree" || (form === "tensor" && given instanceof Value)) return given;
  if (form === "tensor" && isPlainObject(given) && given["x"] instanceof Value && Object.keys(given).length === 1)
    return given["x"];
  if (form === "tensor")
    throw new ShapeError(
      `takes one tensor, got ${describe(given)}; pass one, or say what it takes by name: readonly inputs = { image: "required", mask: "optional" } as const`,
    );
  const [first = "x"] = Object.keys(form);
  const record = given instanceof Value ? { ["x" in form ? "x" : first]: given } : underOnlyName(form, given);
  if (!isPlainObject(record))
    throw new OptionError(`takes its inputs by name, ${Object.keys(form).join(", ")}, got ${describe(given)}`);
  for (const name of Object.keys(record))
    if (!Object.hasOwn(form, name)) throw unknownName("input", name, Object.keys(form));
  for (const [name, need] of Object.entries(form))
    if (need === "required" && record[name] === undefined)
      throw new OptionError(
        `lacks its input "${name}", got ${describe(given)}; pass { ${Object.keys(form).join(", ")} }${optionalNames(form)}`,
      );
  return record;
}

/** Whether names lack that of a module's only input, for which `x` stands then. */
const isCalledX = (form: InputForm, names: readonly string[]): boolean => {
  const [only, ...others] = typeof form === "object" ? Object.keys(form) : [];
  return only !== undefined && others.length === 0 && !names.includes(only) && names.includes("x");
};

/** `{ x }` under the name of a module's only input. */
function underOnlyName(form: NamedInputs, given: unknown): unknown {
  if (!isPlainObject(given) || !isCalledX(form, Object.keys(given))) return given;
  const { x, ...rest } = given;
  return { [Object.keys(form)[0] as string]: x, ...rest };
}

const optionalNames = (form: NamedInputs): string => {
  const names = Object.keys(form).filter((name) => form[name] === "optional");
  return names.length > 0 ? `, of which ${names.join(", ")} may be left out` : "";
};

/** The names of a batch that a module takes, of those that are there; `x` is taken for an only input, whatever its name. */
export function takenNames(form: InputForm, available: readonly string[]): readonly string[] {
  if (form === "tree") return available;
  if (isCalledX(form, available)) return ["x"];
  return (form === "tensor" ? ["x"] : Object.keys(form)).filter((name) => available.includes(name));
}

/** The part of a record, such as a batch, that a module takes: the tensor itself where it takes one. */
export function takenOf<T>(form: InputForm, record: Readonly<Record<string, T>>): T | Readonly<Record<string, T>> {
  const names = takenNames(form, Object.keys(record));
  if (form === "tensor") {
    const { x } = record;
    if (x !== undefined) return x;
    throw new OptionError(
      `the model takes one tensor, which a batch calls x, and this one has ${Object.keys(record).join(", ")}; rename it: map(({ image, y }) => ({ x: image, y }))`,
    );
  }
  return Object.fromEntries(names.map((name) => [name, record[name] as T]));
}
