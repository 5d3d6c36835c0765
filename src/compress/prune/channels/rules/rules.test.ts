/** Channels through single operators: what is cut computes what the graph computes with these channels at zero. */
import { describe, expect, test } from "vitest";
import { tensor } from "../../../../core/tensor.ts";
import { modelFromOnnx } from "../../../../formats/onnx-model.ts";
import { fileOf, weight } from "../../../../formats/testing/onnx-files.ts";
import { input, type Value } from "../../../../graph/ir.ts";
import { apply } from "../../../../graph/op.ts";
import * as ops from "../../../../ops/index.ts";
import { planChannels } from "../../index.ts";
import { exactness } from "../../testing/exactness.ts";

const type = { dtype: "float32", shape: [2, 4, 6, 6] } as const;
const around = (kernel: number) => [0, 1].map(() => [(kernel - 1) / 2, (kernel - 1) / 2] as const);
const conv = (x: Value, name: string, filters: number, { kernel = 3, groups = 1 } = {}): Value =>
  ops.conv(x, weight(`${name}.weight`, [filters, (x.shape[1] ?? 1) / groups, kernel, kernel]), {
    bias: weight(`${name}.bias`, [filters]),
    padding: around(kernel),
    groups,
  });
/** Scores of three classes from features [N, …]. */
const scores = (features: Value): Value => {
  const flat = ops.reshape(features, [features.shape[0] ?? 1, features.shape.slice(1).reduce((a, b) => a * b, 1)]);
  return ops.linear(flat, weight("head.weight", [3, flat.shape[1] ?? 1]), weight("head.bias", [3]));
};
const modelOf = (build: (x: Value) => Value) => {
  const x = input("float32", type.shape, "image");
  return modelFromOnnx(fileOf([x], [scores(build(x))]));
};

interface Row {
  readonly build: (x: Value) => Value;
  /** The channels of the groups, by their first weight. */
  readonly groups: Readonly<Record<string, number>>;
}

const rows: Readonly<Record<string, Row>> = {
  "a grouped convolution loses whole groups": {
    build: (x) => conv(ops.relu(conv(ops.relu(conv(x, "a", 8)), "b", 16, { groups: 4 })), "c", 4),
    groups: { "a.weight": 4, "c.weight": 4 },
  },
  "a depthwise convolution with two filters a channel": {
    build: (x) => conv(ops.relu(conv(ops.relu(conv(x, "a", 6)), "b", 12, { groups: 6 })), "c", 4),
    groups: { "a.weight": 6, "c.weight": 4 },
  },
  "group normalization loses whole groups": {
    build: (x) => {
      const [scale, bias] = [weight("gn.weight", [8]), weight("gn.bias", [8])];
      return conv(ops.relu(ops.groupNorm(conv(x, "a", 8), scale, bias, { groups: 4 })), "c", 4);
    },
    groups: { "a.weight": 4, "c.weight": 4 },
  },
  "instance normalization is of each channel": {
    build: (x) => ops.relu(ops.instanceNorm(conv(x, "a", 8), weight("in.weight", [8]), weight("in.bias", [8]))),
    groups: { "a.weight": 8 },
  },
  "what is concatenated is cut apart, and what is split again": {
    build: (x) => {
      const both = ops.concat([ops.relu(conv(x, "a", 6)), ops.relu(conv(x, "b", 4))], 1);
      const [left, right] = ops.split(conv(both, "c", 8), [5, 3], 1) as [Value, Value];
      return ops.concat([conv(left, "d", 4), conv(right, "e", 4)], 1);
    },
    groups: { "a.weight": 6, "b.weight": 4, "c.weight": 8, "d.weight": 4, "e.weight": 4 },
  },
  "halves that meet in a product are cut together": {
    build: (x) => {
      const both = conv(x, "a", 8);
      const half = (start: number) => ops.slice(both, { axis: 1, start, end: start + 4 });
      return ops.mul(half(0), ops.sigmoid(half(4)));
    },
    groups: { "a.weight": 4 },
  },
  "a shortcut that is padded with channels of zeros": {
    build: (x) => {
      const a = ops.relu(conv(x, "a", 6));
      const padded = ops.pad(a, [
        [0, 0],
        [1, 1],
        [0, 0],
        [0, 0],
      ]);
      return ops.relu(ops.add(padded, conv(a, "b", 8)));
    },
    groups: { "a.weight": 6 },
  },
  "shuffled channels are cut by what is shuffled": {
    build: (x) => {
      const [n = 1, , h = 1, w = 1] = x.shape;
      const apart = ops.reshape(ops.relu(conv(x, "a", 12)), [n, 4, 3, h, w]);
      return conv(ops.reshape(ops.transpose(apart, [0, 2, 1, 3, 4]), [n, 12, h, w]), "b", 4);
    },
    groups: { "a.weight": 4, "b.weight": 4 },
  },
  "channels last, joined with positions": {
    build: (x) => ops.transpose(ops.relu(conv(x, "a", 8)), [0, 2, 3, 1]),
    groups: { "a.weight": 8 },
  },
  "a transposed convolution, upsampling and pooling": {
    build: (x) => {
      const up = ops.convTranspose(ops.relu(conv(x, "a", 8)), weight("up.weight", [8, 6, 2, 2]), {
        bias: weight("up.bias", [6]),
        strides: [2, 2],
      });
      return conv(ops.averagePool(ops.resize(up, [24, 24]), [2, 2], { strides: [2, 2] }), "c", 4);
    },
    groups: { "a.weight": 8, "up.weight": 6, "c.weight": 4 },
  },
  "channels that are looked up by known numbers": {
    build: (x) =>
      ops.gather(ops.relu(conv(x, "a", 6)), ops.constant(tensor([5, 4, 3, 2, 1, 0], { dtype: "int64" })), 1),
    groups: { "a.weight": 6 },
  },
  "a gate of squeezed channels": {
    build: (x) => {
      const a = ops.relu(conv(x, "a", 8));
      const squeezed = ops.reduceMean(a, [2, 3], { keepDims: true });
      const gate = conv(ops.relu(conv(squeezed, "squeeze", 4, { kernel: 1 })), "excite", 8, { kernel: 1 });
      return ops.mul(a, ops.sigmoid(gate));
    },
    groups: { "a.weight": 8, "squeeze.weight": 4 },
  },
};

