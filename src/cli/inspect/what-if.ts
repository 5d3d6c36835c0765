/** The options by which commands change a network before they report on it. */

import { hardwareNames, hardwareOf } from "../../analyze/cost/hardware.ts";
import { precisionOf } from "../../analyze/cost/precision.ts";
import type { TrainingOptions } from "../../analyze/cost/training.ts";
import type { Network } from "../../analyze/networks/network.ts";
import { type Inspected, type InspectOptions, inspect } from "../../analyze/report/inspect.ts";
import { withLora } from "../../analyze/what-if/lora.ts";
import { atPrecision, frozen, frozenBlocks, quantized, quantizedBitsOf } from "../../analyze/what-if/what-if.ts";
import { byteSize } from "../../core/byte-size.ts";
import { atPlace, OptionError } from "../../core/errors.ts";
import { optimizerOf, optimizers } from "../../train/optimizers/index.ts";
import { choice, type OptionValues, text, toggle, wholeNumber } from "../command.ts";
import type { Output } from "../output.ts";
import { shapeOptions } from "./shapes.ts";
import { architectureOptions, openTarget, type TargetOptions } from "./target.ts";

/** What changes the counts, the cost and the memory. */
export const whatIfOptions = {
  ...shapeOptions,
  ...architectureOptions,
  optimizer: choice(`${Object.keys(optimizers).join(", ")}; default adam`, (name) => optimizerOf(name).name),
  precision: choice("as if all were float32, float16, bfloat16 or float64; default as stored", precisionOf),
  freeze: text("PATTERN", "freeze the layers or parameters that match, * for any letters"),
  freezeBlocks: wholeNumber("freeze so many of the first blocks, and what comes before them", 0),
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

/** Which network a target is: what says its shapes and its architecture, without what is changed of it and how it is trained. */
function whichOf({
  freeze,
  freezeBlocks,
  lora,
  loraTargets,
  quantize,
  precision,
  optimizer,
  memory,
  checkpoint,
  ...which
}: WhatIfOptions): TargetOptions {
  return which;
}

function changed(network: Network, options: WhatIfOptions): Network {
  const { freeze, freezeBlocks, lora, loraTargets, quantize, precision } = options;
  if (precision) network = atPrecision(network, precision);
  if (freeze !== undefined) network = frozen(network, freeze);
  if (freezeBlocks !== undefined) network = frozenBlocks(network, freezeBlocks);
  if (quantize) network = quantized(network, quantize);
  if (lora !== undefined) network = withLora(network, { rank: lora, targets: loraTargets });
  return network;
}

/** Networks that were opened, the latest few, so that a target is read once for many what-ifs. */
export class OpenedNetworks {
  readonly #kept = new Map<string, Network>();
  readonly #most = 12;

  /** The network of a key, made where it is not kept. */
  async get(key: object, make: () => Network | Promise<Network>): Promise<Network> {
    const text = JSON.stringify(key);
    const network = this.#kept.get(text) ?? (await make());
    // Behind those that were not asked for since.
    this.#kept.delete(text);
    this.#kept.set(text, network);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#most && oldest !== undefined) this.#kept.delete(oldest);
    return network;
  }
}

/** Opens a target and applies the what-ifs. Throws SardonyxError naming the target. @param opened of the same target */
export async function openChanged(
  target: string,
  options: WhatIfOptions,
  output: Output,
  opened = new OpenedNetworks(),
): Promise<Network> {
  if (options.loraTargets !== undefined && options.lora === undefined)
    throw new OptionError("--lora-targets says which layers get adapters, but not of which rank; pass --lora 8 too");
  const { optimizer, memory, checkpoint, ...changes } = options;
  try {
    return await opened.get({ changes }, async () => {
      const which = whichOf(options);
      return changed(await opened.get({ which }, () => openTarget(target, which, output)), options);
    });
  } catch (error) {
    throw error instanceof Error && error.message.includes(target) ? error : atPlace(target, error);
  }
}

/** What `inspect` takes beside the what-ifs. */
export const inspectOptions = {
  ...whatIfOptions,
  hardware: choice(`predict the time of a step on ${hardwareNames.join(", ")}`, hardwareOf),
  withoutTraining: toggle("leave out what training takes, which is most of the work"),
} as const;

/** Inspects a target with the what-ifs applied. @param opened of the same target */
export async function inspectTarget(
  target: string,
  { hardware, withoutTraining, ...whatIfs }: OptionValues<typeof inspectOptions>,
  output: Output,
  opened?: OpenedNetworks,
): Promise<Inspected> {
  const options: InspectOptions = { ...trainingOptionsOf(whatIfs), hardware, withoutTraining };
  return inspect(await openChanged(target, whatIfs, output, opened), options);
}
