// Owns the table of the browser's contenders: the page of each, its backend, and the device that it computes on.

const training = ["lenet-step", "mlp-step", "gpt-small-step"];

/** One sentence for each work, in English and Chinese; README.md gives the layers and shapes that every contender follows. */
export const works = {
  "lenet-step": [
    "One training step of a small convolutional network, batch 64 of [1, 28, 28], Adam.",
    "小型卷积网络的一个训练步，批 64，输入 [1, 28, 28]，Adam。",
  ],
  "mlp-step": [
    "One training step of a 784-512-512-10 perceptron, batch 128, Adam.",
    "784-512-512-10 感知机的一个训练步，批 128，Adam。",
  ],
  "gpt-small-step": [
    "One training step of a GPT of 2 layers, width 64, 4 heads on 4 texts of 64 tokens, Adam.",
    "2 层、宽 64、4 个头的 GPT 在 4 段各 64 个词元上的一个训练步，Adam。",
  ],
};

/** The devices in English and Chinese, and the contender that the others are held against there. */
export const devices = {
  processor: { words: ["processor", "处理器"], yardstick: "sardonyx-wasm" },
  card: { words: ["graphics card", "显卡"], yardstick: "sardonyx-webgpu" },
};

const contender = (name, page, backend, device, library, more = {}) => ({
  name,
  page,
  backend,
  device,
  library,
  works: training,
  ...more,
});

const tfjs = "@tensorflow/tfjs";
const jax = "@jax-js/jax";
/** Of js-pytorch a step takes seconds. */
const byBlocks = {
  slow: ["mlp-step", "gpt-small-step"],
  notes: {
    "gpt-small-step": [
      "Its own blocks: ReLU in place of Gelu, scores by a layer of their own",
      "用它自己的模块：以 ReLU 代替 Gelu，分数由单独的一层给出",
    ],
  },
};

/**
 * `page` is the module in this folder that is bundled for it, `library` the package whose version is told, `slow` the works that it runs in the
 * first round only, `notes` what to know of it at a work. `processors` is how many processors make it take one thread, by default one.
 */
export const contenders = [
  contender("sardonyx-wasm", "sardonyx", "wasm", "processor", "sardonyx"),
  contender("tfjs-wasm", "tfjs", "wasm", "processor", tfjs, { processors: 2 }),
  contender("jax-js-wasm", "jax", "wasm", "processor", jax, { slow: ["lenet-step"] }),
  contender("js-pytorch-cpu", "js-pytorch", "cpu", "processor", "js-pytorch", byBlocks),
  contender("sardonyx-webgpu", "sardonyx", "webgpu", "card", "sardonyx"),
  contender("tfjs-webgpu", "tfjs", "webgpu", "card", tfjs),
  contender("tfjs-webgl", "tfjs", "webgl", "card", tfjs),
  contender("jax-js-webgpu", "jax", "webgpu", "card", jax),
  contender("webgpu-torch", "webgpu-torch", "webgpu", "card", "webgpu-torch"),
  contender("js-pytorch-gpu", "js-pytorch", "gpu", "card", "js-pytorch", byBlocks),
];
