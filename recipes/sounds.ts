/** Sounds of your own: classes, labels or a number. */
import { z } from "zod";
import {
  bandFeatures,
  baselinesOfSamples,
  defineRecipe,
  keyOf,
  linearOnFeatures,
  models,
  OptionError,
  predictor,
  type SampleTarget,
  type SoundFormat,
  sampleTargetSchema,
  sampleTasks,
  soundChoices,
  soundViews,
} from "../src/index.ts";
import { loadSounds, openSoundBase, type SoundBase } from "../src/node.ts";
import {
  baseOptions,
  candidatesFor,
  checkedSettings,
  learnSamples,
  requireBlocks,
  sampleOptions,
  tuned,
} from "./shared/own-samples.ts";

/** What a run keeps of its sounds. */
const facts = z.object({
  sound: z.object({ rate: z.number(), samples: z.number(), bands: z.number().optional() }),
  shape: z.array(z.number()),
  target: sampleTargetSchema,
});

type Facts = z.infer<typeof facts>;

/** How clips are read, and asked. */
const inputsOf = ({ sound, shape }: Pick<SoundBase, "sound" | "shape">) => ({
  inputs: { dtype: "float32", shape: [1, ...shape] } as const,
  format: { sound },
});

function fromNothing({ sound, shape, target }: Facts) {
  const [frames = 1, bands = 1] = shape;
  return {
    ...candidatesFor(target, soundChoices, (classes) => models.keywordConvolution({ classes, frames, bands })),
    ...inputsOf({ sound: sound as SoundFormat, shape }),
  };
}

const onBase = (base: SoundBase, target: SampleTarget) => ({
  ...candidatesFor(target, tuned, (outputs) => base.classifier(outputs)),
  ...inputsOf(base),
});

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
    ...baseOptions,
    rate: { description: "of a base: samples a second that it reads; 0: what its files say, or 16000", default: 0 },
    ...sampleOptions,
  },
  facts,
  // On a base the run's own files answer.
  open: async ({ base }, kept) => (base === "" ? fromNothing(kept) : undefined),
  async load(settings, limit, onDownload) {
    const { seed, seconds, target: column, base: named, unfreeze, rate } = settings;
    const { path, labels } = checkedSettings(settings, "sounds");
    if (seconds !== 0 && !(seconds >= 0.1 && seconds <= 60))
      throw new OptionError(`--seconds is ${seconds}; pass a number from 0.1 to 60, or 0 to go by the sounds`);
    if (seconds !== 0 && named !== "")
      throw new OptionError(
        `--seconds is ${seconds}, and --base takes clips of its own length; leave the one or the other out`,
      );
    if (rate !== 0 && named === "") throw new OptionError("--rate is of a base, and there is none; leave it out");
    requireBlocks(unfreeze);
    const task = settings.task === "sounds" ? "auto" : settings.task;
    const openNamed = () => openSoundBase(named, { onProgress: onDownload, ...(rate !== 0 && { rate }) });
    const base = named === "" ? undefined : await openNamed();
    const request = { path, target: column, labels, task, seconds, seed, limit };
    const sounds = await loadSounds({ ...request, taken: base });
    const { sound, shape, target, notes } = sounds;
    const kept: Facts = { sound, shape: [...shape], target };
    const opened = base ? onBase(base, target) : fromNothing(kept);
    const { baselineOptions, ...learning } = learnSamples(sounds, {
      model: opened.model,
      settings,
      choices: base ? tuned : soundChoices,
      views: (batches) => (base ? batches : soundViews(batches, keyOf(seed))),
      plain: (batches) => batches,
      ...(base && { unfreeze }),
    });
    return {
      ...opened,
      ...learning,
      facts: kept,
      notes: [...notes, ...(base ? [base.note] : [])],
      async baselines() {
        const half = { ...baselineOptions, seconds: baselineOptions.seconds / 2 };
        if (!base) return baselinesOfSamples(sounds, bandFeatures(sound), baselineOptions);
        // Opened anew: the blocks of the other are trained by now.
        const ask = predictor((await openNamed()).features);
        const simple = await baselinesOfSamples(sounds, bandFeatures(sound), half);
        return [...simple, ...(await linearOnFeatures(sounds, ({ x }) => ask(x), half))];
      },
    };
  },
});
