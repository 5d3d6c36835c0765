/** Models of classical machine learning, whose weights are attributes: read as ONNX Runtime computes them, counted and trained. */
import { describe, expect, test } from "vitest";
import { onnxNetwork } from "../analyze/networks/onnx-network.ts";
import { inspectionOf } from "../analyze/testing/networks.ts";
import { memorySource } from "../core/byte-source.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { modelFromOnnx } from "../formats/onnx-model.ts";
import type { Message } from "./codec.ts";
import { importModel } from "./import.ts";
import { attributeTypeCodes } from "./schema.ts";
import { expectAsRuntime, runRead, uniform } from "./testing/beside-runtime.ts";
import { fileOfGraph, node, typed } from "./testing/build-file.ts";

const floats = (name: string, values: readonly number[]): Message => ({
  name,
  type: attributeTypeCodes.floats,
  floats: values,
});
const texts = (name: string, values: readonly string[]): Message => ({
  name,
  type: attributeTypeCodes.strings,
  strings: values.map((value) => new TextEncoder().encode(value)),
});

const x = uniform(1, 5, 4);
const numbers = (seed: number, count: number) => uniform(seed, count).toNumbers();

/** A file of nodes of ai.onnx.ml; each has attributes in the terms of onnx.proto beside the plain ones. */
function fileOf(nodes: readonly Message[], outputs: readonly string[]): Uint8Array {
  const opset_import = [
    { domain: "", version: 17 },
    { domain: "ai.onnx.ml", version: 3 },
  ];
  const graph = { input: [typed("x", "float32", 5, 4)], node: nodes, output: outputs.map((name) => ({ name })) };
  return fileOfGraph(graph, 17, { ir_version: 8, opset_import });
}
function classic(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  plain: Parameters<typeof node>[3],
  more: readonly Message[],
) {
  const made = node(`ai.onnx.ml.${type}`, inputs, outputs, plain);
  return { ...made, attribute: [...(made["attribute"] as readonly Message[]), ...more] };
}
const weights = (rows: number, transform: string) => [
  floats("coefficients", numbers(2, 4 * rows)),
  floats("intercepts", numbers(3, rows)),
  { name: "post_transform", type: attributeTypeCodes.string, s: new TextEncoder().encode(transform) },
];

describe("beside ONNX Runtime", () => {
  test.each<[string, Uint8Array]>([
    ["LinearRegressor", fileOf([classic("LinearRegressor", ["x"], ["y"], { targets: 2 }, weights(2, "NONE"))], ["y"])],
    ...(["NONE", "LOGISTIC", "SOFTMAX"] as const).map((transform): [string, Uint8Array] => [
      `LinearClassifier of three classes, ${transform}`,
      fileOf(
        [
          classic(
            "LinearClassifier",
            ["x"],
            ["label", "scores"],
            { classlabels_ints: [4, 2, 7] },
            weights(3, transform),
          ),
        ],
        ["label", "scores"],
      ),
    ]),
    [
      "LinearClassifier of two classes, a row each",
      fileOf(
        [classic("LinearClassifier", ["x"], ["label", "scores"], { classlabels_ints: [0, 1] }, weights(2, "LOGISTIC"))],
        ["label", "scores"],
      ),
    ],
    [
      "Scaler, Normalizer",
      fileOf(
        [
          classic("Scaler", ["x"], ["s"], {}, [floats("offset", numbers(2, 4)), floats("scale", numbers(3, 4))]),
          classic("Normalizer", ["s"], ["y"], { norm: "L2" }, []),
        ],
        ["y"],
      ),
    ],
  ])("%s", (_, file) => expectAsRuntime(file, { x }));
});

test("coefficients and intercepts are parameters, moments are buffers", () => {
  const file = fileOf(
    [
      classic("Scaler", ["x"], ["s"], {}, [floats("offset", numbers(2, 4)), floats("scale", numbers(3, 4))]),
      classic("LinearRegressor", ["s"], ["y"], { targets: 2 }, weights(2, "NONE")),
    ],
    ["y"],
  );
  const { weights: found, settings } = importModel(memorySource(file));
  expect([...found.values()].map(({ name, shape }) => [name, shape])).toEqual([
    ["y.coefficients", [2, 4]],
    ["y.intercepts", [2]],
  ]);
  expect(settings.map(({ tensor: own }) => own.name)).toEqual(["s.offset", "s.scale"]);
  expect([...modelFromOnnx(file).own.keys()]).toEqual(["y.coefficients", "y.intercepts"]);
});

test("classes that are named by texts are given by their numbers, scores by class as they are", async () => {
  const file = fileOf(
    [
      classic("LinearClassifier", ["x"], ["label", "p"], {}, [
        ...weights(3, "SOFTMAX"),
        texts("classlabels_strings", ["a", "b", "c"]),
      ]),
      classic("ZipMap", ["p"], ["scores"], {}, [texts("classlabels_strings", ["a", "b", "c"])]),
    ],
    ["label", "scores"],
  );
  const [label, scores] = (await runRead(file, { x })) as [Tensor, Tensor];
  const rows = Array.from({ length: 5 }, (_, row) => scores.toNumbers().slice(3 * row, 3 * row + 3));
  expect(label.toNumbers()).toEqual(rows.map((row) => row.indexOf(Math.max(...row))));
  expect(rows.every((row) => Math.abs(row.reduce((sum, own) => sum + own) - 1) < 1e-6)).toBe(true);
  expect(label).toEqual(tensor(label.toNumbers(), { dtype: "int64" }));
});

test("decision trees run, count as no parameters, and a note says so", async () => {
  const ints = (name: string, values: readonly number[]): Message => ({
    name,
    type: attributeTypeCodes.ints,
    ints: values,
  });
  const tree = [
    ...[ints("nodes_treeids", [0, 0, 0]), ints("nodes_nodeids", [0, 1, 2]), ints("nodes_featureids", [1, 0, 0])],
    texts("nodes_modes", ["BRANCH_LEQ", "LEAF", "LEAF"]),
    ...[
      floats("nodes_values", [0.25, 0, 0]),
      ints("nodes_truenodeids", [1, 0, 0]),
      ints("nodes_falsenodeids", [2, 0, 0]),
    ],
    ...[ints("class_treeids", [0, 0, 0]), ints("class_nodeids", [1, 2, 2]), ints("class_ids", [0, 1, 2])],
    ...[floats("class_weights", [1, 0.75, 0.25]), texts("classlabels_strings", ["a", "b", "c"])],
  ];
  const file = fileOf([classic("TreeEnsembleClassifier", ["x"], ["label", "scores"], {}, tree)], ["label", "scores"]);
  const [label] = (await runRead(file, { x })) as [Tensor];
  expect(label.toNumbers()).toEqual([0, 1, 2, 3, 4].map((row) => (Number(x.data[4 * row + 1]) <= 0.25 ? 0 : 1)));
  const { parameters, notes } = inspectionOf(onnxNetwork("test", importModel(memorySource(file))));
  expect(parameters.total).toBe(0);
  expect(notes).toEqual([
    "TreeEnsembleClassifier: 1 tree of 3 nodes in all. ONNX Runtime computes them; no gradient trains them, so that they count as no parameters.",
  ]);
});
