/** If: branches that cannot take the shapes of the inputs. */
import { expect, test } from "vitest";
import { ShapeError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import { runOriginal, runRead, uniform } from "../testing/beside-runtime.ts";
import { fileOfGraph, node, stored, typed } from "../testing/build-file.ts";

/** A product with one of two matrices, by a rate, as detectors of speech are written for two. */
const file = (first: number, second: number) => {
  const branch = (weight: string, output: string) => ({
    graph: { node: [node("MatMul", ["x", weight], [output])], output: [typed(output, "float32", "batch", 3)] },
  });
  return fileOfGraph({
    input: [typed("x", "float32", "batch", "samples"), typed("rate", "int64")],
    node: [
      node("Equal", ["rate", "fast"], ["isFast"]),
      node("If", ["isFast"], ["y"], { then_branch: branch("a", "p"), else_branch: branch("b", "q") }),
    ],
    output: [typed("y", "float32", "batch", 3)],
    initializer: [
      stored("fast", tensor(16_000, { dtype: "int64" })),
      stored("a", uniform(1, first, 3)),
      stored("b", uniform(2, second, 3)),
    ],
  });
};
const feeds = (rate: number) => ({ x: uniform(3, 2, 4), rate: tensor(rate, { dtype: "int64" }) });

test.each([
  ["the first", file(4, 5), 16_000, 8000],
  ["the second", file(5, 4), 8000, 16_000],
])("%s takes them: it runs, and the other gives NaN", async (_, bytes, asked, other) => {
  const [expected, got] = [await runOriginal(bytes, feeds(asked)), await runRead(bytes, feeds(asked))];
  expect(got[0]?.toNumbers()).toEqual(expected[0]?.toNumbers());
  const [none] = await runRead(bytes, feeds(other));
  expect(none?.toNumbers()).toEqual(new Array<number>(6).fill(Number.NaN));
});

test("neither takes them: the error of the first", () =>
  expect(runRead(file(5, 6), feeds(8000))).rejects.toThrow(ShapeError));
