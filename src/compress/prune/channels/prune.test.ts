/** Cutting channels: what is left computes what the model computes with these channels at zero. */
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { keyOf } from "../../../core/random.ts";
import { Tensor, tensor } from "../../../core/tensor.ts";
import { fromTensors } from "../../../data/index.ts";
import { encodeOnnx } from "../../../formats/files/export-onnx.ts";
import { predictionGraph } from "../../../formats/files/traced-graph.ts";
import { modelFromOnnx } from "../../../formats/onnx-model.ts";
import { run } from "../../../formats/testing/run.ts";
import type { TensorType } from "../../../graph/ir.ts";
import { bertArchitectures, gpt2Architectures, llamaArchitectures, presetOf, Vgg } from "../../../models/index.ts";
import { fill, signed } from "../../../models/testing/fill.ts";
import {
  type AnyModule,
  activation,
  batchNorm,
  conv2d,
  crossEntropy,
  dense,
  dropout,
  flatten,
  gru,
  l2,
  lstm,
  maxPool2d,
  regularized,
  sequential,
} from "../../../nn/index.ts";
import { evaluate, fit, sgd } from "../../../train/index.ts";
import { cutChannels, type PruneChannelsOptions, planChannels, pruneChannels } from "../index.ts";
import { exactness } from "../testing/exactness.ts";

const image: TensorType = { dtype: "float32", shape: [1, 3, 32, 32] };
const tokens: TensorType = { dtype: "int64", shape: [1, 6] };
const sizes = { vocabulary: 50, width: 16, layers: 2, heads: 4, feedForward: 32, positions: 8 };
const preset = (name: string) => () => presetOf(name).build(name === "lenet5" ? {} : { classes: 10 });
/** GPT-2 has the weights of its dense layers as [inputs, outputs]. */
const ofGpt2 = { makingAxis: (path: string) => (/c_(attn|fc|proj)\.weight$/.test(path) ? 1 : 0) };

describe.each<[string, () => AnyModule, TensorType, { makingAxis?: (path: string) => number }]>([
  ["LeNet-5", preset("lenet5"), { dtype: "float32", shape: [1, 1, 32, 32] }, {}],
  ["ResNet-18", preset("resnet18"), image, {}],
  ["DenseNet-121", preset("densenet121"), image, {}],
  ["MobileNetV2", preset("mobilenet_v2"), image, {}],
  ["EfficientNet", preset("efficientnet_b0"), image, {}],
  ["GoogLeNet", preset("googlenet"), image, {}],
  ["VGG", () => new Vgg({ stages: [1, 1, 1, 1, 1], width: 8, hidden: 32, classes: 10 }), image, {}],
  ["GPT-2", () => gpt2Architectures.GPT2LMHeadModel({ sizes }), tokens, ofGpt2],
  ["BERT", () => bertArchitectures.BertForSequenceClassification({ sizes }), tokens, {}],
  ["Llama", () => llamaArchitectures.LlamaForCausalLM({ sizes }), tokens, {}],
])("%s", (name, build, type, options) => {
  const made = () => {
    const model = build();
    model.trace(type);
    fill(model);
    return model;
  };
  // What is filled has outputs of all sizes: in float32 some 7 digits of the largest are right.
  const tolerance = 1e-5;

  test("a module", async () => {
    const { plan, apart, size, smaller } = await exactness(made(), type, options);
    expect(apart).toBeLessThanOrEqual(tolerance * Math.max(1, size));
    expect(plan.macs.after).toBeLessThanOrEqual(plan.macs.before / 2);
    expect(plan.groups.flatMap(({ cut }) => cut).length).toBeGreaterThan(0);
    // The plan counts what the graph has that was made.
    const { graph } = predictionGraph(smaller, type);
    const macs = graph.nodes.reduce((sum, node) => sum + node.op.macs(node), 0);
    const learned = [...smaller.parameters().values()].filter(({ isBuffer }) => !isBuffer);
    expect(learned.reduce((sum, { value }) => sum + (value?.data.length ?? 0), 0)).toBe(plan.parameters.after);
    // Pooling to a fixed number of rows is a product too, which simplification takes out of some graphs.
    if (name !== "VGG") expect(macs).toBeCloseTo(plan.macs.after, 0);
  });

  test("the same from an ONNX file", async () => {
    const model = modelFromOnnx(encodeOnnx(made(), { inputs: type }).bytes);
    const { apart, size, plan } = await exactness(model, type, options);
    expect(apart).toBeLessThanOrEqual(tolerance * Math.max(1, size));
    expect(plan.macs.after).toBeLessThanOrEqual(plan.macs.before / 2);
  });
});

