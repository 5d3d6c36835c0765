/** An LSTM that reads text: one recurrent layer over embedded words (Hochreiter and Schmidhuber 1997). */
import { count } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, dense, embedding, lstm, Module } from "../../nn/index.ts";
import { type Preset, plainPreset } from "../shared/preset.ts";

/** Options of `LstmClassifier`. */
export interface LstmClassifierOptions {
  /** Outputs; default 2, as for the sentiment of a review. */
  readonly classes?: number;
  /** Words that are known; default 10,000. */
  readonly vocabulary?: number;
  /** Width of a word's vector and of the state; default 128. */
  readonly width?: number;
}

const checkLstmClassifier = optionsOf<LstmClassifierOptions>("LstmClassifier", {
  classes: count(),
  vocabulary: count(),
  width: count(),
});

/** Words as int64 [N, T] → scores [N, classes], from the state after the last word. */
export class LstmClassifier extends Module {
  readonly embedding;
  readonly lstm;
  readonly classifier;
  constructor(options: LstmClassifierOptions = {}) {
    super();
    const { classes = 2, vocabulary = 10_000, width = 128 } = checkLstmClassifier(options);
    this.embedding = embedding(vocabulary, width);
    this.lstm = lstm(width, { returns: "last" });
    this.classifier = dense(classes);
  }
  protected call(x: Value, context: Context): Value {
    const words = this.embedding.apply(x, context); // [N, T, width]
    return this.classifier.apply(this.lstm.apply(words, context), context);
  }
}

export const lstmPresets: readonly Preset[] = [
  plainPreset(
    {
      name: "lstm",
      summary: "one layer of long short-term memory over embedded words; gates keep gradients alive over many steps",
      source: "Hochreiter and Schmidhuber 1997, Long Short-Term Memory",
      // Reviews of 120 words.
      inputs: { x: { dtype: "int64", shape: [1, 120] } },
    },
    (options) => new LstmClassifier(options),
  ),
];
