/** Depth under each definition: on graphs small enough to count by hand, and on architectures whose depth is published. */
import { describe, expect, test } from "vitest";
import type { Graph, Value } from "../../graph/ir.ts";
import { makeNode } from "../../graph/op.ts";
import {
  add,
  concat,
  expand,
  gather,
  int64s,
  linear,
  matmul,
  mul,
  RNN,
  reduceMean,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
  tanh,
  transpose,
} from "../../ops/index.ts";
import { flowOf } from "../networks/flow.ts";
import { parameterValues } from "../networks/network.ts";
import { flowOfFunction, inspectionOf, presetNetwork } from "../testing/networks.ts";
import { blockCount } from "./blocks.ts";
import { creditAssignmentDepth, creditAssignmentPath, recurrentDepth, weightedDepth, weightedPath } from "./depth.ts";
import { type Paths, pathsOf, shortestPath } from "./paths.ts";

/** x W + x: one residual block. */
const residual = (x: Value, w: Value) => add(x, relu(matmul(x, w)));

describe("the nodes of the paths", () => {
  test("by hand: the longer of two branches, from the first weight on", () => {
    const flow = flowOfFunction((x, w) => add(relu(matmul(relu(matmul(relu(x), w())), w())), matmul(x, w())));
    expect(weightedPath(flow).nodes.map(({ op }) => op.type)).toEqual([
      "Relu",
      "MatMul",
      "Relu",
      "MatMul",
      "Relu",
      "Add",
    ]);
    expect(creditAssignmentPath(flow).nodes.map(({ op }) => op.type)).toEqual([
      "MatMul",
      "Relu",
      "MatMul",
      "Relu",
      "Add",
    ]);
    expect(shortestPath(flow).map(({ op }) => op.type)).toEqual(["MatMul", "Add"]);
  });

  test.each(["lenet5", "resnet50", "densenet121", "googlenet", "vit_b_16", "bert_base_uncased", "gpt2", "t5_small"])(
    "of %s have as many that count as its depth, each reads the one before",
    (name) => {
      const network = presetNetwork(name);
      const flow = flowOf(network.graphs?.forward as Graph, parameterValues(network));
      const [weighted, credit, shortest] = [
        weightedPath(flow).nodes,
        creditAssignmentPath(flow).nodes,
        shortestPath(flow),
      ];
      expect(weighted.filter(flow.isWeighted)).toHaveLength(weightedDepth(flow));
      expect(credit.filter(flow.isEvent)).toHaveLength(creditAssignmentDepth(flow));
      expect(shortest.filter(flow.isWeighted)).toHaveLength(pathsOf(flow)?.min ?? -1);
      for (const nodes of [weighted, credit, shortest])
        for (const [i, node] of nodes.slice(1).entries())
          expect(node.inputs.some((value) => value?.producer === nodes[i])).toBe(true);
    },
  );
});