const types: TensorType = { dtype: "float32", shape: [1, 1, 8, 8] };
const small = () => {
  const model = sequential([
    conv2d(8, 3, { padding: 1, bias: false }),
    batchNorm(),
    activation("relu"),
    maxPool2d(2),
    conv2d(16, 3, { padding: 1, bias: false }),
    batchNorm(),
    activation("relu"),
    flatten(),
    dropout(0.2),
    regularized(dense(12, { activation: "relu" }), l2(1e-3)),
    dense(3),
  ]);
  model.initialize(keyOf(3), types);
  return model;
};
const labelled = () =>
  fromTensors({
    x: signed("x", [24, 1, 8, 8]),
    y: new Tensor(
      "int32",
      [24],
      Int32Array.from({ length: 24 }, (_, i) => i % 3),
    ),
  });

describe("plans", () => {
  test("heads and hidden units of GPT-2 are groups, its width stays and says why", async () => {
    const model = gpt2Architectures.GPT2LMHeadModel({ sizes: { ...sizes, layers: 1 } });
    model.initialize(keyOf(0), tokens);
    const { groups, uncut } = await planChannels(model, { keep: { channels: 0.5 } });
    expect(groups.map(({ weights, channels }) => [weights, channels])).toEqual([
      [["transformer.h.0.attn.c_attn.weight"], { before: 4, after: 2 }],
      [["transformer.h.0.mlp.c_fc.weight"], { before: 32, after: 16 }],
    ]);
    // A head of four is 4 rows of queries, of keys and of values each.
    expect(groups[0]?.cut[0]?.map(({ path, axis, indices }) => [path, axis, indices.length])).toEqual([
      ["transformer.h.0.attn.c_attn.weight", 1, 12],
      ["transformer.h.0.attn.c_attn.bias", 0, 12],
      ["transformer.h.0.attn.c_proj.weight", 0, 4],
    ]);
    expect(uncut).toContainEqual({
      weight: "transformer.h.0.mlp.c_proj.weight",
      reason: 'LayerNormalization of "transformer.h.0.ln_1" takes a mean over the axis',
    });
  });

  test("a channel that is flattened is as many columns of the dense layer as it has positions", async () => {
    const { groups, parameters } = await planChannels(small(), { keep: { channels: 0.5 } });
    const second = groups.find(({ weights }) => weights.includes("layers.4.weight"));
    expect(second?.channels).toEqual({ before: 16, after: 8 });
    const columns = second?.cut[0]?.find(({ path }) => path === "layers.9.weight");
    expect([columns?.axis, columns?.indices.length]).toEqual([1, 16]);
    // By hand: 1·8·9 + 2·8 + 8·16·9 + 2·16 + 16·16·12 + 12 + 12·3 + 3, and half of each.
    expect(parameters).toEqual({
      before: 72 + 16 + 1152 + 32 + 3072 + 12 + 36 + 3,
      after: 36 + 8 + 288 + 16 + 8 * 16 * 6 + 6 + 18 + 3,
    });
  });

  test("multiples stay, and a layer with fewer keeps its channels", async () => {
    const { groups } = await planChannels(small(), { keep: { channels: 0.4 }, multiple: 8 });
    expect(groups.map(({ channels }) => channels.after)).toEqual([8, 8, 8]);
  });

  test("of several multiples the first is taken that saves enough", async () => {
    const stay = async (macs: number, multiple: number | readonly number[]) =>
      (await planChannels(small(), { keep: { macs }, multiple })).groups.map(({ channels }) => channels.after);
    expect(await stay(0.5, [8, 4])).toEqual(await stay(0.5, 4));
    expect(await stay(0.8, [8, 4])).toEqual(await stay(0.8, 8));
    await expect(stay(0.05, [8, 4])).rejects.toThrow(/5 %.*stay when all is cut that can be.*multiple/);
  });

  test("the scores differ in what they cut, and data decide by Taylor expansion", async () => {
    const model = small();
    const scale = model.parameters().get("layers.1.weight");
    if (scale) scale.value = tensor([1, 1, 1, 1e-3, 1, 1, 1, 1]);
    const cutOf = async (options: Partial<PruneChannelsOptions>) => {
      const { groups, uncut } = await planChannels(model, { keep: { channels: 0.87 }, ...options });
      return { uncut, cut: groups[0]?.cut.flatMap((parts) => parts[0]?.indices ?? []) };
    };
    expect((await cutOf({ score: "bnScale" })).cut).toEqual([3]);
    const data = labelled().batch(8);
    expect((await cutOf({ score: "taylor", data, loss: crossEntropy() })).cut).toEqual([3]);
    const { uncut } = await cutOf({ score: "bnScale" });
    expect(uncut).toContainEqual({ weight: "layers.9.weight", reason: "no batch normalization scales its channels" });
  });

  test("every layer keeps a tenth of its channels, unless less is asked for", async () => {
    const keptOf = async (keep: PruneChannelsOptions["keep"]) => {
      const { groups } = await planChannels(small(), { keep });
      return groups.map(({ channels }) => channels.after);
    };
    // Of 8, 16 and 12.
    await expect(keptOf({ macs: 0.03 })).rejects.toThrow(/a smaller least/);
    expect(Math.min(...(await keptOf({ macs: 0.1 })))).toBeGreaterThanOrEqual(1);
    expect(await keptOf({ macs: 0.03, least: 0 })).toEqual([1, 1, expect.any(Number)]);
    const half = await keptOf({ macs: 0.5, least: 0.5 });
    expect(half.map((kept, i) => kept >= ([8, 16, 12][i] ?? 0) / 2)).toEqual([true, true, true]);
  });

  test("of a residual sum a channel counts once for each of its layers", async () => {
    const model = presetOf("resnet18").build({ classes: 10 });
    model.initialize(keyOf(1), image);
    const { groups } = await planChannels(model, { keep: { macs: 0.5 }, inputs: image });
    // None is cut to the bone: that of the stem, which several convolutions share, keeps as much as those within blocks.
    for (const { channels } of groups) expect(channels.after / channels.before).toBeGreaterThan(0.3);
  });

  test("recurrent layers stay whole, and what is behind them is cut", async () => {
    for (const layer of [gru, lstm]) {
      const model = sequential([layer(8), dense(6, { activation: "relu" }), dense(2)]);
      model.initialize(keyOf(0), { dtype: "float32", shape: [1, 5, 4] });
      const { groups, uncut } = await planChannels(model, { keep: { channels: 0.5 } });
      expect(groups.map(({ weights }) => weights)).toEqual([["layers.1.weight"]]);
      expect(uncut.map(({ weight, reason }) => `${weight}: ${reason}`)).toContainEqual(
        expect.stringMatching(/^layers\.0\.weight.*: (GRU|LSTM) of "layers\.0" is not followed$/),
      );
    }
  });
});

