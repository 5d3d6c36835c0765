/** The sliders of a model: their stops, and what they say of it, by the options of `sardonyx inspect`. */
import { hardwareNames } from "../../src/analyze/cost/hardware.ts";
import { precisions as knownPrecisions } from "../../src/analyze/cost/precision.ts";
import type { Inspection, WhatIf } from "../shared/api.ts";

/** What is changed of a model, as the fields have it; "", 0 and `undefined` leave it as it is. */
export interface Settings {
  readonly frozenBlocks: number;
  readonly freeze: string;
  readonly lora: number;
  readonly loraTargets: string;
  readonly batch: number | undefined;
  readonly sequence: number | undefined;
  readonly inputShape: string;
  readonly precision: string;
  readonly optimizer: string;
  readonly quantize: string;
  /** Gigabytes that a step may take. */
  readonly memory: number;
  readonly hardware: string;
}

/** The model as it is. */
export const asItIs: Settings = {
  frozenBlocks: 0,
  freeze: "",
  lora: 0,
  loraTargets: "",
  batch: undefined,
  sequence: undefined,
  inputShape: "",
  precision: "",
  optimizer: "",
  quantize: "",
  memory: 0,
  hardware: "",
};

export const loraRanks = [0, 1, 2, 4, 8, 16, 32, 64] as const;
export const memoryBudgets = [0, 1, 2, 4, 8, 12, 16, 24, 32, 40, 48, 80] as const;
export const precisions: readonly string[] = ["", ...Object.keys(knownPrecisions)];
export const optimizers = ["", "adam", "adamw", "sgd", "rmsprop", "adagrad", "lamb", "muon"] as const;
export const quantizations = ["", "8", "4"] as const;
export const accelerators: readonly string[] = ["", ...hardwareNames];

/** Powers of two between two numbers, and one more among them. */
function stopsBetween(least: number, most: number, own: number): readonly number[] {
  const powers: number[] = [];
  for (let value = least; value <= most; value *= 2) powers.push(value);
  return [...new Set([...powers, own])].sort((a, b) => a - b);
}

/** The batch that a model was inspected with. */
export const ownBatch = ({ inputs }: Inspection): number => inputs[0]?.shape[0] ?? 1;
/** Batches from 1 to 256, and that of the model. */
export const batchStops = (model: Inspection): readonly number[] => stopsBetween(1, 256, ownBatch(model));

/** The length of a model's sequences, inputs [batch, time] of whole numbers; `undefined` where it takes none. */
export const ownSequence = ({ inputs }: Inspection): number | undefined =>
  inputs.find(({ dtype, shape }) => dtype.startsWith("int") && shape.length === 2)?.shape[1];
/** Lengths from 16 to 8,192, and that of the model, 0 where its file leaves it open. */
export const sequenceStops = (own: number): readonly number[] => stopsBetween(16, 8192, own);

/** What is asked. LoRA freezes everything else, so that what else would be frozen is left out. */
export function whatIfOf(settings: Settings): WhatIf {
  const { frozenBlocks, freeze, lora, loraTargets, quantize, memory, inputShape, ...plain } = settings;
  const all: Readonly<Record<string, string | number | undefined>> = {
    ...plain,
    inputShape: inputShape.trim(),
    ...(lora > 0 ? { lora, loraTargets: loraTargets.trim() } : { freezeBlocks: frozenBlocks, freeze: freeze.trim() }),
    quantize: quantize === "" ? "" : Number(quantize),
    memory: memory === 0 ? "" : `${memory}GB`,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) =>
      value === undefined || value === "" || value === 0 ? [] : [[name, value]],
    ),
  );
}

/** The command that says the same. */
export const commandOf = (target: string, whatIf: WhatIf): string =>
  [
    "sardonyx inspect",
    target,
    ...Object.entries(whatIf).map(
      ([name, value]) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}=${value}`,
    ),
  ].join(" ");

/** Figures of an inspection that was made without training, with those of training of an earlier one, until its own are there. */
export const withTrainingOf = (quick: Inspection, before: Inspection): Inspection => ({
  ...quick,
  cost: {
    ...before.cost,
    macs: quick.cost.macs,
    forwardFlops: quick.cost.forwardFlops,
    predictionBytes: quick.cost.predictionBytes,
  },
});

/** Figures of an inspection without those of training, which cannot be had. */
export const withoutTraining = (inspection: Inspection): Inspection => ({
  ...inspection,
  cost: {
    ...inspection.cost,
    ...{ backwardFlops: null, activationBytes: null, trainingBytes: null, memory: null, stepSeconds: null },
  },
});

/** `+12 %`, `−45 %`, `×3.2`, `÷1486`: how a figure changed; "" where it did not, or is not known. */
export function changeText(before: number | null, now: number | null): string {
  if (before === null || now === null || before === now || before === 0) return "";
  const ratio = now / before;
  if (ratio >= 2) return `×${ratio >= 10 ? Math.round(ratio) : ratio.toFixed(1)}`;
  if (ratio > 0 && ratio < 0.1) return `÷${Math.round(1 / ratio)}`;
  const percents = 100 * (ratio - 1);
  const size = Math.abs(percents);
  const digits = size >= 10 || size === 0 ? 0 : size >= 0.1 ? 1 : 2;
  return `${percents > 0 ? "+" : "−"}${size.toFixed(digits)} %`;
}
