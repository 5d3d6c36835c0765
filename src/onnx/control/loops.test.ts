/** Loop and Scan, whose steps are written out; expected numbers are computed by hand. */
import { describe, expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.ts";
import { memorySource } from "../../core/byte-source.ts";
import { FileError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import { compile } from "../../jit/compile.ts";
import { ones } from "../../ops/index.ts";
import type { Message } from "../codec.ts";
import { importModel } from "../import.ts";
import { flag, float, graphAttribute, model, node, whole } from "../testing/files.ts";

const read = (bytes: Uint8Array) => importModel(memorySource(bytes));

/** The outputs of a model for its inputs. */
async function run(bytes: Uint8Array, ...inputs: readonly (readonly number[])[]) {
  const { graph, unknown } = read(bytes);
  expect([...unknown.values()]).toEqual([]);
  const { run: execute, session } = await compile(graph.inputs, graph.outputs, { threads: 1 });
  const results = await execute(
    inputs.map((numbers, i) => tensor(numbers.slice(), { shape: graph.inputs[i]?.shape ?? [] })),
  );
  await session.release();
  return results.map((result) => result.toNumbers());
}

const scalar = (name: string, elem_type: number): Message => ({
  name,
  type: { tensor_type: { elem_type, shape: { dim: [] } } },
});
const attributes = (...attribute: readonly Message[]) => ({ attribute });
const loop = (inputs: readonly string[], outputs: readonly string[], body: Message): Message =>
  node("Loop", inputs, outputs, attributes(graphAttribute("body", body)));

/** h' = 2 h + i, which is also given at each step, for as long as the condition holds that the nodes compute. */
const doubling = (condition: readonly Message[]): Message => ({
  input: [scalar("i", 7), scalar("c", 9), float("h", 2)],
  output: [{ name: "next" }, { name: "h2" }, { name: "seen" }],
  node: [
    node("Cast", ["i"], ["float_i"], attributes({ name: "to", type: 2, i: 1 })),
    node("Add", ["h", "h"], ["twice"]),
    node("Add", ["twice", "float_i"], ["h2"]),
    node("Identity", ["h2"], ["seen"]),
    ...condition,
  ],
});
const always = [node("Identity", ["c"], ["next"])];
const x = { input: [float("x", 2)] };

describe("Loop", () => {
  test("of a known number of steps: its state, and what each gives", async () => {
    const bytes = model({
      ...x,
      output: [{ name: "h" }, { name: "all" }],
      node: [loop(["n", "", "x"], ["h", "all"], doubling(always))],
      initializer: [whole("n", 3)],
    });
    // x, 2 x + 0, 4 x + 1, 8 x + 4
    expect(await run(bytes, [1, -1])).toEqual([
      [12, -4],
      [2, -2, 5, -3, 12, -4],
    ]);
  });

  test("that ends by a condition that is known at each step", async () => {
    const bytes = model({
      ...x,
      output: [{ name: "h" }, { name: "all" }],
      node: [loop(["", "go", "x"], ["h", "all"], doubling([node("Less", ["i", "one"], ["next"])]))],
      initializer: [whole("one", 1), flag("go", true)],
    });
    expect(await run(bytes, [1, 0])).toEqual([
      [5, 1],
      [2, 0, 5, 1],
    ]);
  });

  test("that ends by a condition on data, within a number of steps", async () => {
    const body = {
      input: [scalar("i", 7), scalar("c", 9), float("h", 2)],
      output: [{ name: "next" }, { name: "h2" }],
      node: [
        node("Add", ["h", "h"], ["h2"]),
        node("ReduceMax", ["h2"], ["most"], attributes({ name: "keepdims", type: 2, i: 0 })),
        node("Less", ["most", "bound"], ["next"]),
      ],
    };
    const bytes = model({
      ...x,
      node: [loop(["n", "", "x"], ["y"], body)],
      initializer: [whole("n", 5), { name: "bound", dims: [], data_type: 1, float_data: [10] }],
    });
    expect(await run(bytes, [3, 1])).toEqual([[12, 4]]);
    expect(await run(bytes, [0.1, 0])).toEqual([[Math.fround(3.2), 0]]);
  });

  test("of a state that is a number has a gradient", async () => {
    const { graph } = read(
      model({ ...x, node: [loop(["n", "", "x"], ["y", "all"], doubling(always))], initializer: [whole("n", 3)] }),
    );
    const [y] = graph.outputs;
    if (!y) return expect.fail("no output");
    const slopes = gradients([y], [ones(y.shape)], graph.inputs);
    const { run: execute, session } = await compile(graph.inputs, slopes, { threads: 1 });
    const [g] = await execute([tensor([1, 2])]);
    await session.release();
    expect(g?.toNumbers()).toEqual([8, 8]);
  });

  const why = (bytes: Uint8Array) => [...read(bytes).unknown.values()].map((reason) => reason.why);

  test("that no number of steps ends is named only", () => {
    const condition = [
      node("ReduceMax", ["h2"], ["most"], attributes({ name: "keepdims", type: 2, i: 0 })),
      node("Less", ["most", "bound"], ["next"]),
    ];
    const bound = { name: "bound", dims: [], data_type: 1, float_data: [10] };
    const onData = model({
      ...x,
      node: [loop(["", "", "x"], ["y", "all"], doubling(condition))],
      initializer: [bound],
    });
    expect(why(onData)).toEqual([
      "Loop: its condition must be known while tracing, got a computed value; pass plain numbers",
    ]);
    const long = model({
      ...x,
      node: [loop(["n", "", "x"], ["y", "all"], doubling(always))],
      initializer: [whole("n", 5000)],
    });
    expect(why(long)).toEqual(["Loop: it takes more than 4096 steps, which are too many to write out"]);
  });

  test("within one another, of too many steps in all, are refused", () => {
    const inner: Message = {
      input: [scalar("j", 7), scalar("d", 9), float("k", 2)],
      output: [{ name: "d2" }, { name: "k2" }],
      node: [node("Identity", ["d"], ["d2"]), node("Neg", ["k"], ["k2"])],
    };
    const outer: Message = {
      input: [scalar("i", 7), scalar("c", 9), float("h", 2)],
      output: [{ name: "c2" }, { name: "h2" }],
      node: [node("Identity", ["c"], ["c2"]), loop(["n", "", "h"], ["h2"], inner)],
    };
    const bytes = model({ ...x, node: [loop(["n", "", "x"], ["y"], outer)], initializer: [whole("n", 4000)] });
    expect(() => read(bytes)).toThrow(FileError);
    expect(() => read(bytes)).toThrow("written out it has more than");
  });
});

test("Scan along the second axis and backwards: running sums", async () => {
  const body: Message = {
    input: [float("sum", 2), float("a", 2)],
    output: [{ name: "sum2" }, { name: "seen" }],
    node: [node("Add", ["sum", "a"], ["sum2"]), node("Identity", ["sum2"], ["seen"])],
  };
  const list = (name: string, value: number): Message => ({ name, type: 7, ints: [value] });
  const bytes = model({
    input: [float("s", 2), float("x", 2, 3)],
    output: [{ name: "last" }, { name: "all" }],
    node: [
      node("Scan", ["s", "x"], ["last", "all"], {
        attribute: [
          graphAttribute("body", body),
          { name: "num_scan_inputs", type: 2, i: 1 },
          list("scan_input_axes", 1),
          list("scan_input_directions", 1),
          list("scan_output_axes", 1),
          list("scan_output_directions", 1),
        ],
      }),
    ],
  });
  // From the end: [3, 6], [5, 11], [6, 15]; written from the end too.
  expect(await run(bytes, [0, 0], [1, 2, 3, 4, 5, 6])).toEqual([
    [6, 15],
    [6, 5, 3, 15, 11, 6],
  ]);
});
