/** A trained model as the bytes of an ONNX file, for any batch size where the model allows. */
import { InternalError } from "../core/errors.ts";
import { graphOf } from "../graph/ir.ts";
import { batchPolymorphic } from "../jit/polymorphic.ts";
import { encodeModel } from "../onnx/model.ts";
import { constant } from "../ops/constant.ts";
import type { Task } from "../runs/recipe.ts";

export interface OnnxModel {
  readonly bytes: Uint8Array;
  /** Why the model takes a batch of 1 only, if it does. */
  readonly obstacle: string | undefined;
}

/** Input `input`, and the model's extra ones by their names; output `output`; the parameters are constants, the classes and the recipe metadata. */
export function onnxModel(task: Task, recipe: string): OnnxModel {
  const { model, input } = task.deployed ?? task;
  const { type, extra: types = {} } = input;
  const { classes } = task;
  const { graph, symbols, obstacle } = batchPolymorphic((batch) => {
    const { x, extra, y } = model.trace(
      { dtype: type.dtype, shape: [batch, ...type.shape.slice(1)] },
      {
        extra: Object.fromEntries(
          Object.entries(types).map(([name, { dtype, shape }]) => [name, { dtype, shape: [batch, ...shape.slice(1)] }]),
        ),
        bind({ name, value }) {
          if (!value) throw new InternalError(`parameter "${name}" has no value to export`);
          return constant(value);
        },
      },
    );
    return graphOf([x, ...Object.values(extra)], [y]);
  });
  const bytes = encodeModel(graph, {
    inputNames: ["input", ...Object.keys(types)],
    outputNames: ["output"],
    symbols,
    metadata: { recipe, ...(classes && { classes: JSON.stringify(classes) }) },
  });
  return { bytes, obstacle };
}
