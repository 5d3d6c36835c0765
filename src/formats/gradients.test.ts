/** Gradients of a training step with respect to every parameter of tiny models, against those of Hugging Face's library. */
import { expect, test } from "vitest";
import { Tensor } from "../core/tensor.ts";
import type { Batch } from "../data/index.ts";
import type { Value } from "../graph/ir.ts";
import { fill, integers, signed } from "../models/testing/fill.ts";
import { contrastive, crossEntropy, type Module } from "../nn/index.ts";
import { type GradientTransform, sgd, Trainer } from "../train/index.ts";
import { modelFromConfig } from "./huggingface.ts";
import { readRecorded, recordedIds } from "./testing/recorded-models.ts";

interface RecordedModel {
  readonly config: Readonly<Record<string, unknown>>;
  readonly loss: number;
  /** The elements of each parameter's gradient, float32 in base64. */
  readonly gradients: Readonly<Record<string, string>>;
}

/** Written by scripts/record-gradient-fixtures.py. */
const { models } = readRecorded<{ readonly models: Readonly<Record<string, RecordedModel>> }>("gradients");

interface Case {
  readonly inputs: Batch;
  /** What the outputs are compared with; default nothing. */
  readonly labels?: Tensor;
  loss(outputs: never, labels: Value): Value;
}

const padding = -100n;
const image = signed("input", [2, 3, 12, 12]);
/** Texts of which the second is two tokens shorter and filled up. */
const { padded, mask, types } = recordedIds(31);
const classes = { labels: integers("labels", [2], 3), loss: crossEntropy() };
const tokens: Case = {
  inputs: { x: padded, mask },
  labels: new Tensor(
    "int64",
    [2, 7],
    integers("labels", [2, 7], 31).data.map((label, i) => (mask.data[i] ? label : padding)),
  ),
  loss: crossEntropy({ ignoreIndex: Number(padding) }),
};

/** Texts and images, each text with token 5 at its end. */
function pairs(): Batch {
  const { padded, mask } = recordedIds(13);
  const ids = padded.data.map((id, i) => (i === 6 || i === 11 ? 5n : id));
  return { x: image, text: new Tensor("int64", [2, 7], ids), mask };
}

const cases: Readonly<Record<string, Case>> = {
  BertForSequenceClassification: { ...classes, inputs: { x: padded, mask, types } },
  GPT2LMHeadModel: tokens,
  LlamaForCausalLM: tokens,
  Qwen2ForCausalLM: tokens,
  ViTForImageClassification: { ...classes, inputs: { x: image } },
  "CLIP, another end": {
    inputs: pairs(),
    loss: ({ similarities }: { similarities: Value }) => contrastive(similarities),
  },
};

const floatsOf = (encoded: string) => new Float32Array(Uint8Array.from(Buffer.from(encoded, "base64")).buffer);
const largest = (numbers: Iterable<number>) => Math.max(...Array.from(numbers, Math.abs));

/** The loss of one training step, and the gradients by path that it hands to the optimizer. */
async function stepOf(config: unknown, { inputs, labels, loss: lossOf }: Case) {
  const model = modelFromConfig(config).build() as Module<never, never>;
  model.trace(inputs as never);
  fill(model);
  const gradients = new Map<string, Float32Array>();
  const kept: GradientTransform = {
    name: "kept",
    bind: () => ({ apply: (own) => own.edit((gradient, path) => gradients.set(path, gradient.slice())) }),
  };
  const trainer = new Trainer<Batch>(model, {
    objective: (context, { y, ...values }) => ({ loss: lossOf(model.apply(values as never, context), y as Value) }),
    optimizer: sgd({ learningRate: 0.1 }),
    training: { transforms: [kept] },
  });
  const { loss } = await trainer.step({ ...inputs, ...(labels && { y: labels }) });
  return { loss, gradients };
}

test("every recorded model is compared", () => expect(Object.keys(cases)).toEqual(Object.keys(models)));

test.each(Object.entries(models))("%s", async (name, { config, loss, gradients }) => {
  const own = await stepOf(config, cases[name] as Case);
  expect(own.loss).toBeCloseTo(loss, 5);
  expect([...own.gradients.keys()].sort()).toEqual(Object.keys(gradients).sort());
  const expected = Object.entries(gradients).map(([path, encoded]) => [path, floatsOf(encoded)] as const);
  const most = largest(expected.map(([, numbers]) => largest(numbers)));
  for (const [path, numbers] of expected) {
    const found = own.gradients.get(path) ?? new Float32Array();
    expect(found.length, path).toBe(numbers.length);
    // float32 against float64: some 3e-6 of the largest element of the parameter's gradient, 1.5e-5 at most where softmax is steep.
    // The biases of keys alone have gradients below 0.01 of the model's largest: softmax leaves out what all keys have in common, so
    // that theirs are rounding in place of 0.
    const tolerance = 1e-4 * Math.max(largest(numbers), 0.01 * most);
    const difference = largest(numbers.map((number, i) => number - (found[i] ?? Number.NaN)));
    expect(difference, path).toBeLessThan(tolerance);
  }
});
