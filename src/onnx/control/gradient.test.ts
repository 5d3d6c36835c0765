/** Derivatives that a file asks for; expected numbers are computed by hand. */
import { expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import { run } from "../../formats/testing/run.ts";
import { float, model, node } from "../testing/files.ts";

const list = (name: string, ...texts: readonly string[]) => ({
  name,
  type: 8,
  strings: texts.map((text) => new TextEncoder().encode(text)),
});

test("at the values of the graph, and at others, wherever the node stands", async () => {
  const gradient = (inputs: readonly string[], output: string) =>
    node("Gradient", inputs, [output], {
      domain: "ai.onnx.preview.training",
      attribute: [list("xs", "x"), list("zs", "a"), { name: "y", type: 3, s: new TextEncoder().encode("y") }],
    });
  // y = x² a: its derivative by x is 2 x a
  const bytes = model({
    input: [float("x", 2), float("a", 2), float("b", 2)],
    output: [{ name: "here" }, { name: "there" }],
    node: [
      gradient(["x", "a"], "here"),
      gradient(["b", "a"], "there"),
      node("Mul", ["x", "x"], ["square"]),
      node("Mul", ["square", "a"], ["y"]),
    ],
  });
  const results = await run(modelFromOnnx(bytes), { x: tensor([1, 2]), a: tensor([3, 4]), b: tensor([10, 20]) });
  expect(results.map((result) => result.toNumbers())).toEqual([
    [6, 16],
    [60, 160],
  ]);
});