describe("by hand", () => {
  test("a chain: the weighted layers, and the events from the first of them", () => {
    const flow = flowOfFunction((x, w) => relu(linear(tanh(linear(x, w(4, 3), w(4))), w(2, 4))));
    expect(weightedDepth(flow)).toBe(2);
    // Hidden layers plus one, the output layer, as Schmidhuber (2015) has it for feedforward networks.
    expect(creditAssignmentDepth(flow)).toBe(2);
    expect(pathsOf(flow)).toMatchObject({ count: 1n, min: 2, max: 2, mean: 2 });
    expect(blockCount(flow)).toBe(0);
  });

  test("residual blocks: every subset of them is a path", () => {
    const flow = flowOfFunction((x, w) => residual(residual(residual(x, w()), w()), w()));
    expect(weightedDepth(flow)).toBe(3);
    // Three products and three additions of two streams.
    expect(creditAssignmentDepth(flow)).toBe(6);
    const { count, min, max, mean, lengths } = pathsOf(flow) as Paths;
    expect([count, min, max, mean]).toEqual([8n, 0, 3, 1.5]);
    expect(lengths).toEqual([
      [0, 1n],
      [1, 3n],
      [2, 3n],
      [3, 1n],
    ]);
    expect(blockCount(flow)).toBe(3);
  });

  test("parallel layers are paths each, also when they are concatenated", () => {
    const flow = flowOfFunction((x, w) => matmul(concat([matmul(x, w()), matmul(x, w()), x], 1), w(9, 3)));
    expect(pathsOf(flow)).toMatchObject({ count: 3n, min: 1, max: 2 });
  });

  test("two ways between the same layers are one path", () => {
    // x · sigmoid(x) has two factors and one source.
    const flow = flowOfFunction((x, w) => {
      const y = matmul(x, w());
      return matmul(mul(y, sigmoid(y)), w());
    });
    expect(pathsOf(flow)).toMatchObject({ count: 1n, min: 2, max: 2 });
  });

  test("attention: its products are no weighted layers, and events on the way of credit", () => {
    const flow = flowOfFunction((x, w) => {
      const [q, k, v] = [matmul(x, w()), matmul(x, w()), matmul(x, w())];
      return matmul(matmul(softmax(matmul(q, k, { transB: true })), v), w());
    });
    expect(weightedDepth(flow)).toBe(2);
    // The query's projection, scores, their use, the output's projection; a softmax belongs to the scores.
    expect(creditAssignmentDepth(flow)).toBe(4);
    expect(pathsOf(flow)).toMatchObject({ count: 3n, min: 2, max: 2 });
  });

  test("a weight that is transposed or shared counts where it is used", () => {
    const flow = flowOfFunction((x, w) => {
      const own = w();
      return matmul(reshape(matmul(x, transpose(own)), [2, 3]), own);
    });
    expect(weightedDepth(flow)).toBe(2);
  });

  test("of an unrolled sequence the steps that are read count, wherever their axis goes", () => {
    /** Steps 7 of a recurrent layer, of which `read` makes the output. */
    const unrolled = (direction: string, read: (sequence: Value, state: Value | undefined) => Value) => {
      const flow = flowOfFunction((x, w) => {
        const steps = expand(reshape(x, [1, 2, 3]), [7, 2, 3]);
        const hidden = { hidden_size: 3, direction };
        const [sequence, state] = makeNode(RNN, [steps, w(1, 3, 3), w(1, 3, 3)], hidden).outputs;
        return read(sequence, state);
      });
      return recurrentDepth(flow)?.unrolled;
    };
    const step = (start: number) => (sequence: Value) => slice(sequence, { axis: 0, start, end: start + 1 });
    expect(unrolled("forward", (sequence) => sequence)).toBe(7);
    expect(unrolled("forward", step(6))).toBe(7);
    expect(unrolled("forward", step(0))).toBe(1);
    expect(unrolled("forward", step(2))).toBe(3);
    expect(unrolled("reverse", step(6))).toBe(1);
    expect(unrolled("reverse", step(0))).toBe(7);
    expect(unrolled("reverse", (_, state) => state as Value)).toBe(7);
    const samplesAhead = (sequence: Value) => relu(reshape(transpose(sequence, [2, 0, 1, 3]), [2, 7, 3]));
    expect(unrolled("reverse", (sequence) => gather(samplesAhead(sequence), int64s([6]), 1))).toBe(1);
    expect(unrolled("reverse", (sequence) => gather(samplesAhead(sequence), int64s([-7]), 1))).toBe(7);
    expect(unrolled("reverse", (sequence) => reduceMean(samplesAhead(sequence), 1))).toBe(7);
    expect(unrolled("reverse", (sequence) => step(6)(slice(sequence, { axis: 0, step: -1 })))).toBe(7);
  });

  test("a graph without weights has no depth", () => {
    const flow = flowOfFunction((x) => relu(x));
    expect([weightedDepth(flow), creditAssignmentDepth(flow), blockCount(flow)]).toEqual([0, 0, 0]);
    expect(recurrentDepth(flow)).toBeUndefined();
  });
});

