/** Shapes of a file's inputs whose extents have names. */
import { expect, test } from "vitest";
import { elementTypeOf } from "../../onnx/tensor.ts";
import { ShapeChooser } from "./shapes.ts";

test("an extent that is a sum of names follows from them, in whatever order the inputs stand", () => {
  const chooser = new ShapeChooser({ sequence: 6, batch: 2 });
  const type = elementTypeOf(7);
  const settled = [
    { name: "input_ids", extents: ["batch", "sequence_length"] },
    { name: "attention_mask", extents: ["batch", "past_sequence_length + sequence_length"] },
    { name: "past_key_values.0.key", extents: ["batch", 4, "past_sequence_length", 8] },
    { name: "positions", extents: ["batch", "past_sequence_length + 1"] },
  ].map(({ name, extents }, i) => chooser.settle({ name, type, extents }, i === 0));
  expect(settled).toEqual([
    [2, 6],
    [2, 12],
    [2, 4, 6, 8],
    [2, 7],
  ]);
});
