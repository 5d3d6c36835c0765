/** Spoken words recognized by log-mel features: convolutions, a recurrent network, or its letters by CTC. */
import { z } from "zod";
import {
  Canvas,
  changeSpeed,
  cosine,
  type Dialogue,
  defineRecipe,
  encodePng,
  foldIn,
  gain,
  keyOf,
  type Labelled,
  limited,
  models,
  type Random,
  type SoundTransform,
  shiftTime,
  soundPreparation,
  Tensor,
  whiteNoise,
} from "../src/index.ts";
import { clipRate, loadSpokenWords, readClip, type SpokenClips } from "../src/node.ts";
import { byLetter, byWord } from "./shared/listening.ts";

const commands = "yes,no,up,down,left,right,on,off,stop,go";

const [frames, bands] = [98, 40];
const inputs = { dtype: "float32", shape: [1, frames, bands] } as const;

const networks = {
  convolution: { build: models.keywordConvolution, listening: byWord },
  recurrent: { build: models.keywordRecurrent, listening: byWord },
  ctc: { build: models.keywordTranscriber, listening: byLetter },
} as const;

/** Features [98, 40] of mean 0 and deviation 1. */
const featuresOf = soundPreparation({ rate: clipRate, samples: clipRate, bands });

/** Clips of a batch as features, each clip changed before, and targets. */
const prepare =
  (target: (places: Tensor) => Tensor, ...changes: readonly SoundTransform[]) =>
  ({ x, y }: SpokenClips, random: Random): Labelled => {
    const count = x.shape[0] ?? 0;
    const data = new Float32Array(count * frames * bands);
    for (let i = 0; i < count; i++) {
      const clip = Float32Array.from(x.data.subarray(i * clipRate, (i + 1) * clipRate), (level) => level / 32768);
      const changed = changes.reduce((samples: Float32Array, change) => change(samples, random), clip);
      data.set(featuresOf(changed), i * frames * bands);
    }
    return { x: new Tensor("float32", [count, frames, bands], data), y: target(y) };
  };

/** Spectrograms with the words spoken, and in red what was heard instead. */
function sheet(clips: readonly { readonly features: Float32Array; readonly spoken: string; readonly heard: string }[]) {
  const [columns, scale, margin] = [2, 3, 20];
  const [width, height] = [frames * scale + margin, bands * scale + margin + 10];
  const canvas = new Canvas(height * Math.ceil(clips.length / columns) + margin, width * columns + margin);
  for (const [i, { features, spoken, heard }] of clips.entries()) {
    const [x, y] = [margin + (i % columns) * width, margin + Math.floor(i / columns) * height];
    canvas.text(x, y - 13, spoken, [255, 255, 255], 2);
    if (heard !== spoken) canvas.text(x + 8 * (spoken.length + 1), y - 13, `heard: ${heard}`, [255, 80, 80], 2);
    // Low pitch below, time to the right; two deviations from the mean to black and white.
    const levels = Float32Array.from(features, (_, at) => {
      const [row, frame] = [Math.floor(at / frames), at % frames];
      return ((features[frame * bands + bands - 1 - row] ?? 0) + 2) / 4;
    });
    canvas.draw(x, y, new Tensor("float32", [bands, frames], levels), scale);
  }
  return encodePng(canvas.image);
}

/** What a run keeps of its data: the words, in the order of their classes. */
const facts = z.object({ words: z.array(z.string()).min(1) });

const open = ({ model: kind }: { readonly model: keyof typeof networks }, { words }: z.infer<typeof facts>) => {
  const { build, listening } = networks[kind];
  const { classes, open: listen } = listening(words);
  const model = build({ classes, frames, bands });
  const dialogue: Dialogue = {
    what: "a WAV file of one word",
    example: "word.wav",
    async open(compile) {
      const hear = listen(model, compile);
      return async (path) => {
        const { samples, changes } = await readClip(path);
        const { answer } = await hear(new Tensor("float32", inputs.shape, featuresOf(samples)));
        return { ...answer, ...(changes.length > 0 && { note: changes.join(", ") }) };
      };
    },
  };
  return { model, inputs, ...(kind !== "ctc" && { classes: words }), dialogue };
};

export default defineRecipe({
  name: "keywords",
  summary: "Ten spoken words by their spectrograms: convolutions, a recurrent network, or letter by letter",
  data: "Speech Commands, ten words: 30,769, 3,703 to validate, 4,074; or folders of WAV files",
  defaults: { epochs: 30, batchSize: 32, learningRate: 0.005, optimizer: "adam", seed: 0 },
  options: {
    data: {
      description: "folder with a folder of WAV files for each word; Speech Commands where there is none",
      default: "",
    },
    words: { description: "words, with commas between; all: every folder", default: commands },
    model: {
      description: "how words are recognized",
      default: "convolution",
      choices: ["convolution", "recurrent", "ctc"],
    },
  },
  next: ["sardonyx train keywords --model ctc          letter by letter"],
  network({ model, words }) {
    const { build, listening } = networks[model];
    return { model: build({ classes: listening(words.split(",")).classes, frames, bands }), inputs };
  },
  facts,
  open,
  async load({ data: dir, words: wanted, model: kind, batchSize, seed, epochs, learningRate }, limit, onDownload) {
    const { words, skipped, ...data } = await loadSpokenWords({
      ...(dir !== "" && { dir }),
      ...(wanted !== "all" && { words: wanted.split(",").map((word) => word.trim()) }),
      ...(onDownload && { onProgress: onDownload }),
    });
    const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
    const opened = open({ model: kind }, { words: [...words] });
    const { model } = opened;
    const { loss, metrics, target, open: listen } = networks[kind].listening(words);
    const plain = prepare(target);
    const changed = prepare(
      target,
      changeSpeed([0.85, 1.2]),
      shiftTime(clipRate / 10),
      gain([-10, 5]),
      whiteNoise([-90, -45]),
    );
    const batches = train
      .shuffle(keyOf(seed))
      .batch(batchSize)
      .map(changed, foldIn(keyOf(seed), "augment"));
    return {
      ...opened,
      facts: { words: [...words] },
      train: batches,
      validation: limited(data.validation, limit).batch(100, { dropLast: false }).map(plain).cache(),
      test: test.batch(100, { dropLast: false }).map(plain),
      loss,
      metrics,
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      notes: skipped.length > 0 ? [`left out: ${skipped.length} recordings, the first since ${skipped[0]}`] : [],
      schedule: cosine({ rate: learningRate, steps: epochs * (batches.length ?? 1) }),
      training: { clipNorm: 1 },
      async draw(compile) {
        const hear = listen(model, compile);
        const { x, y } = data.test.tensors;
        const tested = words.map((spoken, word) => ({ spoken, at: y.data.indexOf(word) })).filter(({ at }) => at >= 0);
        const clips = tested.map(async ({ spoken, at }) => {
          const clip = Float32Array.from(x.data.subarray(at * clipRate, (at + 1) * clipRate), (level) => level / 32768);
          const features = featuresOf(clip);
          return { features, spoken, heard: (await hear(new Tensor("float32", inputs.shape, features))).word };
        });
        return { "spectrograms.png": sheet(await Promise.all(clips)) };
      },
    };
  },
});
