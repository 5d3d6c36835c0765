/** Which layer of MobileNetV2 serves a head best, and in how many regions: measured on training images that were held out. */
import { join } from "node:path";
import { root } from "../prepare.mjs";

const library = await import(join(root, "dist/src/index.js"));
const { loadFashionMnist } = await import(join(root, "dist/src/node.js"));
const { enlarge, mobileNet } = await import(join(root, "dist/recipes/shared/mobilenet.js"));
const { accuracy, adam, cosine, crossEntropy, dense, evaluate, featuresOf, fit, fromTensors } = library;
const { activation, flatten, gatherRows, keyOf, ops, scaleBytes, sequential, upTo } = library;

const compile = { threads: 1 };
const layers = [3, 6, 10, 13].map((block) => `block_${block}_expand_relu`);
/** Images to learn from, and to choose by. */
const [learned, held, epochs] = [1000, 1000, 30];

/** Means of so many regions along the height and the width of [N, height, width, C]. */
const inRegions = (parts) => (x) => {
  const [batch, height, width, channels] = x.shape;
  const grouped = ops.reshape(x, [batch, parts, height / parts, parts, width / parts, channels]);
  return ops.reduceMean(grouped, [2, 4]);
};

export async function measureLayers(keep) {
  const network = await mobileNet(join(root, "test/published/node_modules/nsfwjs"));
  const images = (await loadFashionMnist()).train
    .take(learned + held)
    .batch(100)
    .map(scaleBytes());
  const rows = (from, count) => Uint32Array.from({ length: count }, (_, i) => from + i);
  for (const layer of layers)
    for (const parts of [1, 2, 4]) {
      const model = sequential([activation(enlarge), upTo(network, layer), activation(inRegions(parts)), flatten()]);
      const { features, labels } = await featuresOf(model, images, { compile });
      const part = (at) => fromTensors({ x: gatherRows(features, at), y: gatherRows(labels, at) });
      const head = dense(10);
      const batches = part(rows(0, learned)).shuffle(keyOf(0)).batch(20);
      const optimizer = adam({ learningRate: cosine({ rate: 0.003, steps: epochs * batches.length }) });
      await fit(head, batches, { loss: crossEntropy(), optimizer, epochs, training: { compile } });
      const measured = part(rows(learned, held)).batch(250);
      const options = { loss: crossEntropy(), metrics: [accuracy()], compile };
      keep(layer, `${parts}`, {
        accuracies: [(await evaluate(head, measured, options)).results.accuracy],
        seeds: "none",
      });
    }
}