describe("exact", () => {
  test.each(Object.entries(rows))("%s", async (_, { build, groups }) => {
    const { plan, apart, size } = await exactness(modelOf(build), type, {
      share: 0.6,
      makingAxis: (path) => (path.startsWith("up.") ? 1 : 0),
    });
    const channels = Object.fromEntries(plan.groups.map((own) => [own.weights[0], own.channels.before]));
    expect(channels).toEqual(groups);
    expect(plan.groups.some(({ cut }) => cut.length > 0)).toBe(true);
    // Outputs are sums of some hundred products in float32.
    expect(apart).toBeLessThanOrEqual(1e-5 * Math.max(1, size));
  });
});

describe("left whole, with the reason", () => {
  test.each<[string, (x: Value) => Value, RegExp]>([
    ["LRN", (x) => apply(ops.LRN, [conv(x, "a", 8)], { size: 3 }), /^LRN of "graph" is not followed$/],
    [
      "a softmax over channels",
      (x) => ops.softmax(conv(x, "a", 8), 1),
      /^Softmax of "graph" takes a sum over the axis$/,
    ],
    [
      "a mean over channels",
      (x) => ops.reduceMean(conv(x, "a", 8), 1),
      /^ReduceMean of "graph" takes a mean over the axis$/,
    ],
    [
      "every second channel",
      (x) => ops.slice(conv(x, "a", 8), { axis: 1, step: 2 }),
      /^Slice of "graph" takes one of every 2 along the axis$/,
    ],
    [
      "channels that become positions",
      (x) => apply(ops.DepthToSpace, [conv(x, "a", 8)], { blocksize: 2 }),
      /^DepthToSpace of "graph" is not followed$/,
    ],
  ])("%s", async (_, build, reason) => {
    const model = modelOf((x) => conv(build(x).rank === 4 ? build(x) : ops.unsqueeze(build(x), [1]), "last", 4));
    const { uncut, groups } = await planChannels(model, { keep: { macs: 0.95 }, inputs: type });
    expect(uncut.find(({ weight: path }) => path === "a.weight")?.reason).toMatch(reason);
    expect(groups.map(({ weights }) => weights)).toEqual([["last.weight"]]);
  });
});
