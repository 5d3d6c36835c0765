/** What the engine refuses is told in our words, with the place in the model. */
import { expect, test } from "vitest";
import { DataError, InternalError, RuntimeError } from "../core/errors.ts";
import { tensor } from "../core/tensor.ts";
import { graphOf, input } from "../graph/ir.ts";
import { div, gather } from "../ops/index.ts";
import { compile } from "./compile.ts";
import { engineError } from "./engine-errors.ts";

const [x, at] = [input("float32", [3, 2], "x"), input("int64", [1], "at")];
// Computed in the graph, so that it is not checked where it is fed.
const picked = gather(x, div(at, 2));
const graph = graphOf([x, at], [picked]);

test("an index outside is named, with what is possible", async () => {
  const { run, session } = await compile([x, at], [picked]);
  const failure = await run([
    tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
    tensor([14], { dtype: "int64" }),
  ]).catch((error) => error);
  expect(failure).toBeInstanceOf(DataError);
  expect(failure.message).toMatch(/was given an index outside of what it picks from: 7, where -3 to 2 are possible/);
  expect(failure.message).not.toMatch(/onnxruntime|\.cc|Status/);
  await session.release();
});

test("too little memory is told as such, in all the ways in which engines say it", () => {
  for (const said of [
    "std::bad_alloc",
    "Failed to allocate memory for requested buffer of size 12345",
    "Array buffer allocation failed",
  ]) {
    const told = engineError(new RuntimeError(said), "running", graph) as Error;
    expect(told).toBeInstanceOf(RuntimeError);
    expect(told.message).toMatch(/^there is not enough memory to compute this; take a smaller batch/);
  }
});

test("anything else is a defect of ours, with the engine's words for the report", () => {
  const told = engineError(new RuntimeError("Status Message: what nobody foresaw"), "compiling", graph) as Error;
  expect(told).toBeInstanceOf(InternalError);
  expect(told.message).toBe(
    "internal: ONNX Runtime refused a graph when compiling it: Status Message: what nobody foresaw",
  );
  const other = new TypeError("of something else");
  expect(engineError(other, "running", graph)).toBe(other);
});
