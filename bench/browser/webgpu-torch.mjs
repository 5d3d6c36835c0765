// The webgpu-torch contender: each work's network begun as its users would; it says itself what it cannot differentiate.
import { conv2d, initWebGPUAsync, ones, tensor } from "webgpu-torch";
import { gpt } from "../contenders/gpt-sizes.mjs";
import { contend } from "./contend.mjs";

if (!(await initWebGPUAsync())) throw new Error("webgpu-torch found no WebGPU");

/** Weights that are to be learned. */
function weights(shape) {
  const made = ones(shape);
  made.requiresGrad = true;
  return made;
}

const rows = (count, width) => tensor(Array.from({ length: count }, () => Array(width).fill(0.5)));

/** The loss and its gradients begin with a layer, and go no further where that has no gradient. */
const begun = (layer) => ({
  async step() {
    const loss = layer().relu().sum();
    loss.backward();
    return (await loss.toArrayAsync())[0];
  },
});

await contend({
  "lenet-step": () => {
    const images = ones([64, 1, 28, 28]);
    const filters = weights([32, 1, 3, 3]);
    return begun(() => conv2d(images, filters));
  },
  "mlp-step": () => {
    const [x, w] = [rows(128, 784), weights([784, 512])];
    return begun(() => x.mm(w));
  },
  "gpt-small-step": () => {
    // It has no embedding: rows of a table by a product with one-hot vectors.
    const [x, table] = [rows(gpt.texts * gpt.tokens, gpt.vocabulary), weights([gpt.vocabulary, gpt.width])];
    return begun(() => x.mm(table));
  },
});
