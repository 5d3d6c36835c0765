/** Handwritten digits found in a scene by a single-shot detector: where each is, how large, and which. */
import {
  anchorAccuracy,
  anchorsOf,
  type Batch,
  type Box,
  Canvas,
  type Color,
  type CompileOptions,
  cosine,
  type DetectedPicture,
  type Detection,
  type Dialogue,
  defineRecipe,
  detectionLoss,
  detectionTargets,
  digitScene,
  encodePng,
  foldIn,
  fromIndexed,
  keyOf,
  type LabelledBox,
  lightOnDark,
  meanAveragePrecision,
  models,
  offsetScales,
  predictor,
  Random,
  type Scene,
  Tensor,
} from "../src/index.ts";
import { loadMnist, readImage } from "../src/node.ts";

const side = 64;
const classes = 10;
const scenes = { side, most: 4, heights: [12, 36] } as const;

/** Anchors of these heights, narrow and wide. */
const sizesOf = (...heights: readonly number[]) =>
  heights.flatMap((height) => [0.35, 0.75].map((ratio) => [ratio * height, height] as const));
const maps = [
  { cells: side / 8, sizes: sizesOf(14, 20, 28) },
  { cells: side / 16, sizes: sizesOf(36) },
] as const;
const anchors = anchorsOf(side, maps);

/** What is told of a scene, and from which probability it is shown. */
const suppression = { limit: 5, overlap: 0.45, threshold: 0.05 };
const shownFrom = 0.35;

const network = () => ({
  model: new models.SingleShotDetector({ classes, anchors: [maps[0].sizes.length, maps[1].sizes.length] }),
  input: { dtype: "float32", shape: [1, 1, side, side] } as const,
});

/** Brightness in [0, 1], [N, 1, 64, 64]. */
const picturesOf = (pixels: readonly Uint8Array[]): Tensor<"float32"> => {
  const data = new Float32Array(pixels.length * side * side);
  for (const [i, own] of pixels.entries())
    data.set(
      Float32Array.from(own, (level) => level / 255),
      i * side * side,
    );
  return new Tensor("float32", [pixels.length, 1, side, side], data);
};

const sampleOf = ({ pixels, truth }: Scene): Batch => ({
  x: picturesOf([pixels]).reshape([1, side, side]),
  y: detectionTargets(anchors, truth),
});

/** Rows [C · limit, 6] of a finder's output, without those that stand for nothing. */
function detectionsIn(rows: Float32Array): Detection[] {
  return Array.from({ length: rows.length / 6 }, (_, i) => {
    const [left = 0, top = 0, right = 0, bottom = 0, label = 0, score = 0] = rows.subarray(6 * i, 6 * i + 6);
    return { box: [left, top, right, bottom] as const, label, score };
  })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
}

const [green, red]: readonly Color[] = [
  [0, 220, 0],
  [255, 60, 60],
];

/** Frames with a label at a corner: what is there above at the left, what was found below at the right. */
function mark(
  canvas: Canvas,
  { box, label }: LabelledBox,
  x: number,
  y: number,
  scale: number,
  isTruth: boolean,
): void {
  const color = (isTruth ? green : red) as Color;
  const [left, top, right, bottom] = box.map((edge) => Math.round(edge * scale)) as [number, number, number, number];
  canvas.frame(x + left, y + top, x + right - 1, y + bottom - 1, color);
  if (isTruth) canvas.text(x + left, y + top - 12, `${label}`, color, 2);
  else canvas.text(x + right - 6, y + bottom + 2, `${label}`, color, 2);
}

/** Scenes side by side, enlarged, with what is there in green and what was found in red. */
function sheet(pictures: readonly (Scene & DetectedPicture)[]): Uint8Array {
  const [columns, scale, margin] = [4, 4, 16];
  const step = side * scale + margin;
  const canvas = new Canvas(
    Math.ceil(pictures.length / columns) * step + margin,
    columns * step + margin,
    [60, 60, 60],
  );
  for (const [i, { pixels, truth, found }] of pictures.entries()) {
    const [x, y] = [margin + (i % columns) * step, margin + Math.floor(i / columns) * step];
    canvas.grey(
      x,
      y,
      Float32Array.from(pixels, (level) => level / 255),
      side,
      scale,
    );
    for (const own of truth) mark(canvas, own, x, y, scale, true);
    for (const own of found) if (own.score >= shownFrom) mark(canvas, own, x, y, scale, false);
  }
  return encodePng(canvas.picture);
}

