/** Models of files that choose between two graphs while they run: one of them runs, is trained, and is written again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { nodesOf, type Value } from "../graph/ir.ts";
import { compile } from "../jit/compile.ts";
import { ParameterInputs } from "../nn/parameter-inputs.ts";
import type { Message } from "../onnx/codec.ts";
import { float, graphAttribute, model, node, whole } from "../onnx/testing/files.ts";
import { ones } from "../ops/index.ts";
import { predict } from "../train/predict.ts";
import { loadModel } from "./files/load-model.node.ts";
import { saveModel } from "./files/save-model.node.ts";
import type { ImportedModule } from "./imported-module.ts";
import { modelFromOnnx } from "./onnx-model.ts";

const condition: Message = { name: "c", type: { tensor_type: { elem_type: 9, shape: { dim: [] } } } };
const matrix = (name: string, ...elements: readonly number[]): Message => ({
  name,
  dims: [2, 2],
  data_type: 1,
  float_data: elements,
});
const branch = (name: string, ...nodes: readonly Message[]): Message =>
  graphAttribute(name, { node: nodes, output: [{ name }] });

/** x a where c holds, else x b. */
const choosing = model({
  input: [float("x", 1, 2), condition],
  node: [
    node("If", ["c"], ["y"], {
      attribute: [
        branch("then_branch", node("MatMul", ["x", "a"], ["then_branch"])),
        branch("else_branch", node("MatMul", ["x", "b"], ["else_branch"])),
      ],
    }),
  ],
  initializer: [matrix("a", 1, 2, 3, 4), matrix("b", -1, 0, 0, -1)],
});
const x = tensor([[1, 10]]);
const flag = (value: boolean): Tensor => tensor(value);
const ask = async (of: ImportedModule, c: boolean, rows: Tensor = x) =>
  ((await predict(of, { x: rows, c: flag(c) })) as Tensor).toNumbers();

test("of either branch", async () => {
  const loaded = modelFromOnnx(choosing);
  expect(await ask(loaded, true)).toEqual([31, 42]);
  expect(await ask(loaded, false)).toEqual([-1, -10]);
});

test("what is not chosen does not run", async () => {
  // A lookup far outside its table, which the engine refuses to make.
  const bytes = model({
    input: [float("x", 1, 2), condition],
    node: [
      node("If", ["c"], ["y"], {
        attribute: [
          branch("then_branch", node("Neg", ["x"], ["then_branch"])),
          branch(
            "else_branch",
            node("Cast", ["x"], ["places"], { attribute: [{ name: "to", type: 2, i: 7 }] }),
            node("Add", ["places", "far"], ["outside"]),
            node("GatherElements", ["x", "outside"], ["else_branch"], { attribute: [{ name: "axis", type: 2, i: 1 }] }),
          ),
        ],
      }),
    ],
    initializer: [whole("far", 100)],
  });
  const loaded = modelFromOnnx(bytes);
  expect(await ask(loaded, true)).toEqual([-1, -10]);
  await expect(ask(loaded, false)).rejects.toThrow(
    "If was given an index outside of what it picks from; check the ids and positions in the data",
  );
});

test("the weights of the branch that runs have a gradient", async () => {
  const loaded = modelFromOnnx(choosing);
  const parameters = new ParameterInputs();
  const { inputs, output } = loaded.trace(
    { x: { dtype: "float32", shape: [1, 2] }, c: { dtype: "bool", shape: [] } },
    { bind: parameters.bind },
  );
  expect(nodesOf([output as Value]).map(({ op }) => op.type)).toEqual(["If"]);
  const slopes = gradients([output as Value], [ones([1, 2])], parameters.values);
  const { run, session } = await compile([...inputs, ...parameters.values], slopes, { threads: 1 });
  const [a, b] = await run([x, flag(true), ...parameters.tensors()]);
  await session.release();
  // y = x a: each column of a's gradient is x.
  expect([a?.toNumbers(), b?.toNumbers()]).toEqual([
    [1, 1, 10, 10],
    [0, 0, 0, 0],
  ]);
});

test("written and read again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-branches-"));
  try {
    await saveModel(modelFromOnnx(choosing), folder);
    const loaded = (await loadModel(folder)) as ImportedModule;
    expect([...loaded.parameters().keys()]).toEqual(["a", "b"]);
    expect(await ask(loaded, true)).toEqual([31, 42]);
    expect(await ask(loaded, false)).toEqual([-1, -10]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("for more samples than the file has", async () => {
  const loaded = modelFromOnnx(choosing);
  const rows = tensor([
    [1, 0],
    [0, 1],
  ]);
  expect(await ask(loaded, true, rows)).toEqual([1, 2, 3, 4]);
});
