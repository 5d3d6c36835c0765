/** Handwritten digits found in a scene by a single-shot detector: where each is, how large, and which. */
import {
  anchorAccuracy,
  anchorsOf,
  type Batch,
  type CompileOptions,
  cosine,
  type DetectedPicture,
  defineRecipe,
  detectionLoss,
  detectionTargets,
  digitScene,
  foldIn,
  fromIndexed,
  keyOf,
  meanAveragePrecision,
  models,
  offsetScales,
  predictor,
  Random,
  type Scene,
  scaleBytes,
  Tensor,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";
import { type Find, findInFile, findingsSheet, objectsIn } from "./shared/finding.ts";

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

/** Which objects are told of. */
const suppression = { limit: 5, overlap: 0.45, threshold: 0.05 };
/** Probability from which they are shown. */
const shownFrom = 0.35;

const network = () => ({
  model: new models.SingleShotDetector({ classes: 10, anchors: [maps[0].sizes.length, maps[1].sizes.length] }),
  input: { dtype: "float32", shape: [1, 1, side, side] } as const,
});

const scale = scaleBytes();
const pictureOf = ({ pixels }: Scene) => new Tensor("uint8", [1, side, side], pixels);
const sampleOf = (scene: Scene): Batch => ({ x: pictureOf(scene), y: detectionTargets(anchors, scene.truth) });

export default defineRecipe({
  name: "detect-digits",
  summary: "Up to four handwritten digits of different sizes found in a scene by a single-shot detector",
  data: "scenes of MNIST's digits: 8,000 new ones an epoch, 1,000 of test digits",
  defaults: { epochs: 8, batchSize: 32, learningRate: 0.003, optimizer: "adam", seed: 0 },
  options: { data: { description: "folder of MNIST's four files; downloaded where there is none", default: "" } },
  network,
  async load({ batchSize, seed, epochs, learningRate, data: dir }, limit, onDownload) {
    const digits = await loadMnist({ ...(dir !== "" && { dir }), ...(onDownload && { onProgress: onDownload }) });
    const count = (most: number) => Math.min(most, limit ?? most);
    const train = fromIndexed(count(8000), (index) => index)
      .map((_, random) => sampleOf(digitScene(digits.train.tensors, scenes, random)), foldIn(keyOf(seed), "scenes"))
      .batch(batchSize)
      .map(scale);
    // The same scenes whatever the seed.
    const test = Array.from({ length: count(1000) }, (_, i) =>
      digitScene(digits.test.tensors, scenes, new Random(foldIn(keyOf(0), "test scenes", i))),
    );
    const { model, input } = network();
    const table = new Tensor("float32", [anchors.length, 4], Float32Array.from(anchors.flat()));
    const finder = new models.ObjectFinder(model, { ...suppression, anchors: table, scales: offsetScales });
    const prepare = (raw: Tensor) => scale({ x: raw, y: raw }).x;
    const opened = async (compile: CompileOptions, from = 0): Promise<Find> => {
      const find = await predictor(finder, input, compile);
      return async (picture) =>
        objectsIn(await find(prepare(picture.reshape(input.shape)))).filter(({ score }) => score >= from);
    };
    const searched = async (of: readonly Scene[], find: Find) => {
      const results: (DetectedPicture & { readonly picture: Tensor<"uint8"> })[] = [];
      for (const scene of of) {
        const picture = pictureOf(scene);
        results.push({ picture, truth: scene.truth, found: await find(picture) });
      }
      return results;
    };
    return {
      model,
      train,
      test: fromIndexed(test.length, (index) => sampleOf(test[index] as Scene))
        .batch(50, { dropLast: false })
        .map(scale),
      loss: detectionLoss(),
      metrics: [anchorAccuracy()],
      samples: { train: count(8000), test: test.length },
      schedule: cosine({ rate: learningRate, steps: epochs * (train.length ?? 1) }),
      training: { clipNorm: 5 },
      input: { type: input, prepare },
      deployed: { model: finder, input: { type: input, prepare } },
      dialogue: {
        what: "a picture of digits",
        example: "digits.png",
        async open(compile) {
          const find = await opened(compile, shownFrom);
          return (path) => findInFile(path, find, side);
        },
      },
      measure: async (compile) => ({ mAP: meanAveragePrecision(await searched(test, await opened(compile))) }),
      draw: async (compile) => ({
        "scenes.png": findingsSheet(await searched(test.slice(0, 12), await opened(compile, shownFrom))),
      }),
    };
  },
});
