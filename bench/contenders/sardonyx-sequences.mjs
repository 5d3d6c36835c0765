// The Sardonyx contender's works on sequences: an LSTM, and a GPT that is trained and that writes.
import {
  adam,
  crossEntropy,
  decoder,
  keyOf,
  lstm,
  meanSquaredError,
  models,
  quantizeFrozen,
  sgd,
  Tensor,
  Trainer,
} from "../../dist/src/index.js";
import { loadModel } from "../../dist/src/node.js";
import { labels, uniform } from "./data.mjs";
import { prompt as llamaPrompt, llamaWorks, withLlama } from "./llama.mjs";
import { threads } from "./measure.mjs";
import { productsOf } from "./products.mjs";

const compile = { threads };

/** The gradients of every parameter; the update by plain descent is a hundredth of the whole. */
export function lstmStep() {
  const shape = [32, 120, 128];
  const size = shape.reduce((product, extent) => product * extent, 1);
  const model = lstm(128);
  const trainer = new Trainer(model, { loss: meanSquaredError(), optimizer: sgd(), training: { compile } });
  const batch = {
    x: new Tensor("float32", shape, Float32Array.from(uniform(size, 1))),
    y: new Tensor("float32", shape, Float32Array.from(uniform(size, 2))),
  };
  return { step: () => trainer.step(batch), products: () => productsOf(model, shape) };
}

const [texts, tokens] = [8, 256];

const gptOptions = {
  sizes: { vocabulary: 96, width: 384, layers: 6, heads: 6, feedForward: 1536, positions: tokens },
  details: { dropout: 0, attentionDropout: 0 },
  embeddingDropout: 0,
};

const undropped = { details: { dropout: 0, attentionDropout: 0 } };

/** A step on so many texts of so many tokens, with their labels: those of the tokens, or of each text. */
function trained(model, [batch, length], ofTexts = false) {
  const trainer = new Trainer(model, { loss: crossEntropy(), optimizer: adam(), training: { compile } });
  const x = new Tensor("int32", [batch, length], Int32Array.from(labels(batch * length)));
  const y = ofTexts
    ? new Tensor(
        "int32",
        [batch],
        labels(batch).map((label) => label % 2),
      )
    : x;
  return {
    step: () => trainer.step({ x, y }),
    products: () => productsOf(model, [batch, length], "int32"),
  };
}

export const gptStep = () => trained(models.gpt2Architectures.GPT2LMHeadModel(gptOptions), [texts, tokens]);

/** GPT-2 as published, but for dropout. */
export function gpt2Step() {
  const sizes = { vocabulary: 50_257, width: 768, layers: 12, heads: 12, feedForward: 3072, positions: 1024 };
  return trained(models.gpt2Architectures.GPT2LMHeadModel({ sizes, ...undropped, embeddingDropout: 0 }), [1, 512]);
}

/** BERT-base as published, but for dropout. */
export function bertStep() {
  const sizes = { vocabulary: 30_522, width: 768, layers: 12, heads: 12, feedForward: 3072, positions: 512 };
  const head = { labels: 2, dropout: 0 };
  return trained(models.bertArchitectures.BertForSequenceClassification({ sizes, ...undropped }, head), [8, 128], true);
}

/** One further token of so many texts at a time. */
async function generation(model, { batch = 1, prompt }) {
  const step = await decoder(model, { capacity: tokens, batch, compile });
  const feed = (text) => step.feedAll(Array(batch).fill(text));
  return {
    calls: 16,
    async step() {
      if (step.length === 0 || step.length === tokens) {
        step.reset();
        await feed(prompt);
      }
      const logits = await feed([7]);
      return logits.map((scores) => scores.indexOf(scores.reduce((most, score) => Math.max(most, score))));
    },
  };
}

function gptGeneration(model, batch) {
  model.trace({ dtype: "int32", shape: [1, 1] });
  model.initialize(keyOf(0));
  return generation(model, { batch, prompt: [...labels(tokens / 2)] });
}

async function llamaGeneration(file, type) {
  const model = await loadModel(file);
  if (type === "q4_0") {
    model.freeze();
    quantizeFrozen(model, { bits: 4 });
  }
  return generation(model, { prompt: llamaPrompt });
}

export const generationSteps = {
  "gpt-generate": () => gptGeneration(models.gpt2Architectures.GPT2LMHeadModel(gptOptions)),
  "gpt2-generate": () => gptGeneration(models.presetOf("gpt2").build({})),
  "gpt2-generate-8": () => gptGeneration(models.presetOf("gpt2").build({}), 8),
  ...Object.fromEntries(
    Object.entries(llamaWorks).map(([work, type]) => [
      work,
      () => withLlama(type, (file) => llamaGeneration(file, type)),
    ]),
  ),
};
