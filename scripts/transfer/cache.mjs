/** Epochs on what frozen layers gave and was kept, and the same epochs with these layers computed anew, in pairs. */
import { join } from "node:path";
import { root } from "../prepare.mjs";

const library = await import(join(root, "dist/src/index.js"));
const { loadFashionMnist } = await import(join(root, "dist/src/node.js"));
const { mobileNet, onLayer, trainLast } = await import(join(root, "dist/recipes/shared/mobilenet.js"));
const { adam, crossEntropy, fit, fromTensors, gatherRows, keyOf, sampleShots, scaleBytes } = library;

/** Trains the head of transfer-images on 100 images a class for twelve epochs, five times each way, in turn. */
export async function measureCache() {
  const folder = join(root, "test/published/node_modules/nsfwjs");
  const { x, y } = (await loadFashionMnist()).train.tensors;
  const { support } = sampleShots(y, 100, keyOf(0));
  const found = { kept: [], anew: [], notes: [] };
  for (let pair = 0; pair < 5; pair++)
    for (const way of ["kept", "anew"]) {
      const model = onLayer(await mobileNet(folder), "block_6_expand_relu");
      model.initialize(keyOf(0), { dtype: "float32", shape: [1, 1, 28, 28] });
      trainLast(model, 0);
      const images = fromTensors({ x: gatherRows(x, support), y: gatherRows(y, support) });
      const times = [];
      let began = performance.now();
      const onEpoch = () => {
        times.push(performance.now() - began);
        began = performance.now();
      };
      const { notes, history } = await fit(model, images.shuffle(keyOf(0)).batch(32).map(scaleBytes()), {
        loss: crossEntropy(),
        optimizer: adam(),
        epochs: 12,
        callbacks: [{ name: "clock", onEpoch }],
        training: { compile: { threads: 1 }, ...(way === "anew" && { cache: false }) },
      });
      // Of two epochs the samples are read; from the third on they are not. Other programs only make epochs longer: the fastest counts.
      found[way].push({ milliseconds: Math.min(...times.slice(2)), loss: history.at(-1).loss });
      found.notes.push(...notes);
    }
  const ratios = found.kept.map(({ milliseconds }, pair) => found.anew[pair].milliseconds / milliseconds);
  return { ...found, ratios };
}
