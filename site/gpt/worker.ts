/** Trains a small GPT on the characters of a text beside the page, and writes with it. */
import {
  characterTokenizer,
  compareLanguageBaselines,
  decoder,
  evaluate,
  generate,
  models,
  OptionError,
  partsOfText,
  type Tokenizer,
  textWindows,
} from "sardonyx";
import {
  adamw,
  browserStore,
  crossEntropy,
  type Device,
  fit,
  keyOf,
  Random,
  storedCheckpoint,
  trainingWorker,
} from "sardonyx/web";

/** To train. */
export interface TrainWanted {
  readonly kind: "train";
  readonly text: string;
  /** Epochs in all, those before a stop or of an earlier visit among them. */
  readonly epochs: number;
  /** The name of the checkpoint, from which it goes on. */
  readonly store: string;
  /** What computes the training; single characters are written by the processor, which has not to be waited for. */
  readonly device: Device;
  /** Only take up the network of the checkpoint, whose epochs are `epochs`, and leave it as it is. */
  readonly isRestored: boolean;
}
/** To write with what was trained. */
export interface WriteWanted {
  readonly kind: "write";
  readonly prompt: string;
  /** Below 1 surer, above 1 bolder; 0 takes the likeliest character. */
  readonly temperature: number;
  /** Characters to write. */
  readonly length: number;
}
/** What the page is sent meanwhile: text that was written, an epoch's sample as a whole or further characters of what it asked for. */
export interface Written {
  readonly kind: "sample" | "more";
  readonly text: string;
}
/** What training comes to, in bits a character. */
export interface Trained {
  readonly epochs: number;
  /** On the last tenth of the text, which nothing was learned from. */
  readonly test: number;
  /** The best n-gram model on the same, whose order was chosen on the validation part. */
  readonly nGram: number;
}

/** Characters that it reads at once. */
const positions = 64;
const width = 64;

interface Writer {
  readonly model: Parameters<typeof decoder>[0];
  readonly tokenizer: Tokenizer;
}
let latest: Writer | undefined;

const tell = (message: Written) => globalThis.postMessage(message);
const bits = (loss: number) => loss / Math.LN2;

/** Characters after a prompt, as they come. */
async function* write({ model, tokenizer }: Writer, { prompt, temperature, length }: Omit<WriteWanted, "kind">) {
  if (prompt === "") throw new OptionError("there is nothing to go on from; write a letter or a word to begin with");
  const reader = await decoder(model, { capacity: positions, compile: { threads: 1 } });
  try {
    const random = new Random(keyOf(Math.floor(Math.random() * 2 ** 31)));
    let written = 0;
    // Of a long prompt its end.
    const read = tokenizer.encode(prompt).slice(-positions / 2);
    for await (const token of generate(reader, read, { temperature, random })) {
      yield tokenizer.decode([token]);
      if (++written === length) break;
    }
  } finally {
    await reader.release();
  }
}

async function train(
  { text, epochs, store: storeName, device, isRestored }: TrainWanted,
  progress: Parameters<Parameters<typeof trainingWorker>[0]>[1]["progress"],
): Promise<Trained> {
  const tokenizer = characterTokenizer(text);
  const parts = partsOfText(text);
  const encode = (part: string) => Int32Array.from(tokenizer.encode(part));
  const tokens = { train: encode(parts.train), validation: encode(parts.validation), test: encode(parts.test) };
  const model = models.gpt2Architectures.GPT2LMHeadModel({
    sizes: { width, layers: 2, heads: 4, positions, feedForward: 4 * width, vocabulary: tokenizer.size },
    details: { dropout: 0, attentionDropout: 0 },
    embeddingDropout: 0,
  });
  latest = { model, tokenizer };
  const store = browserStore(storeName);
  const compile = { device };
  const windows = (part: Int32Array) => textWindows(part, positions).batch(16, { dropLast: false });
  const prompt = parts.validation.trimStart().slice(0, 12);
  const { history } = await fit(model, textWindows(tokens.train, positions, keyOf(1)).shuffle(keyOf(2)).batch(16), {
    loss: crossEntropy(),
    optimizer: adamw({ learningRate: 0.004 }),
    validation: windows(tokens.validation),
    epochs,
    callbacks: [
      progress,
      ...(isRestored ? [] : [storedCheckpoint(store, { seconds: 5 })]),
      {
        name: "sample",
        async onEpoch() {
          let sample = prompt;
          for await (const more of write({ model, tokenizer }, { prompt, temperature: 0.7, length: 120 }))
            sample += more;
          tell({ kind: "sample", text: sample });
        },
      },
    ],
    training: { resume: await store.load(), compile },
  });
  const { results } = await evaluate(model, windows(tokens.test), { loss: crossEntropy(), compile });
  const nGrams = compareLanguageBaselines(tokens, { vocabulary: tokenizer.size, order: 6 });
  const nGram = Math.log2(Math.min(...nGrams.map((baseline) => baseline.test)));
  return { epochs: history.length, test: bits(results.loss ?? Number.NaN), nGram };
}

trainingWorker(async (wanted: TrainWanted | WriteWanted, { progress }) => {
  if (wanted.kind === "train") return train(wanted, progress);
  if (!latest) throw new OptionError("nothing was trained yet; train first");
  for await (const more of write(latest, wanted)) tell({ kind: "more", text: more });
  return undefined;
});
