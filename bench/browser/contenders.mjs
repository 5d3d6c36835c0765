// Owns the table of the browser's contenders: the page of each, its backend, and the device that it computes on.

const training = ["lenet-step", "mlp-step", "gpt-small-step"];

/** One sentence for each work; README.md gives the layers and shapes that every contender follows. */
export const works = {
  "lenet-step": "One training step of a small convolutional network, batch 64 of [1, 28, 28], Adam.",
  "mlp-step": "One training step of a 784-512-512-10 perceptron, batch 128, Adam.",
  "gpt-small-step": "One training step of a GPT of 2 layers, width 64, 4 heads on 4 texts of 64 tokens, Adam.",
};

/** The devices: what computes, and the contender that the others are held against there. */
export const devices = {
  processor: { yardstick: "sardonyx-wasm" },
  card: { yardstick: "sardonyx-webgpu" },
};

const contender = (name, page, backend, device, packages, more = {}) => ({
  name,
  page,
  backend,
  device,
  packages,
  works: training,
  ...more,
});

const tfjs = "@tensorflow/tfjs";
const jax = "@jax-js/jax";

/**
 * `page` is the module in this folder that is bundled for it, `packages` those whose versions are told, `slow` the works that it runs in the
 * first round only.
 */
export const contenders = [
  contender("sardonyx-wasm", "sardonyx", "wasm", "processor", ["sardonyx"]),
  contender("tfjs-wasm", "tfjs", "wasm", "processor", [tfjs]),
  contender("jax-js-wasm", "jax", "wasm", "processor", [jax], { slow: ["lenet-step"] }),
  contender("js-pytorch-cpu", "js-pytorch", "cpu", "processor", ["js-pytorch"], {
    slow: ["mlp-step", "gpt-small-step"],
  }),
  contender("sardonyx-webgpu", "sardonyx", "webgpu", "card", ["sardonyx"]),
  contender("tfjs-webgpu", "tfjs", "webgpu", "card", [tfjs]),
  contender("tfjs-webgl", "tfjs", "webgl", "card", [tfjs]),
  contender("jax-js-webgpu", "jax", "webgpu", "card", [jax]),
  contender("webgpu-torch", "webgpu-torch", "webgpu", "card", ["webgpu-torch"]),
  contender("js-pytorch-gpu", "js-pytorch", "gpu", "card", ["js-pytorch"], { slow: ["mlp-step", "gpt-small-step"] }),
];
