/** Whether models can be merged: the same names, shapes and types; what differs is named. */
import { DTypeError, OptionError, ShapeError } from "../../core/errors.ts";
import { type Shape, sameShape, showShape } from "../../core/shape.ts";

/** What a model says of a tensor. */
export interface TensorFacts {
  readonly shape: Shape;
  /** Element type by name. */
  readonly type: string;
}

/** A model by the facts of its tensors. */
export interface ModelFacts {
  /** In messages: its path, or "model 2". */
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorFacts>;
}

/** As many differences as a message can hold. */
function some(differences: readonly string[]): string {
  const shown = differences.slice(0, 4).join(", ");
  return differences.length > 4 ? `${shown} and ${differences.length - 4} others` : shown;
}

/**
 * Throws for models whose tensors are not the same by name (OptionError), shape (ShapeError) and type (DTypeError): each is compared with
 * the first.
 */
export function requireCompatible([first, ...others]: readonly ModelFacts[]): void {
  if (!first) throw new OptionError("merge: there are no models; pass two or more");
  if (first.tensors.size === 0) throw new OptionError(`merge: ${first.name} has no tensors; pass a model with weights`);
  for (const other of others) {
    const missing = [...first.tensors.keys()].filter((path) => !other.tensors.has(path));
    const beyond = [...other.tensors.keys()].filter((path) => !first.tensors.has(path));
    if (missing.length + beyond.length > 0)
      throw new OptionError(
        `models to merge of different tensors: ${[
          ...(missing.length > 0 ? [`${other.name} lacks ${some(missing)}`] : []),
          ...(beyond.length > 0 ? [`${first.name} lacks ${some(beyond)}`] : []),
        ].join("; ")}; merge models of one architecture`,
      );
    const pairs = Array.from(first.tensors, ([path, own]) => [path, own, other.tensors.get(path) ?? own] as const);
    const shapes = pairs.filter(([, own, its]) => !sameShape(own.shape, its.shape));
    if (shapes.length > 0)
      throw new ShapeError(
        `models to merge of different shapes: ${some(shapes.map(([path, own, its]) => `${path} is ${showShape(own.shape)} in ${first.name} and ${showShape(its.shape)} in ${other.name}`))}; merge models of one architecture`,
      );
    const types = pairs.filter(([, own, its]) => own.type !== its.type);
    if (types.length > 0)
      throw new DTypeError(
        `models to merge of different types: ${some(types.map(([path, own, its]) => `${path} is ${own.type} in ${first.name} and ${its.type} in ${other.name}`))}; convert one of them first`,
      );
  }
}