describe("cutting", () => {
  test("the smaller model trains on, with its batch normalization, and says what it lacks", async () => {
    const model = small();
    const { model: smaller, notes } = await pruneChannels(model, { keep: { macs: 0.5 } });
    expect(notes).toEqual([
      "training goes on without layers.8, which drop nothing in the smaller model",
      "training goes on without the penalties on layers.9",
    ]);
    const mean = () => smaller.parameters().get("layers.1.running_mean")?.value?.toNumbers();
    const before = mean();
    const data = labelled().batch(8);
    const lossOf = async () => (await evaluate(smaller, data, { loss: crossEntropy() })).results["loss"] ?? Number.NaN;
    const untrained = await lossOf();
    await fit(smaller, data, { loss: crossEntropy(), optimizer: sgd({ learningRate: 0.05 }), epochs: 5 });
    expect(mean()).not.toEqual(before);
    expect(await lossOf()).toBeLessThan(untrained);
  });

  test("frozen parameters stay frozen, the model itself as it is, and the batch open", async () => {
    const model = small();
    model.freeze("layers.0");
    const before = await run(model, signed("x", [2, 1, 8, 8]));
    const { model: smaller } = await pruneChannels(model, { keep: { macs: 0.5 } });
    expect(smaller.parameters().get("layers.0.weight")?.frozen).toBe(true);
    expect(smaller.parameters().get("layers.4.weight")?.frozen).toBe(false);
    expect(await run(model, signed("x", [2, 1, 8, 8]))).toEqual(before);
    for (const samples of [1, 5]) {
      const [y] = await run(smaller, signed("x", [samples, 1, 8, 8]));
      expect(y?.shape).toEqual([samples, 3]);
    }
  });

  test("its file runs in ONNX Runtime by itself, for any batch", async () => {
    const { model: smaller, bytes } = await pruneChannels(small(), { keep: { macs: 0.5 } });
    const session = await ort.InferenceSession.create(bytes);
    const x = signed("x", [5, 1, 8, 8]);
    const results = await session.run({ [session.inputNames[0] ?? ""]: new ort.Tensor("float32", x.data, x.shape) });
    const [expected] = await run(smaller, x);
    const got = results[session.outputNames[0] ?? ""];
    expect(got?.dims).toEqual([5, 3]);
    for (let i = 0; i < 15; i++) expect(Number(got?.data[i])).toBeCloseTo(Number(expected?.data[i]), 5);
    await session.release();
  });

  test("a smaller model is cut again", async () => {
    const once = await pruneChannels(small(), { keep: { macs: 0.5 } });
    const twice = await pruneChannels(once.model, { keep: { macs: 0.5 }, inputs: types });
    expect(twice.plan.macs.before).toBe(once.plan.macs.after);
    expect(twice.plan.macs.after).toBeLessThanOrEqual(once.plan.macs.after / 2);
  });
});