/**
 * Weighted layers: those of the names and papers (LeNet-5 5; Krizhevsky 8; VGG 11 to 19; Szegedy et al. 2015, table 1, 22; He et
 * al. 2016, table 1; Huang et al. 2017, 121; Howard et al. 2017, 28). Layers with parameters: keras.io/api/applications, but
 * for EfficientNet's normalization of pixels, which is there one more. Blocks: of the papers' tables. Paths: 2 to the number of
 * blocks that a skip passes.
 */
const published: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ["lenet5", { weighted: 5, parameterLayers: 5, blocks: 0, paths: { count: 1, min: 5, max: 5, mean: 5 } }],
  ["alexnet", { weighted: 8, parameterLayers: 8 }],
  ["vgg11", { weighted: 11 }],
  ["vgg16", { weighted: 16, parameterLayers: 16, paths: { count: 1, min: 16, max: 16, mean: 16 } }],
  ["vgg19", { weighted: 19, parameterLayers: 19 }],
  ["googlenet", { weighted: 22, blocks: 9 }],
  ["inception_v3", { weighted: 48, blocks: 11 }],
  ["resnet18", { weighted: 18, blocks: 8 }],
  ["resnet34", { weighted: 34, blocks: 16 }],
  // Veit et al. (2016) with the projections of four shortcuts, each one weighted layer.
  [
    "resnet50",
    { weighted: 50, parameterLayers: 107, blocks: 16, paths: { count: 2 ** 16, min: 6, max: 50, mean: 28 } },
  ],
  ["resnet101", { weighted: 101, parameterLayers: 209, blocks: 33 }],
  ["resnet152", { weighted: 152, parameterLayers: 311, blocks: 50 }],
  ["densenet121", { weighted: 121, parameterLayers: 242, blocks: 58 }],
  ["squeezenet1_0", { weighted: 18, blocks: 8 }],
  ["mobilenet_v1", { weighted: 28, parameterLayers: 55 }],
  ["mobilenet_v2", { weighted: 53, parameterLayers: 105, blocks: 17 }],
  ["efficientnet_b0", { parameterLayers: 131, blocks: 16 }],
  ["vit_b_16", { blocks: 12 }],
  ["transformer_base", { blocks: 12 }],
  ["bert_base_uncased", { blocks: 12 }],
  ["bert_large_uncased", { blocks: 24 }],
  ["distilbert_base_uncased", { blocks: 6 }],
  // The same twelve layers' worth of computation with the weights of one.
  ["albert_base_v2", { weighted: 50, parameterLayers: 14, blocks: 12 }],
  ["gpt2", { weighted: 49, blocks: 12, paths: { count: 2 ** 24, min: 1, max: 49, mean: 25 } }],
  ["gpt3_175b", { weighted: 385, blocks: 96 }],
  ["t5_small", { blocks: 12 }],
  ["llama2_7b", { blocks: 32 }],
];

describe("of architectures", () => {
  test.each(published)("%s", (name, expected) => {
    expect(inspectionOf(presetNetwork(name)).depth).toMatchObject(expected);
  });

  test("a count beyond 2^53 is a decimal string", () => {
    const { paths } = inspectionOf(presetNetwork("densenet121")).depth;
    expect(paths?.count).toBe((2n ** 58n).toString());
    // Two paths in each of 96 times two residual parts.
    expect(inspectionOf(presetNetwork("gpt3_175b")).depth.paths?.count).toBe((2n ** 192n).toString());
  });

  test("without names, blocks are found by where the graph branches", () => {
    const network = presetNetwork("resnet50");
    const graph = network.graphs?.forward;
    if (!graph) throw new Error("resnet50 has a graph");
    for (const node of graph.nodes) node.scope = undefined;
    expect(blockCount(flowOf(graph, parameterValues(network)))).toBe(16);
  });
});
