/** What a person chooses of a fine-tuning, as plain values that a command and the record of a run hold. */
import { OptionError } from "../../core/errors.ts";
import type { TrainingPolicy } from "../policy.ts";
import type { TaskName } from "./task.ts";

/** The choices; an empty text and 0 stand for what is not chosen. */
export interface FinetuneChoices {
  /** The pretrained model: a file, a folder, a run, or owner/name on the hub. */
  readonly base: string;
  /** Records, or a folder of images or sounds by class. */
  readonly data: string;
  /** What is learned, or "auto". */
  readonly task: "auto" | TaskName;
  /** Patterns of parameters to freeze, with commas. */
  readonly freeze: string;
  /** So many of the last blocks are trained; -1 for all. */
  readonly unfreezeLast: number;
  /** Epochs until the next block is trained too. */
  readonly gradual: number;
  /** Rank of adapters. */
  readonly lora: number;
  /** Rank of adapters beside weights in 4 bits. */
  readonly qlora: number;
  /** Adapters count alpha/rank times. */
  readonly alpha: number;
  /** Layers to adapt, with commas. */
  readonly targets: string;
  /** Adapters have magnitudes. */
  readonly dora: boolean;
  /** The layer whose output a new head takes. */
  readonly at: string;
  /** Tokens of a text at most. */
  readonly length: number;
  /** Samples a second of sounds. */
  readonly rate: number;
  /** Chat template by name. */
  readonly template: string;
  /** What is learned of conversations. */
  readonly learned: "answers" | "last" | "all";
  /** Several conversations share a row. */
  readonly packed: boolean;
}

/** Nothing chosen. */
export const noChoices: FinetuneChoices = {
  base: "",
  data: "",
  task: "auto",
  freeze: "",
  unfreezeLast: -1,
  gradual: 0,
  lora: 0,
  qlora: 0,
  alpha: 0,
  targets: "",
  dora: false,
  at: "",
  length: 0,
  rate: 0,
  template: "",
  learned: "answers",
  packed: false,
};

const listOf = (text: string): readonly string[] | undefined =>
  text === "" ? undefined : text.split(",").map((pattern) => pattern.trim());

/** What is trained by the choices. Throws OptionError for ranks of two kinds. */
export function policyOf(choices: FinetuneChoices): TrainingPolicy {
  const { freeze, unfreezeLast, gradual, lora, qlora, alpha, targets, dora } = choices;
  if (lora > 0 && qlora > 0)
    throw new OptionError("--lora and --qlora name the rank of the same adapters; pass one of them");
  return {
    freeze: listOf(freeze),
    unfreezeLast: unfreezeLast < 0 ? undefined : unfreezeLast,
    gradual: gradual || undefined,
    lora: lora || qlora || undefined,
    bits: qlora > 0 ? 4 : undefined,
    adapter: { alpha: alpha || undefined, targets: listOf(targets), dora },
  };
}

/** What is learned by the choices, for `loadTask`. Throws OptionError where base or data are missing. */
export function taskOf({ base, data, task, at, length, rate, template, learned, packed }: FinetuneChoices) {
  if (base === "" || data === "")
    throw new OptionError("name the pretrained model and the data: sardonyx finetune BASE --data DATA");
  return {
    base,
    data,
    task: task === "auto" ? undefined : task,
    at: at || undefined,
    length: length || undefined,
    rate: rate || undefined,
    template: template || undefined,
    learned,
    packs: packed,
  };
}
