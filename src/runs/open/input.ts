/** From raw inputs to what a model takes. */
import { DTypeError, OptionError, ShapeError } from "../../core/errors.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { TensorType, Value } from "../../graph/ir.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { jit } from "../../jit/jit.ts";
import { isTensorType, type TypeTree } from "../../nn/index.ts";
import { cast, div } from "../../ops/index.ts";
import type { InputFormat, RecipeNetwork } from "../recipes/recipe.ts";

/** The type of the one tensor that a model takes. Throws OptionError where it takes several. */
export function inputTypeOf(inputs: TypeTree): TensorType {
  if (isTensorType(inputs)) return inputs;
  const entries = Object.entries(inputs as Readonly<Record<string, TypeTree | undefined>>);
  const [only] = entries;
  if (entries.length === 1 && only && isTensorType(only[1])) return only[1];
  throw new OptionError(
    `the model takes ${entries.map(([name]) => name).join(", ")}, and one input is given; ask it from code: predictor(model)({ ${entries.map(([name]) => name).join(", ")} })`,
  );
}

/** The type of raw inputs: bytes of images, else numbers. */
export const rawTypeOf = ({ image }: InputFormat, inputs: TypeTree): TensorType => {
  const { shape } = inputTypeOf(inputs);
  return { dtype: image ? "uint8" : "float32", shape };
};

/** How raw inputs are prepared where the format does not say. */
export const usualPreparation =
  (dtype: TensorType["dtype"]) =>
  (raw: Value): Value =>
    raw.dtype === "uint8" && dtype === "float32" ? div(cast(raw, "float32"), 255) : cast(raw, dtype);

/** A function from raw inputs [N, …] to what a model takes. */
export function preparation(
  { inputs, format = {} }: Pick<RecipeNetwork, "inputs"> & { readonly format?: InputFormat },
  compile: CompileOptions,
): (raw: Tensor) => Promise<Tensor> {
  const { dtype, shape } = inputTypeOf(inputs);
  const run = jit(format.prepare ?? usualPreparation(dtype), compile);
  return async (raw) => {
    // The preparation could resize another shape to the one that the model takes.
    if (format.prepare && !sameShape(raw.shape.slice(1), shape.slice(1)))
      throw new ShapeError(
        `the input is ${showShape(raw.shape)}, expected [samples, ${shape.slice(1).join(", ")}]; pass samples of that shape`,
      );
    const prepared = await run(raw);
    if (prepared.dtype !== dtype)
      throw new DTypeError(`the recipe prepares inputs as ${prepared.dtype}, and the model takes ${dtype}; cast them`);
    return prepared;
  };
}
