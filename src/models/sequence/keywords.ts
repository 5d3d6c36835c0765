/** Networks that recognize spoken words by their log-mel features [N, frames, bands]. */
import { count } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf, required } from "../../core/options.ts";
import {
  activation,
  batchNorm,
  conv2d,
  dense,
  dropout,
  globalAveragePool,
  gru,
  type Module,
  maxPool2d,
  reshape,
  sequential,
} from "../../nn/index.ts";

/** Options of the keyword models. */
export interface KeywordOptions {
  /** Outputs: words, or labels of CTC with its blank. */
  readonly classes: number;
  /** Frames of a recording, as `logMel` gives them. */
  readonly frames: number;
  /** Bands of a frame. */
  readonly bands: number;
}

const optionTypes: OptionTypes<KeywordOptions> = {
  classes: required(count()),
  frames: required(count()),
  bands: required(count()),
};
const checkKeywordConvolution = optionsOf("keywordConvolution", optionTypes);
const checkKeywordRecurrent = optionsOf("keywordRecurrent", optionTypes);
const checkKeywordTranscriber = optionsOf("keywordTranscriber", optionTypes);

const stage = (filters: number) => [
  conv2d(filters, 3, { padding: 1, bias: false, initializer: "heNormal" }),
  batchNorm(),
  activation("relu"),
];

/** Convolutions over time and pitch (Sainath and Parada 2015), normalized, then averaged; logits [N, classes]. */
export function keywordConvolution(options: KeywordOptions): Module {
  const { classes, frames, bands } = checkKeywordConvolution(options);
  return sequential([
    reshape([1, frames, bands]),
    conv2d(16, 5, { stride: 2, padding: 2, bias: false, initializer: "heNormal" }),
    batchNorm(),
    activation("relu"),
    ...stage(32),
    maxPool2d(2),
    ...stage(64),
    maxPool2d(2),
    ...stage(64),
    globalAveragePool(),
    dropout(0.2),
    dense(classes),
  ]);
}

/** Frames a step: a step of 20 ms is short enough for a letter, and halves the steps. */
const framesAStep = 2;

/** A gated recurrent network that reads both ways; logits [N, classes] after the last step. */
export function keywordRecurrent(options: KeywordOptions): Module {
  const { classes, frames, bands } = checkKeywordRecurrent(options);
  return sequential([
    reshape([frames / framesAStep, framesAStep * bands]),
    gru(64, { bidirectional: true, returns: "last" }),
    dropout(0.2),
    dense(classes),
  ]);
}

/** The same with logits of every step, [N, frames / 2, classes], as CTC needs them (Graves et al. 2006). */
export function keywordTranscriber(options: KeywordOptions): Module {
  const { classes, frames, bands } = checkKeywordTranscriber(options);
  return sequential([
    reshape([frames / framesAStep, framesAStep * bands]),
    gru(64, { bidirectional: true }),
    dropout(0.2),
    dense(classes),
  ]);
}
