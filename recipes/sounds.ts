/** Sounds of your own: classes, labels or a number. */
import { z } from "zod";
import {
  type Batch,
  bandFeatures,
  baselinesOfSamples,
  type Dataset,
  defineRecipe,
  keyOf,
  models,
  OptionError,
  sampleTargetSchema,
  sampleTasks,
  soundChoices,
  soundViews,
} from "../src/index.ts";
import { loadSounds } from "../src/node.ts";
import { candidatesFor, checkedSettings, learnSamples, sampleOptions } from "./shared/own-samples.ts";

/** What a run keeps of its sounds. */
const facts = z.object({
  sound: z.object({ rate: z.number(), samples: z.number(), bands: z.number() }),
  shape: z.tuple([z.number(), z.number()]),
  target: sampleTargetSchema,
});

function open({ sound, shape: [frames, bands], target }: z.infer<typeof facts>) {
  return {
    ...candidatesFor(target, soundChoices, (classes) => models.keywordConvolution({ classes, frames, bands })),
    inputs: { dtype: "float32", shape: [1, frames, bands] } as const,
    format: { sound },
  };
}

export default defineRecipe({
  name: "sounds",
  summary: "Sounds of your own: classes, labels or a number, by networks that are compared, beside simple baselines",
  data: "your own: about 69 % to train on, 11 % to choose by, 20 % to test",
  defaults: { epochs: 40, batchSize: 32, learningRate: 0.005, optimizer: "adamw", seed: 0 },
  options: {
    data: {
      description:
        "a folder with a folder of WAV files for each class, or with metadata.csv; or a table with a column of WAV files",
      default: "",
    },
    task: {
      description: "what is predicted; auto and sounds go by the target",
      default: "auto",
      choices: [...sampleTasks, "sounds"],
    },
    seconds: { description: "length of every clip; 0: by the sounds, 4 at most", default: 0 },
    ...sampleOptions,
  },
  facts,
  open: (_, kept) => open(kept),
  async load(settings, limit) {
    const { seed, seconds, target: column } = settings;
    const { path, labels } = checkedSettings(settings, "sounds");
    if (seconds !== 0 && !(seconds >= 0.1 && seconds <= 60))
      throw new OptionError(`--seconds is ${seconds}; pass a number from 0.1 to 60, or 0 to go by the sounds`);
    const task = settings.task === "sounds" ? "auto" : settings.task;
    const sounds = await loadSounds({ path, target: column, labels, task, seconds, seed, limit });
    const { sound, shape, target, notes } = sounds;
    const kept = { sound, shape: [...shape] as [number, number], target };
    const opened = open(kept);
    const { baselineOptions, ...learning } = learnSamples(sounds, {
      model: opened.model,
      settings,
      choices: soundChoices,
      views: (batches) => soundViews(batches, keyOf(seed)),
      plain: (batches) => batches as unknown as Dataset<Batch>,
    });
    return {
      ...opened,
      ...learning,
      facts: kept,
      notes,
      baselines: () => baselinesOfSamples(sounds, bandFeatures, baselineOptions),
    };
  },
});