describe("refusals", () => {
  const refused = (model: AnyModule, options: unknown) =>
    expect(planChannels(model, options as PruneChannelsOptions)).rejects;

  test("of options", async () => {
    await refused(small(), {}).toThrow(/pruneChannels: keep is missing/);
    for (const keep of [{ macs: 0 }, { macs: 1 }, { channels: 1.5 }, { macs: Number.NaN }, { units: 1 }, 0.5])
      await refused(small(), { keep }).toThrow(/keep/);
    await refused(small(), { keep: { macs: 0.5 }, score: "size" }).toThrow(/score/);
    await refused(small(), { keep: { macs: 0.5 }, multiple: 0 }).toThrow(/multiple/);
    await refused(small(), { keep: { macs: 0.5 }, score: "taylor" }).toThrow(/"taylor" needs data/);
    await refused(small(), { keep: { macs: 0.5 }, loss: crossEntropy() }).toThrow(/"magnitude" reads no data/);
    await refused(small(), { keep: { macs: 0.5 }, exclude: "layer.9" }).toThrow(/unknown parameter "layer\.9"/);
  });

  test("of more than can be cut, and of models of which nothing can be", async () => {
    await refused(small(), { keep: { macs: 0.001 } }).toThrow(/stay when all is cut that can be/);
    await refused(small(), { keep: { macs: 0.5 }, exclude: /layers/ }).toThrow(/nothing of the model can be cut/);
    const alone = dense(3);
    alone.initialize(keyOf(0), { dtype: "float32", shape: [1, 4] });
    await refused(alone, { keep: { macs: 0.5 } }).toThrow(/weight: the model gives it out/);
    await refused(small(), {
      keep: { channels: 0.5 },
      score: "taylor",
      data: labelled()
        .batch(8)
        .filter(() => false),
      loss: crossEntropy(),
    }).toThrow(/no element was kept/);
    const empty = sequential([dense(4), dense(2)]);
    await refused(empty, { keep: { macs: 0.5 } }).toThrow(/types of the model's inputs are not known/);
    empty.trace({ dtype: "float32", shape: [1, 4] });
    await refused(empty, { keep: { macs: 0.5 } }).toThrow(/has no value/);
  });

  test("of a plan of another model", async () => {
    const plan = await planChannels(small(), { keep: { macs: 0.5 } });
    const other = sequential([dense(4), dense(2)]);
    other.initialize(keyOf(0), { dtype: "float32", shape: [1, 4] });
    expect(() => cutChannels(other, plan)).toThrow(/the plan cuts .* make the plan of this model/);
  });
});
