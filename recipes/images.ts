/** Images of your own: classes, labels or a number. */
import { z } from "zod";
import {
  augmentations,
  baselinesOfImages,
  defineRecipe,
  imageChoices,
  imageViews,
  keyOf,
  type Labelled,
  linearOnFeatures,
  models,
  OptionError,
  predictor,
  sampleTargetSchema,
  sampleTasks,
  scaleBytes,
} from "../src/index.ts";
import { type ImageBase, loadImages, openImageBase } from "../src/node.ts";
import {
  baseOptions,
  candidatesFor,
  checkedSettings,
  learnSamples,
  requireBlocks,
  sampleOptions,
  tuned,
} from "./shared/own-samples.ts";

/** What a run keeps of its images. */
const facts = z.object({
  extents: z.object({ height: z.number(), width: z.number(), channels: z.union([z.literal(1), z.literal(3)]) }),
  target: sampleTargetSchema,
});

type Facts = z.infer<typeof facts>;

/** How images of a size are read, and asked. */
const inputsOf = ({ height, width, channels }: Facts["extents"]) => ({
  inputs: { dtype: "float32", shape: [1, channels, height, width] } as const,
  format: { image: { height, width, channels, turns: false } },
});

function fromNothing({ width }: { readonly width: number }, { extents, target }: Facts) {
  const side = extents.height;
  return {
    ...candidatesFor(target, imageChoices, (outputs) => models.smallConvolution({ side, outputs, width })),
    ...inputsOf(extents),
  };
}

const onBase = (base: ImageBase, { extents, target }: Facts) => ({
  ...candidatesFor(target, tuned, (outputs) => base.classifier(outputs)),
  ...inputsOf(extents),
});

export default defineRecipe({
  name: "images",
  summary: "Images of your own: classes, labels or a number, by networks that are compared, beside simple baselines",
  data: "your own: about 69 % to train on, 11 % to choose by, 20 % to test",
  defaults: { epochs: 60, batchSize: 32, learningRate: 0.003, optimizer: "adamw", seed: 0 },
  options: {
    data: {
      description:
        "a folder with a folder of images for each class, or with metadata.csv; or a table with a column of images",
      default: "",
    },
    task: {
      description: "what is predicted; auto and images go by the target",
      default: "auto",
      choices: [...sampleTasks, "images"],
    },
    size: { description: "pixels in a row and a column; 0: by the images, 64 at most", default: 0 },
    augment: {
      description: "how much images are changed at random while they are trained on; auto: mildly, on a base not",
      default: "auto",
      choices: ["auto", ...augmentations],
    },
    width: { description: "filters of the first convolution", default: 24 },
    ...baseOptions,
    ...sampleOptions,
  },
  facts,
  // On a base the run's own files answer.
  open: async (settings, kept) => (settings.base === "" ? fromNothing(settings, kept) : undefined),
  async load(settings, limit, onDownload) {
    const { seed, size, target: column, base: named, unfreeze } = settings;
    const { path, labels } = checkedSettings(settings, "images");
    if (size !== 0 && !(Number.isInteger(size) && size >= 8 && size <= 512))
      throw new OptionError(`--size is ${size}; pass a whole number of pixels from 8 to 512, or 0 to go by the images`);
    if (size !== 0 && named !== "")
      throw new OptionError(
        `--size is ${size}, and --base takes images of its own size; leave the one or the other out`,
      );
    requireBlocks(unfreeze);
    const task = settings.task === "images" ? "auto" : settings.task;
    const base = named === "" ? undefined : await openImageBase(named, { onProgress: onDownload });
    const request = { path, target: column, labels, task, side: size, seed, limit };
    const images = await loadImages({ ...request, extents: base?.size });
    const { extents, target, notes } = images;
    const opened = base ? onBase(base, { extents, target }) : fromNothing(settings, { extents, target });
    const amount = settings.augment === "auto" ? (base ? "none" : "mild") : settings.augment;
    const { baselineOptions, ...learning } = learnSamples(images, {
      model: opened.model,
      settings,
      choices: base ? tuned : imageChoices,
      views: (batches) => imageViews(batches, { amount, side: extents.height, key: keyOf(seed), mirrors: !base }),
      plain: (batches) => batches.map(scaleBytes()),
      ...(base && { unfreeze }),
    });
    return {
      ...opened,
      ...learning,
      facts: { extents, target },
      notes: [...notes, ...(base ? [base.note] : [])],
      async baselines() {
        const half = { ...baselineOptions, seconds: baselineOptions.seconds / 2 };
        if (!base) return baselinesOfImages(images, baselineOptions);
        // Opened anew: the blocks of the other are trained by now.
        const ask = predictor((await openImageBase(named)).features);
        const features = (batch: Labelled) => ask(scaleBytes()(batch).x);
        return [...(await baselinesOfImages(images, half)), ...(await linearOnFeatures(images, features, half))];
      },
    };
  },
});
