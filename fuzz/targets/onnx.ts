/** ONNX files: a model of each operator's cases, and models with control flow, lists and functions. */
import { groupBy } from "../../src/core/group-by.ts";
import { graphOf } from "../../src/graph/ir.ts";
import { rewrite } from "../../src/graph/rewrite.ts";
import type { Message } from "../../src/onnx/codec.ts";
import { encodeModel, opsetVersion } from "../../src/onnx/model.ts";
import { flag, float, graphAttribute, model, node, weight, whole } from "../../src/onnx/testing/files.ts";
import { caseFamilies } from "../../src/ops/all.cases.ts";
import { inputValues, type OpCase } from "../../src/ops/define.cases.ts";
import { modelIn } from "../mutate/onnx.ts";
import type { Files, Target } from "../target.ts";
import { oneFile } from "./fixtures.ts";
import { inspectAndLoad } from "./inspected.ts";

const file = "model.onnx";

/** The model of an operator's case; `undefined` for what files cannot hold as it is. */
function modelOf(opCase: OpCase): Files | undefined {
  const values = inputValues(opCase);
  try {
    const { outputs } = rewrite(opCase.build(values), (own) =>
      own.op.domain === "sardonyx" || own.op.since > opsetVersion ? own.op.lower(own) : undefined,
    );
    return { [file]: encodeModel(graphOf(Object.values(values), outputs)) };
  } catch {
    return undefined;
  }
}

/** Two cases of each operator: the first and the last, which is often the richest. */
function operatorModels(): readonly Files[] {
  const byOperator = groupBy(Object.values(caseFamilies).flat(), ({ op }) => op.type);
  return [...byOperator.values()].flatMap((cases) =>
    [...new Set([cases[0], cases.at(-1)])].flatMap((opCase) => {
      const own = opCase && modelOf(opCase);
      return own ? [own] : [];
    }),
  );
}

const scalar = (name: string, elem_type: number): Message => ({
  name,
  type: { tensor_type: { elem_type, shape: { dim: [] } } },
});
const attributes = (...attribute: readonly Message[]) => ({ attribute });

const branch = (scale: string): Message => ({
  node: [node("MatMul", ["x", scale], ["b"])],
  output: [{ name: "b" }],
  initializer: [weight(scale, [4, 4])],
});

const composed: readonly Uint8Array[] = [
  // A loop of three steps.
  model({
    output: [{ name: "h" }, { name: "all" }],
    node: [
      node(
        "Loop",
        ["n", "", "x"],
        ["h", "all"],
        attributes(
          graphAttribute("body", {
            input: [scalar("i", 7), scalar("c", 9), float("s", 2, 4)],
            output: [{ name: "next" }, { name: "twice" }, { name: "seen" }],
            node: [
              node("Add", ["s", "s"], ["twice"]),
              node("Identity", ["twice"], ["seen"]),
              node("Identity", ["c"], ["next"]),
            ],
          }),
        ),
      ),
    ],
    initializer: [whole("n", 3)],
  }),
  // Branches, of which one is known to run, and of which the data decide.
  model({
    node: [
      node(
        "If",
        ["yes"],
        ["h"],
        attributes(graphAttribute("then_branch", branch("w")), graphAttribute("else_branch", branch("v"))),
      ),
      node("ReduceMax", ["h"], ["most"], attributes({ name: "keepdims", type: 2, i: 0 })),
      node("Cast", ["most"], ["open"], attributes({ name: "to", type: 2, i: 9 })),
      node(
        "If",
        ["open"],
        ["y"],
        attributes(graphAttribute("then_branch", branch("u")), graphAttribute("else_branch", branch("t"))),
      ),
    ],
    initializer: [flag("yes", true)],
  }),
  // A list that grows.
  model({
    node: [
      node("SequenceConstruct", ["x", "x"], ["s"]),
      node("SequenceInsert", ["s", "x", "zero"], ["t"]),
      node("ConcatFromSequence", ["t"], ["y"], attributes({ name: "axis", type: 2, i: 0 })),
    ],
    initializer: [whole("zero", 0)],
  }),
  // A function that the file defines.
  model(
    {
      node: [node("Scaled", ["x"], ["y"], { domain: "own" })],
    },
    {
      functions: [
        {
          name: "Scaled",
          domain: "own",
          input: ["a"],
          output: ["b"],
          node: [node("Mul", ["a", "a"], ["c"]), node("Relu", ["c"], ["b"])],
        },
      ],
      opset_import: [
        { domain: "", version: 17 },
        { domain: "own", version: 1 },
      ],
    },
  ),
  // Shapes that are computed.
  model({
    node: [
      node("Shape", ["x"], ["shape"]),
      node("Gather", ["shape", "zero"], ["rows"]),
      node("Concat", ["rows", "rest"], ["wanted"], attributes({ name: "axis", type: 2, i: 0 })),
      node("Reshape", ["x", "wanted"], ["r"]),
      node("ConstantOfShape", ["wanted"], ["zeros"]),
      node("Expand", ["r", "wanted"], ["e"]),
      node("Add", ["e", "zeros"], ["y"]),
    ],
    initializer: [whole("zero", [0]), whole("rest", [2, 2])],
  }),
  model({
    node: [node("Gemm", ["x", "w", "b"], ["h"]), node("Relu", ["h"], ["r"]), node("Gemm", ["r", "v"], ["y"])],
    initializer: [weight("w", [4, 8]), weight("b", [8]), weight("v", [8, 2])],
  }),
];

export const onnx: Target = {
  name: "onnx",
  reads: "ONNX models: `inspect`, `loadModel`",
  seeds: (): readonly Files[] => [
    ...operatorModels(),
    ...composed.map((bytes) => ({ [file]: bytes })),
    ...oneFile(file, "onnx/mobile.onnx", "onnx/gru-bidirectional.onnx", "onnx/lstm.onnx"),
  ],
  mutations: [modelIn(file), modelIn(file), modelIn(file)],
  read: inspectAndLoad(file),
};
