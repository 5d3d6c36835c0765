/**
 * Handwritten digits found in a scene by a single-shot detector: where each is, how large, and which. Its anchors span the heights that scenes
 * have, and the overlap by which boxes are suppressed is SSD's (Liu et al. 2016, sec. 3.1). A search chooses among the rest by scenes of training
 * digits that are held back.
 */
import {
  anchorAccuracy,
  anchorsOf,
  type CompileOptions,
  cosine,
  type DetectedImage,
  defineRecipe,
  detectionLoss,
  detectionTargets,
  digitScene,
  foldIn,
  fromIndexed,
  keyOf,
  type Labelled,
  meanAveragePrecision,
  models,
  objectsIn,
  offsetScales,
  predictor,
  Random,
  type Scene,
  scaleBytes,
  Tensor,
} from "../src/index.ts";
import { type LabelledImages, loadMnist } from "../src/node.ts";
import { type Find, findInFile, findingsSheet } from "./shared/finding.ts";

const side = 64;
const scenes = { side, most: 4, heights: [12, 36] } as const;

/** Anchors of these heights, narrow and wide. */
const sizesOf = (...heights: readonly number[]) =>
  heights.flatMap((height) => [0.35, 0.75].map((ratio) => [ratio * height, height] as const));
const maps = [
  { cells: side / 8, sizes: sizesOf(14, 20, 28) },
  { cells: side / 16, sizes: sizesOf(36) },
] as const;
const anchors = anchorsOf(side, maps);

/** Which objects are reported. */
const suppression = { limit: 5, overlap: 0.45, threshold: 0.05 };
/** Probability from which they are shown. */
const shownFrom = 0.35;

const scale = scaleBytes();
const imageOf = ({ pixels }: Scene) => new Tensor("uint8", [1, side, side], pixels);
const sampleOf = (scene: Scene): Labelled => ({ x: imageOf(scene), y: detectionTargets(anchors, scene.truth) });

const network = () => ({
  model: new models.SingleShotDetector({ classes: 10, anchors: [maps[0].sizes.length, maps[1].sizes.length] }),
  inputs: { dtype: "float32", shape: [1, 1, side, side] } as const,
});

/** What finds objects in an image, from a probability on. */
function finding(finder: models.ObjectFinder, inputs: ReturnType<typeof network>["inputs"]) {
  return (compile: CompileOptions, from = 0): Find => {
    const find = predictor(finder, { compile, snapshot: true });
    return async (image) => {
      const { x } = scale({ x: image.reshape(inputs.shape) });
      return objectsIn(await find(x)).filter(({ score }) => score >= from);
    };
  };
}

const open = () => {
  const { model, inputs } = network();
  const table = new Tensor("float32", [anchors.length, 4], Float32Array.from(anchors.flat()));
  const finder = new models.ObjectFinder(model, { ...suppression, anchors: table, scales: offsetScales });
  const finderOf = finding(finder, inputs);
  return {
    model,
    inputs,
    deployed: { model: finder, inputs },
    dialogue: {
      what: "an image of digits",
      example: "digits.png",
      async open(compile: CompileOptions) {
        const find = finderOf(compile, shownFrom);
        return (path: string) => findInFile(path, find, side);
      },
    },
    finderOf,
  };
};

/** The digits that a search trains on, and the last tenth of them, by which it chooses. */
function heldDigits({ x, y }: LabelledImages): readonly [known: LabelledImages, held: LabelledImages] {
  const rows = y.data.length;
  const border = Math.floor(0.9 * rows);
  const size = x.data.length / rows;
  const part = (from: number, to: number): LabelledImages => ({
    x: new Tensor("uint8", [to - from, ...x.shape.slice(1)], x.data.subarray(from * size, to * size)),
    y: new Tensor("int32", [to - from], y.data.subarray(from, to)),
  });
  return [part(0, border), part(border, rows)];
}

export default defineRecipe({
  name: "detect-digits",
  summary: "Up to four handwritten digits of different sizes found in a scene by a single-shot detector",
  data: "scenes of MNIST's digits: 8,000 new ones an epoch, 1,000 of test digits",
  defaults: { epochs: 8, batchSize: 32, learningRate: 0.003, optimizer: "adam", seed: 0 },
  options: { data: { description: "folder of MNIST's four files; downloaded where there is none", default: "" } },
  search: { learningRate: { low: 0.001, high: 0.01, log: true }, batchSize: { choices: [16, 32, 64] } },
  network,
  open,
  async load({ batchSize, seed, epochs, learningRate, data: dir }, limit, onDownload) {
    const digits = await loadMnist({ ...(dir !== "" && { dir }), ...(onDownload && { onProgress: onDownload }) });
    const count = (most: number) => Math.min(most, limit ?? most);
    const trained = (own: LabelledImages) =>
      fromIndexed(count(8000), (index) => index)
        .map((_, random) => sampleOf(digitScene(own, scenes, random)), foldIn(keyOf(seed), "scenes"))
        .batch(batchSize)
        .map(scale);
    const train = trained(digits.train.tensors);
    const measured = (own: readonly Scene[]) =>
      fromIndexed(own.length, (index) => sampleOf(own[index] as Scene))
        .batch(50, { dropLast: false })
        .map(scale);
    // The same scenes whatever the seed.
    const scenesOf = (own: LabelledImages, name: string, most: number) =>
      Array.from({ length: count(most) }, (_, i) => digitScene(own, scenes, new Random(foldIn(keyOf(0), name, i))));
    const test = scenesOf(digits.test.tensors, "test scenes", 1000);
    const [known, kept] = heldDigits(digits.train.tensors);
    const held = scenesOf(kept, "held scenes", 500);
    const { finderOf, ...opened } = open();
    const searched = async (of: readonly Scene[], find: Find) => {
      const results: (DetectedImage & { readonly image: Tensor<"uint8"> })[] = [];
      for (const scene of of) {
        const image = imageOf(scene);
        results.push({ image, truth: scene.truth, found: await find(image) });
      }
      return results;
    };
    return {
      ...opened,
      train,
      test: measured(test),
      trial: () => ({ train: trained(known), validation: measured(held) }),
      measures: [
        {
          name: "mAP",
          direction: "up",
          measure: async (compile) => meanAveragePrecision(await searched(held, finderOf(compile))),
        },
      ],
      loss: detectionLoss(),
      metrics: [anchorAccuracy()],
      samples: { train: count(8000), test: test.length },
      schedule: cosine({ rate: learningRate, steps: epochs * (train.length ?? 1) }),
      training: { clipNorm: 5 },
      measure: async (compile) => ({ mAP: meanAveragePrecision(await searched(test, finderOf(compile))) }),
      draw: async (compile) => ({
        "scenes.png": findingsSheet(await searched(test.slice(0, 12), finderOf(compile, shownFrom))),
      }),
    };
  },
});
