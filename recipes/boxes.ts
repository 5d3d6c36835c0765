/** Images with boxes of your own: where in an image which objects are. */
import { z } from "zod";
import {
  anchorAccuracy,
  anchorsOf,
  type BoxSample,
  baselinesOfBoxes,
  boxChanges,
  type CompileOptions,
  cosineInTime,
  type Dialogue,
  defineRecipe,
  detectionFigures,
  detectionLoss,
  earlyStopping,
  keyOf,
  measuredBatches,
  models,
  OptionError,
  objectsIn,
  offsetScales,
  type Predictor,
  predictor,
  scaleBytes,
  searchSamples,
  Tensor,
  trainedBatches,
} from "../src/index.ts";
import { loadBoxes } from "../src/node.ts";
import { type Find, findingsSheet, findNamedInFile } from "./shared/finding.ts";
import { requireOwnData } from "./shared/own-data.ts";

/** What a run keeps of its images and boxes. */
const facts = z.object({
  extents: z.object({ height: z.number(), width: z.number(), channels: z.union([z.literal(1), z.literal(3)]) }),
  classes: z.array(z.string()),
  /** Where anchors are. */
  maps: z.array(z.object({ cells: z.number(), sizes: z.array(z.tuple([z.number(), z.number()])) })),
  /** Objects of one class that are found at most. */
  limit: z.number(),
});

type Facts = z.infer<typeof facts>;

/** Objects of one class that are found in an image: twice as many as there were at most, within these. */
const [fewestFound, mostFound] = [10, 200];
/** Boxes of a class that overlap by more are one; what is less sure is nothing. */
const suppression = { overlap: 0.45, threshold: 0.02 };
/** Probability from which objects are shown. */
const shownFrom = 0.35;
/** Of the time, what training may take; the rest is for baselines. */
const trainingShare = 0.9;
/** Images that are measured at once, and those that are drawn. */
const [mostAtOnce, mostDrawn] = [32, 12];

function open({ width }: { readonly width: number }, { extents, classes, maps, limit }: Facts) {
  const { height: side, channels } = extents;
  const inputs = { dtype: "float32", shape: [1, channels, side, side] } as const;
  const model = new models.SingleShotDetector({
    classes: classes.length,
    anchors: maps.map(({ sizes }) => sizes.length),
    width,
  });
  const anchors = anchorsOf(side, maps);
  const table = new Tensor("float32", [anchors.length, 4], Float32Array.from(anchors.flat()));
  const finder = new models.ObjectFinder(model, { ...suppression, limit, anchors: table, scales: offsetScales });
  const scale = scaleBytes();
  const dialogue: Dialogue = {
    what: "an image to look for objects in",
    example: "image.png",
    async open(compile) {
      const ask = predictor(finder, { compile, snapshot: true });
      const find: Find = async (image) => {
        const { x } = scale({ x: image.reshape(inputs.shape) });
        return objectsIn(await ask(x)).filter(({ score }) => score >= shownFrom);
      };
      return (path: string) => findNamedInFile(path, find, { side, channels, classes });
    },
  };
  return { model, inputs, classes, deployed: { model: finder, inputs }, dialogue, anchors, finder };
}

export default defineRecipe({
  name: "boxes",
  summary: "Images with boxes of your own: which objects are where, by a single-shot detector, beside simple baselines",
  data: "your own: about 69 % to train on, 11 % to choose by, 20 % to test",
  defaults: { epochs: 100, batchSize: 16, learningRate: 0.003, optimizer: "adamw", seed: 0 },
  options: {
    data: {
      description:
        "a folder of images with boxes in COCO's form, in YOLO's, or in metadata.jsonl; or COCO's JSON, YOLO's data.yaml",
      default: "",
    },
    task: { description: "what is predicted", default: "detection", choices: ["detection", "boxes"] },
    size: {
      description: "pixels in a row and a column, a multiple of 32; 0: by the boxes and the time",
      default: 0,
    },
    augment: {
      description: "how images are changed at random while they are trained on; mirrored ones are moved too",
      default: "mirrored",
      choices: boxChanges,
    },
    width: { description: "filters of the first convolution", default: 16 },
    minutes: { description: "time for training and for the baselines", default: 5 },
  },
  search: {
    learningRate: { low: 0.001, high: 0.01, log: true },
    augment: { choices: ["moved", "mirrored"] },
  },
  facts,
  open: (settings, kept) => open(settings, kept),
  async load(settings, limit) {
    const { data, seed, size, minutes, epochs, batchSize, learningRate, augment } = settings;
    requireOwnData({ data, minutes }, "there are no images; name their folder by --data");
    if (size !== 0 && !(Number.isInteger(size / 32) && size >= 32 && size <= 1024))
      throw new OptionError(
        `--size is ${size}; pass a multiple of 32 from 32 to 1024, or 0 to go by the boxes and the time`,
      );
    const seconds = trainingShare * 60 * minutes;
    const boxes = await loadBoxes({ path: data, side: size, seconds, seed, limit });
    const { extents, classes, maps, most, parts, notes } = boxes;
    const kept: Facts = {
      extents,
      classes: [...classes],
      maps: maps.map(({ cells, sizes }) => ({ cells, sizes: sizes.map(([width, height]) => [width, height]) })),
      limit: Math.min(mostFound, Math.max(fewestFound, 2 * most)),
    };
    const { anchors, finder, ...opened } = open(settings, kept);
    const train = trainedBatches(parts.train, { anchors, size: batchSize, change: augment, key: keyOf(seed) });
    // Compiled once: it reads the parameters as they are when it is asked.
    let ask: Predictor | undefined;
    const searched = (samples: readonly BoxSample[], compile: CompileOptions) => {
      ask ??= predictor(finder, { compile });
      return searchSamples(samples, ask);
    };
    return {
      ...opened,
      facts: kept,
      notes,
      train,
      validation: measuredBatches(parts.validation, { anchors, size: mostAtOnce }),
      test: measuredBatches(parts.test, { anchors, size: mostAtOnce }),
      loss: detectionLoss({ leastNegatives: 3 }),
      metrics: [anchorAccuracy()],
      measures: [
        {
          name: "mAP",
          direction: "up",
          measure: async (compile) => detectionFigures(await searched(parts.validation, compile)).mAP,
        },
      ],
      samples: { train: parts.train.length, test: parts.test.length },
      schedule: cosineInTime({ rate: learningRate, steps: epochs * (train.length ?? 1), seconds }),
      callbacks: [earlyStopping({ monitor: "validation_mAP", patience: epochs, seconds })],
      training: { clipNorm: 5 },
      optimizers: { adamw: { weightDecay: 0.01 } },
      measure: async (compile) => detectionFigures(await searched(parts.test, compile)),
      baselines: () => baselinesOfBoxes(parts, { seed }),
      async draw(compile) {
        const step = Math.max(1, Math.floor(parts.test.length / mostDrawn));
        const shown = parts.test.filter((_, i) => i % step === 0).slice(0, mostDrawn);
        const found = await searched(shown, compile);
        const images = await Promise.all(shown.map((sample) => sample.pixels()));
        const sheet = found.map((own, i) => ({
          ...own,
          found: own.found.filter(({ score }) => score >= shownFrom),
          image: images[i] as Tensor<"uint8">,
        }));
        return { "boxes.png": findingsSheet(sheet, (label) => classes[label] ?? "?") };
      },
    };
  },
});
