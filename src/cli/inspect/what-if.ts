/** The options by which commands change a network before they report on it. */

import { precisionOf } from "../../analyze/cost/precision.ts";
import type { TrainingOptions } from "../../analyze/cost/training.ts";
import type { Network } from "../../analyze/networks/network.ts";
import { type Inspected, inspect } from "../../analyze/report/inspect.ts";
import { withLora } from "../../analyze/what-if/lora.ts";
import { atPrecision, frozen, quantized, quantizedBitsOf } from "../../analyze/what-if/what-if.ts";
import { byteSize } from "../../core/byte-size.ts";
import { atPlace, OptionError } from "../../core/errors.ts";
import { optimizerOf, optimizers } from "../../train/optimizers/index.ts";
import { choice, type OptionValues, text, wholeNumber } from "../command.ts";
import type { Output } from "../output.ts";
import { shapeOptions } from "./shapes.ts";
import { architectureOptions, openTarget } from "./target.ts";

/** What changes the counts, the cost and the memory. */
export const whatIfOptions = {
  ...shapeOptions,
  ...architectureOptions,
  optimizer: choice(`${Object.keys(optimizers).join(", ")}; default adam`, (name) => optimizerOf(name).name),
  precision: choice("as if all were float32, float16, bfloat16 or float64; default as stored", precisionOf),
  freeze: text("PATTERN", "freeze the layers or parameters that match, * for any letters"),
  lora: wholeNumber("low-rank adapters of this rank, all else frozen", 1),
  loraTargets: text("PATTERN", "layers to adapt, several with commas; default query and value"),
  memory: choice(
    "bytes that a training step may take, such as 2GB: as much is computed twice as that needs",
    (size) => byteSize(size, "--memory"),
    "SIZE",
  ),
  checkpoint: text(
    "PATTERNS",
    "keep the outputs of these layers alone, and compute their insides again; with commas, * for any letters",
  ),
  quantize: choice("store the weights of weighted layers in 4 or 8 bits", quantizedBitsOf, "BITS"),
} as const;

export type WhatIfOptions = OptionValues<typeof whatIfOptions>;

/** How training is reported. */
export function trainingOptionsOf({
  optimizer = "adam",
  precision = "float32",
  memory,
  checkpoint,
}: WhatIfOptions): TrainingOptions {
  if (memory !== undefined && checkpoint !== undefined)
    throw new OptionError("--memory chooses what is computed again, and --checkpoint names it; pass one of the two");
  return { optimizer: optimizerOf(optimizer), precision, memory, checkpoint: checkpoint?.split(",") };
}

/** Opens a target and applies the what-ifs. Throws SardonyxError naming the target. */
export async function openChanged(target: string, options: WhatIfOptions, output: Output): Promise<Network> {
  const { freeze, lora, loraTargets, quantize, precision, optimizer, memory, checkpoint, ...which } = options;
  if (loraTargets !== undefined && lora === undefined)
    throw new OptionError("--lora-targets says which layers get adapters, but not of which rank; pass --lora 8 too");
  try {
    let network = await openTarget(target, which, output);
    if (precision) network = atPrecision(network, precision);
    if (freeze !== undefined) network = frozen(network, freeze);
    if (quantize) network = quantized(network, quantize);
    if (lora !== undefined) network = withLora(network, { rank: lora, targets: loraTargets });
    return network;
  } catch (error) {
    throw error instanceof Error && error.message.includes(target) ? error : atPlace(target, error);
  }
}

/** Inspects a target with the what-ifs applied. */
export const inspectTarget = async (target: string, options: WhatIfOptions, output: Output): Promise<Inspected> =>
  inspect(await openChanged(target, options, output), trainingOptionsOf(options));
