// The Sardonyx contender in a browser: the package as pages get it (npm run build first), on WebAssembly or WebGPU.
import {
  adam,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  maxPool2d,
  models,
  sequential,
  Tensor,
  Trainer,
} from "../../dist/web/all.js";
import { labels, uniform } from "../contenders/data.mjs";
import { gpt, gptTokens } from "../contenders/gpt-sizes.mjs";
import { backend, contend, threads } from "./contend.mjs";

const compile = { device: backend, threads };

function training(model, batch) {
  const trainer = new Trainer(model, { loss: crossEntropy(), optimizer: adam(), training: { compile } });
  return { step: async () => (await trainer.step(batch)).loss };
}

function classified(shape) {
  const size = shape.reduce((product, extent) => product * extent);
  return {
    x: new Tensor("float32", shape, uniform(size)),
    y: new Tensor("int32", [shape[0]], labels(shape[0])),
  };
}

const lenet = () =>
  sequential([
    conv2d(32, 3, { activation: "relu" }),
    maxPool2d(2),
    conv2d(64, 3, { activation: "relu" }),
    maxPool2d(2),
    flatten(),
    dense(128, { activation: "relu" }),
    dense(10),
  ]);

const mlp = () => sequential([dense(512, { activation: "relu" }), dense(512, { activation: "relu" }), dense(10)]);

function gptStep() {
  const { texts, tokens, ...sizes } = gpt;
  const model = models.gpt2Architectures.GPT2LMHeadModel({
    sizes: { ...sizes, positions: tokens },
    details: { dropout: 0, attentionDropout: 0 },
    embeddingDropout: 0,
  });
  const x = new Tensor("int32", [texts, tokens], gptTokens());
  return training(model, { x, y: x });
}

await contend({
  "lenet-step": () => training(lenet(), classified([64, 1, 28, 28])),
  "mlp-step": () => training(mlp(), classified([128, 784])),
  "gpt-small-step": gptStep,
});
