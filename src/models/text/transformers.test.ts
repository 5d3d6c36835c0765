/** Gradients of every family of transformers: finite, right along a direction, and zero only where they must be. */
import { describe, expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { compile } from "../../jit/compile.ts";
import { type AnyModule, crossEntropy, valuesOf } from "../../nn/index.ts";
import { randomTensor } from "../../nn/testing/check-layer.ts";
import { add, constant, keyTensor, mul, ones, reduceSum } from "../../ops/index.ts";
import { Trainer } from "../../train/engine/trainer.ts";
import { adam } from "../../train/optimizers/index.ts";
import {
  AlbertModel,
  BertForPreTraining,
  BertModel,
  DistilBertModel,
  gpt2Architectures,
  LlamaModel,
  pooledOf,
  qwen2Architectures,
  RecurrentTranslator,
  robertaArchitectures,
  T5ForConditionalGeneration,
  T5Model,
  Transformer,
  VisionTransformer,
  VitModel,
} from "../index.ts";
import { fill, integers, signed } from "../testing/fill.ts";

const sizes = { vocabulary: 31, width: 16, layers: 2, heads: 4, feedForward: 24, positions: 12 };
const { positions: _, ...endless } = sizes;
const { vocabulary: __, ...ofImages } = endless;
const ids = integers("ids", [2, 7], 31);
const mask = tensor([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0], { dtype: "int64", shape: [2, 7] });
const types = integers("types", [2, 7], 2);
const decoder = integers("decoder", [2, 5], 31);
const gated = { activation: "geluTanh", gated: true } as const;
const image = signed("input", [2, 3, 12, 12]);

type Inputs = Readonly<Record<string, Tensor>>;
const cases: readonly (readonly [string, AnyModule, Inputs])[] = [
  ["bert", new BertForPreTraining({ sizes }), { x: ids, mask, types }],
  ["roberta", robertaArchitectures.RobertaModel({ sizes: { ...sizes, positions: 14 } }), { x: ids, mask }],
  ["distilbert", new DistilBertModel({ sizes }), { x: ids, mask }],
  ["albert", new AlbertModel({ sizes, embeddingWidth: 8 }), { x: ids, mask, types }],
  ["gpt2", gpt2Architectures.GPT2LMHeadModel({ sizes }), { x: ids, mask }],
  ["t5", new T5ForConditionalGeneration({ sizes: endless }), { x: ids, decoder, mask }],
  [
    "t5, version 1.1",
    new T5ForConditionalGeneration({ sizes: endless, network: gated }, false),
    { x: ids, decoder, mask },
  ],
  ["llama", new LlamaModel({ sizes, attention: { keyHeads: 2, windows: [3] } }), { x: ids, mask }],
  ["qwen2", qwen2Architectures.Qwen2ForCausalLM({ sizes }, { tied: true }), { x: ids, mask }],
  ["vit", new VisionTransformer({ sizes: ofImages, image: 12, patch: 4, classes: 3 }), { x: image }],
  ["vit, Hugging Face", new VitModel({ sizes: ofImages, image: 12, patch: 4 }), { x: image }],
  ["transformer", new Transformer(endless), { x: ids, decoder, mask }],
  [
    "additive",
    new RecurrentTranslator({ vocabulary: 31, width: 16, attention: "additive" }),
    { x: ids, decoder, mask },
  ],
  ["dot", new RecurrentTranslator({ vocabulary: 31, width: 16, attention: "dot" }), { x: ids, decoder, mask }],
];

/** The loss Σ direction · output (of all outputs), its gradients by path, and the slope along random weights. */
async function differentiate(model: AnyModule, tensors: Inputs, training: boolean) {
  const { inputs, output, context } = model.trace(tensors, { training, key: constant(keyTensor(keyOf(1))) });
  // Small matrices: where products saturate the softmax, slopes change within a step.
  fill(model, 0.25);
  const loss = valuesOf(output)
    .map((y, i) => reduceSum(mul(y, constant(randomTensor(y.shape, 7 + i)))))
    .reduce((sum, term) => add(sum, term));
  const { values } = context;
  const slopes = gradients([loss], [ones([])], [...values.values()]);
  const executable = await compile([...inputs, ...values.values()], [loss, ...slopes]);
  const weights = Array.from(values.keys(), ({ value }) => value as Tensor);
  const run = async (weightsNow: readonly Tensor[]) => executable.run([...Object.values(tensors), ...weightsNow]);
  const [, ...found] = await run(weights);
  const directions = weights.map(({ shape }, i) => randomTensor(shape, 100 + i).data);
  const lossAt = async (distance: number) => {
    const moved = weights.map((weight, i) => {
      const numbers = weight.toNumbers().map((w, at) => w + distance * (directions[i]?.[at] ?? 0));
      return new Tensor("float32", weight.shape, Float32Array.from(numbers));
    });
    return (await run(moved))[0]?.item() ?? Number.NaN;
  };
  const step = 1e-4;
  const difference = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
  await executable.session.release();
  const slope = found.reduce(
    (sum, g, i) => sum + g.toNumbers().reduce((dot, element, at) => dot + element * (directions[i]?.[at] ?? 0), 0),
    0,
  );
  const norm = Math.hypot(...found.map((g) => Math.hypot(...g.toNumbers())));
  const paths = new Map([...model.parameters()].map(([path, parameter]) => [parameter, path]));
  const byPath = new Map([...values.keys()].map((parameter, i) => [paths.get(parameter) ?? "", found[i] as Tensor]));
  return { byPath, slope, difference, norm };
}

/** A bias of all keys adds the same to every product of a query, which softmax takes out again. */
const withoutEffect = /(key|k_lin)\.bias$/;

describe("gradients", () => {
  test.each(cases)("%s: every parameter has one in training", async (_, model, inputs) => {
    const { byPath } = await differentiate(model, inputs, true);
    expect([...byPath.keys()].sort()).toEqual([...model.parameters().keys()].sort());
    for (const [path, gradient] of byPath) {
      const largest = Math.max(...gradient.toNumbers().map(Math.abs));
      expect(Number.isFinite(largest), `${path}: ${largest}`).toBe(true);
      // Rounding leaves some 1e-6 of terms near 1.
      if (withoutEffect.test(path)) expect(largest, path).toBeLessThan(1e-4);
      else expect(largest, path).toBeGreaterThan(5e-4);
    }
  });

  test.each(cases)("%s: right along a direction", async (_, model, inputs) => {
    const { slope, difference, norm } = await differentiate(model, inputs, false);
    // Along normal numbers the slope is as large as the norm; the losses' rounding, 1e-5 of 1, leaves some 0.1.
    expect(Math.abs(difference - slope), `${difference} by differences, ${slope}`).toBeLessThan(0.01 * norm);
  });
});

test("a small GPT-2 learns to go on", async () => {
  const model = gpt2Architectures.GPT2LMHeadModel({
    sizes,
    details: { dropout: 0, attentionDropout: 0 },
    embeddingDropout: 0,
  });
  const trainer = new Trainer(model, { loss: crossEntropy(), optimizer: adam({ learningRate: 0.01 }) });
  const next = new Tensor(
    "int64",
    [2, 7],
    BigInt64Array.from(ids.data, (_, i) => ids.data[i + 1] ?? 0n),
  );
  const losses: number[] = [];
  for (let i = 0; i < 60; i++) losses.push((await trainer.step({ x: ids, y: next })).loss);
  // At first each of 31 tokens is as likely: log 31 = 3.43.
  expect(losses[0]).toBeGreaterThan(3);
  expect(losses.at(-1)).toBeLessThan(0.5);
});

describe("what does not fit is reported", () => {
  const tokens = (...shape: number[]) => ({ dtype: "int64", shape }) as const;
  test("sequences that are too long, and ids that are no sequences", () => {
    expect(() => new BertModel({ sizes }).trace(tokens(1, 13))).toThrow(ShapeError);
    expect(() => new BertModel({ sizes }).trace(tokens(1, 13))).toThrow(
      'bertEmbeddings "embeddings": input [1, 13] has 13 tokens, the model has 12 positions; cut it',
    );
    expect(() => new LlamaModel({ sizes }).trace(tokens(1, 13))).toThrow("input [1, 13] has 13 tokens");
    expect(() => gpt2Architectures.GPT2Model({ sizes }).trace(tokens(12))).toThrow(
      "input [12] is no batch of token sequences; pass ids [batch, time]",
    );
    // Positions of RoBERTa begin after the padding token's number.
    const roberta = robertaArchitectures.RobertaModel({ sizes });
    expect(() => roberta.trace(tokens(1, 11))).toThrow("the model has 10 positions");
  });
  test("a decoder without ids", () => {
    for (const model of [new T5Model({ sizes: endless }), new Transformer(endless)])
      expect(() => model.trace(tokens(1, 5))).toThrow(
        /^lacks its input "decoder", got a tensor .*; pass \{ x, decoder, mask \}, of which mask may be left out$/,
      );
  });
  test("heads that do not divide the width, patches that do not divide the image", () => {
    expect(() => new BertModel({ sizes: { ...sizes, heads: 3 } })).toThrow(OptionError);
    expect(() => new LlamaModel({ sizes: { ...sizes, heads: 5 } })).toThrow(
      "llama: 5 heads do not divide the width 16",
    );
    expect(() => new VitModel({ sizes: ofImages, patch: 10 })).toThrow(
      "patches of 10x10 do not divide an image of 224x224",
    );
  });
  test("images of another size", () => {
    const model = new VisionTransformer({ sizes: ofImages, image: 12, patch: 4 });
    expect(() => model.trace({ dtype: "float32", shape: [1, 3, 16, 16] })).toThrow(
      "input [1, 3, 16, 16] is no batch of the images that the positions are for; pass [batch, 3, 12, 12]",
    );
  });
  test("a pooled state that there is not", () => {
    const { output } = new BertModel({ sizes, pooler: false }).trace(tokens(1, 5));
    expect(() => pooledOf(output)).toThrow("the encoder has no pooler; build it with { pooler: true }");
  });
});

test("ALBERT runs one layer's weights again and again", () => {
  const model = new AlbertModel({ sizes: { ...sizes, layers: 3 } });
  const { context } = model.trace({ dtype: "int64", shape: [1, 5] });
  const path = "encoder.albert_layer_groups.0.albert_layers.0";
  expect(context.records.filter((run) => run.path === path)).toHaveLength(3);
});
