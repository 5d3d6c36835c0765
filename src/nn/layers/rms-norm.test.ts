/** Normalization by the root mean square against PyTorch; forward and backward share one node. */
import { expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.ts";
import { graphOf, input } from "../../graph/ir.ts";
import { optimize } from "../../jit/compile.ts";
import { rmsNorm as rmsNormOp } from "../../ops/index.ts";
import { checkLayer } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { rmsNorm } from "./rms-norm.ts";

const recorded = fixture("rms-norm");

test("over the last axis", () =>
  checkLayer(rmsNorm(), {
    expected: {
      outputShape: [3, 2, 4],
      parameters: 4,
      formula: "4",
      recorded: recorded("rmsNorm"),
      refuses: [[{ dtype: "float32", shape: [4] }, /rmsNorm "": input \[4\] needs a batch and a feature axis/]],
    },
  }));

test("another epsilon", () =>
  checkLayer(rmsNorm({ epsilon: 0.1 }), {
    expected: { outputShape: [3, 4], parameters: 4, recorded: recorded("epsilon") },
  }));

test("the gradient takes the root that the forward pass computed", () => {
  const [x, w, g] = [input("float32", [2, 4]), input("float32", [4]), input("float32", [2, 4])];
  const y = rmsNormOp(x, w);
  const { nodes } = optimize(graphOf([x, w, g], [y, ...gradients([y], [g], [x, w])]));
  expect(nodes.filter(({ op }) => op.type === "SimplifiedLayerNormalization")).toHaveLength(1);
});
