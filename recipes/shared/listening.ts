/** What is made of a spoken word: one of the words known, or letters by connectionist temporal classification. */
import {
  type Answer,
  accuracy,
  type CompileOptions,
  confusionMatrix,
  crossEntropy,
  ctc,
  ctcDecode,
  jit,
  type Loss,
  type Metric,
  type Module,
  OptionError,
  onOutput,
  ops,
  predictor,
  Tensor,
  transcriptAccuracy,
  type Value,
} from "../../src/index.ts";

/** What was heard, as a word and as an answer. */
interface Heard {
  readonly word: string;
  readonly answer: Answer;
}

export interface Listening {
  /** Outputs of the network, of each step where it transcribes. */
  readonly classes: number;
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
  /** From places of words, int32 [N], to targets of the loss. */
  target(places: Tensor): Tensor;
  /** From features [1, …] to what was heard. */
  open(model: Module, compile: CompileOptions): (x: Tensor) => Promise<Heard>;
}

/** One class a word. */
export const byWord = (words: readonly string[]): Listening => ({
  classes: words.length,
  loss: crossEntropy(),
  metrics: [accuracy(), confusionMatrix(words.length)],
  target: (places) => places,
  open(model, compile) {
    const run = predictor(model, { compile, snapshot: true });
    return async (x) => {
      const output = await run(x);
      const logits = output.toNumbers();
      return { word: words[logits.indexOf(Math.max(...logits))] ?? "", answer: { output } };
    };
  },
});

const alphabet = "abcdefghijklmnopqrstuvwxyz";
/** Letters that are decoded of one word at most. */
const longest = 16;

/** One label a letter, from 1; 0 is the blank. Throws OptionError for a word that has other characters. */
export function byLetter(words: readonly string[]): Listening {
  const spelled = words.map((word) => [...word.toLowerCase()].map((letter) => alphabet.indexOf(letter) + 1));
  const foreign = spelled.findIndex((labels) => labels.length > longest || labels.includes(0));
  if (foreign >= 0)
    throw new OptionError(
      `the word "${words[foreign]}" is not of up to ${longest} letters a to z, which is what --model ctc spells; leave it out of --words, or take another model`,
    );
  const width = Math.max(...spelled.map(({ length }) => length));
  return {
    classes: alphabet.length + 1,
    loss: onOutput(ops.logSoftmax, ctc()),
    metrics: [transcriptAccuracy()],
    target: ({ data }) => {
      const rows = Array.from(data as Int32Array, (place) => spelled[place] ?? []);
      const padded = rows.flatMap((labels) => Array.from({ length: width }, (_, i) => labels[i] ?? -1));
      return new Tensor("int32", [rows.length, width], Int32Array.from(padded));
    },
    open(model, compile) {
      const run = predictor(model, { compile, snapshot: true });
      const decode = jit((output: Value) => {
        const labels = ctcDecode(output, longest);
        return { labels, loss: ctc()(ops.logSoftmax(output), labels) };
      }, compile);
      return async (x) => {
        const { labels, loss } = await decode(await run(x));
        const letters = labels.toNumbers().filter((label) => label > 0);
        const word = letters.map((label) => alphabet[label - 1]).join("");
        // The loss is -log p over the letters.
        const probability = Math.exp(-loss.item() * Math.max(1, letters.length));
        const known = words.includes(word) ? "" : ", no word of its vocabulary";
        const text = `${word || "nothing"} (${(100 * probability).toFixed(1)} %${known})`;
        return { word, answer: { text, fields: { word, probability } } };
      };
    },
  };
}