export default defineRecipe({
  name: "detect-digits",
  summary: "Up to four handwritten digits of different sizes found in a scene by a single-shot detector",
  data: "scenes of MNIST's digits: 8,000 new ones an epoch, 1,000 of test digits",
  defaults: { epochs: 6, batchSize: 32, learningRate: 0.003, optimizer: "adam", seed: 0 },
  options: { data: { description: "folder of MNIST's four files; downloaded where there is none", default: "" } },
  network,
  async load({ batchSize, seed, epochs, learningRate, data: dir }, limit, onDownload) {
    const digits = await loadMnist({ ...(dir !== "" && { dir }), ...(onDownload && { onProgress: onDownload }) });
    const count = (most: number) => Math.min(most, limit ?? most);
    const train = fromIndexed(count(8000), (index) => index)
      .map((_, random) => sampleOf(digitScene(digits.train.tensors, scenes, random)), foldIn(keyOf(seed), "scenes"))
      .batch(batchSize);
    // The same scenes whatever the seed.
    const test = Array.from({ length: count(1000) }, (_, i) =>
      digitScene(digits.test.tensors, scenes, new Random(foldIn(keyOf(0), "test scenes", i))),
    );
    const { model, input } = network();
    const table = new Tensor("float32", [anchors.length, 4], Float32Array.from(anchors.flat()));
    const finder = new models.ObjectFinder(model, { ...suppression, anchors: table, scales: offsetScales });
    const search = async (compile: CompileOptions) => {
      const find = await predictor(finder, input, compile);
      return async (pixels: Uint8Array) => detectionsIn((await find(picturesOf([pixels]))).data as Float32Array);
    };
    const searched = async (compile: CompileOptions, of: readonly Scene[]): Promise<(Scene & DetectedPicture)[]> => {
      const find = await search(compile);
      const results: (Scene & DetectedPicture)[] = [];
      for (const scene of of) results.push({ ...scene, found: await find(scene.pixels) });
      return results;
    };
    const dialogue: Dialogue = {
      what: "a picture of digits",
      example: "digits.png",
      async open(compile) {
        const find = await search(compile);
        return async (path) => {
          const whole = await readImage(path, { channels: 1 });
          const { picture, inverted } = lightOnDark(await readImage(path, { size: [side, side], channels: 1 }));
          const [, height = side, width = side] = whole.shape;
          const found = (await find(picture.data))
            .filter(({ score }) => score >= shownFrom)
            .map((own) => ({
              ...own,
              box: own.box.map((edge, i) => (edge * (i % 2 ? height : width)) / side) as object as Box,
            }));
          const scale = Math.max(1, Math.round(256 / Math.max(height, width)));
          const canvas = new Canvas(height * scale, width * scale);
          canvas.grey(
            0,
            0,
            Float32Array.from(whole.data, (level) => level / 255),
            width,
            scale,
          );
          for (const own of found) mark(canvas, own, 0, 0, scale, false);
          const notes = [
            (height !== side || width !== side) && `looked at in ${side}x${side}, resized from ${width}x${height}`,
            inverted && "dark on light: inverted first",
          ].filter((note) => note !== false);
          const lines = found.map(
            ({ box, label, score }) =>
              `${label} from ${box.slice(0, 2).map(Math.round).join(",")} to ${box.slice(2).map(Math.round).join(",")} (${(100 * score).toFixed(1)} %)`,
          );
          return {
            text: lines.join("; ") || "no digit",
            fields: { found },
            drawings: { "found.png": encodePng(canvas.picture) },
            ...(notes.length > 0 && { note: notes.join(", ") }),
          };
        };
      },
    };
    return {
      model,
      train,
      test: fromIndexed(test.length, (index) => sampleOf(test[index] as Scene)).batch(50, { dropLast: false }),
      loss: detectionLoss(),
      metrics: [anchorAccuracy()],
      samples: { train: count(8000), test: test.length },
      schedule: cosine({ rate: learningRate, steps: epochs * (train.length ?? 1) }),
      training: { clipNorm: 5 },
      input: { type: input, prepare: (raw) => raw },
      deployed: { model: finder, input: { type: input, prepare: (raw) => raw } },
      dialogue,
      measure: async (compile) => ({ mAP: meanAveragePrecision(await searched(compile, test)) }),
      draw: async (compile) => ({ "scenes.png": sheet(await searched(compile, test.slice(0, 12))) }),
    };
  },
});
