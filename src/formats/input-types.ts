/** The types of a file's inputs: what it declares, and what is given of the rest. */
import { isFloat } from "../core/dtype.ts";
import { DTypeError, OptionError, ShapeError, unknownName } from "../core/errors.ts";
import { matching } from "../core/option-types.ts";
import { type Shape, showShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { isPlainObject } from "../core/tree.ts";
import type { TensorType } from "../graph/ir.ts";
import type { Declared } from "../import/declared.ts";
import { isTensorType } from "../nn/index.ts";

/** A type, or a shape whose dtype is the file's. */
export type GivenType = TensorType | Shape;

/** Types of inputs by name, or one for an only input. */
export type GivenTypes = GivenType | Readonly<Record<string, GivenType>>;

/** As an option; which inputs there are, the file says. */
export const givenTypes = matching<GivenTypes>(
  "shapes or types by name: { x: [1, 3, 224, 224] }",
  (value) => typeof value === "object" && value !== null,
);

/** Elements of inputs by name, as an option. */
export const givenConstants = matching<Readonly<Record<string, Tensor>>>(
  "tensors by name: { shape: tensor([2n, 3n]) }",
  (value) => isPlainObject(value) && Object.values(value).every((item) => item instanceof Tensor),
);

/**
 * The elements of inputs that are given. Throws OptionError for a name that no input has, DTypeError and ShapeError for a tensor that
 * the file contradicts.
 */
export function constantsByName(
  inputs: readonly Declared[],
  given: Readonly<Record<string, Tensor>> = {},
): ReadonlyMap<string, Tensor> {
  return new Map(
    Object.entries(given).map(([name, tensor]) => {
      const declared = inputs.find((input) => input.name === name);
      if (!declared)
        throw unknownName(
          "input",
          name,
          inputs.map((input) => input.name),
        );
      checkConstant(declared, tensor);
      return [name, tensor];
    }),
  );
}

function checkConstant({ name, type, extents }: Declared, { dtype, shape }: Tensor): void {
  if (type && type.dtype !== dtype)
    throw new DTypeError(`constants.${name} is ${dtype}, the file has ${type.dtype}; pass that`);
  const fits = extents?.every((extent, axis) => typeof extent !== "number" || extent === shape[axis]) ?? true;
  if (!fits || (extents && extents.length !== shape.length))
    throw new ShapeError(
      `constants.${name} is ${showShape(shape)}, the file has [${extents?.map((extent) => extent ?? "?").join(", ")}]; pass a tensor that fits`,
    );
}

/** The types of inputs by name. */
export type NamedTypes = Readonly<Record<string, TensorType>>;

const isShape = (given: unknown): given is Shape =>
  Array.isArray(given) && given.every((extent) => Number.isSafeInteger(extent) && extent >= 0);

/** What is given, by the names of inputs. Throws OptionError for a name that no input has, and for what is no type. */
export function typesByName(names: readonly string[], given: GivenTypes | undefined): ReadonlyMap<string, GivenType> {
  if (given === undefined) return new Map();
  const [only, ...others] = names;
  if (isShape(given) || isTensorType(given)) {
    if (only !== undefined && others.length === 0) return new Map([[only, given]]);
    throw new OptionError(`inputs is one type, and the file has ${names.join(", ") || "none"}; pass types by name`);
  }
  if (!isPlainObject(given))
    throw new OptionError(
      `inputs is a ${typeof given}; pass shapes or types by name: { inputs: { x: [1, 3, 224, 224] } }`,
    );
  return new Map(
    Object.entries(given).map(([name, type]) => {
      const own = name === "x" && !names.includes("x") && others.length === 0 && only !== undefined ? only : name;
      if (!names.includes(own)) throw unknownName("input", name, names);
      if (!isShape(type) && !isTensorType(type))
        throw new OptionError(`inputs.${name} is no shape and no type; pass extents such as [1, 3, 224, 224]`);
      return [own, type] as const;
    }),
  );
}

/**
 * The types of all inputs; `undefined` where an extent is left open and not given. An open batch is 1. Throws OptionError for a name
 * that no input has, ShapeError and DTypeError for what contradicts the file; only the batch may be another.
 */
export function settleTypes(inputs: readonly Declared[], given: GivenTypes | undefined): NamedTypes | undefined {
  const types = typesByName(
    inputs.map(({ name }) => name),
    given,
  );
  const symbols = new Map<string, number>();
  for (const declared of inputs) {
    const type = types.get(declared.name);
    if (type) checkType(declared, type, symbols);
  }
  const settled = inputs.map((declared) => {
    if (declared.isSequence || declared.isOptional) return undefined;
    const type = types.get(declared.name);
    const shape = type ? shapeOf(type) : declaredExtents(declared, symbols);
    const dtype = type && isTensorType(type) ? type.dtype : declared.type?.dtype;
    return shape && dtype ? ([declared.name, { dtype, shape }] as const) : undefined;
  });
  return settled.every((entry) => entry !== undefined) ? Object.fromEntries(settled) : undefined;
}

/**
 * Chooses the shapes of inputs one by one, as files are read: what is given, else what the file declares, with 1 for an open batch.
 * Throws ShapeError for an extent that is neither, and what settleTypes throws.
 */
export function shapeChooser(names: readonly string[], given: GivenTypes | undefined): (declared: Declared) => Shape {
  const types = typesByName(names, given);
  const symbols = new Map<string, number>();
  return (declared) => {
    const type = types.get(declared.name);
    if (type) checkType(declared, type, symbols);
    const shape = type ? shapeOf(type) : declaredExtents(declared, symbols);
    if (shape) return shape;
    const { name, extents } = declared;
    const shown = extents ? `[${extents.map((extent) => extent ?? "?").join(", ")}]` : "unknown, even its rank";
    throw new ShapeError(
      `the shape of input "${name}" is ${shown}; pass the extents to use: { inputs: { ${JSON.stringify(name)}: [1, …] } }`,
    );
  };
}

const shapeOf = (type: GivenType): Shape => (isTensorType(type) ? type.shape : type);

/** Throws for a type that the file contradicts; notes the extents of its symbols. */
function checkType({ name, type, extents }: Declared, given: GivenType, symbols: Map<string, number>): void {
  const shape = shapeOf(given);
  if (isTensorType(given) && type && given.dtype !== type.dtype && !(isFloat(given.dtype) && isFloat(type.dtype)))
    throw new DTypeError(`inputs.${name} is ${given.dtype}, the file has ${type.dtype}; pass that`);
  if (!extents) return;
  const fits =
    extents.length === shape.length &&
    extents.every((extent, axis) => axis === 0 || typeof extent !== "number" || extent === shape[axis]);
  if (!fits)
    throw new ShapeError(
      `inputs.${name} is ${showShape(shape)}, the file has [${extents.map((extent) => extent ?? "?").join(", ")}]; pass a shape that fits`,
    );
  for (const [axis, extent] of extents.entries()) if (typeof extent === "string") symbols.set(extent, shape[axis] ?? 1);
}

/** The extents that a file declares, with those of symbols that are known, and 1 for an open batch. */
function declaredExtents({ extents }: Declared, symbols: ReadonlyMap<string, number>): Shape | undefined {
  const known = extents?.map((extent, axis) => {
    if (typeof extent === "number") return extent;
    return (extent === undefined ? undefined : symbols.get(extent)) ?? (axis === 0 ? 1 : undefined);
  });
  return known?.every((extent) => extent !== undefined) ? (known as Shape) : undefined;
}
