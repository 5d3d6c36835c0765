/** `sardonyx inspect`: the depth of a network, its parameters, what it costs. */
import { type Inspected, inspect } from "../../analyze/inspect.ts";
import { withLora } from "../../analyze/lora.ts";
import type { Network } from "../../analyze/network.ts";
import { precisionOf } from "../../analyze/precision.ts";
import { atPrecision, frozen, quantized, quantizedBitsOf } from "../../analyze/what-if.ts";
import { OptionError } from "../../core/errors.ts";
import { optimizerOf } from "../../train/optimizers.ts";
import { choice, defineCommand, type OptionValues, text, toggle, wholeNumber } from "../command.ts";
import { shapeOptions } from "../inspect/shapes.ts";
import { showInspection } from "../inspect/table.ts";
import { openTarget, targetDescription } from "../inspect/target.ts";
import type { Output } from "../output.ts";

/** What changes the counts, the cost and the memory. */
export const whatIfOptions = {
  ...shapeOptions,
  optimizer: choice("sgd, rmsprop, adagrad, adam or adamw; default adam", (name) => optimizerOf(name).name),
  precision: choice("float32, float16, bfloat16 or float64; default as stored", precisionOf),
  freeze: text("PATTERN", "freeze the layers or parameters that match, * for any letters"),
  lora: wholeNumber("low-rank adapters of this rank, all else frozen", 1),
  loraTargets: text("PATTERN", "layers to adapt, several with commas; default query and value"),
  quantize: choice("store the weights of weighted layers in 4 or 8 bits", quantizedBitsOf, "BITS"),
} as const;

/** Opens a target and applies the what-ifs. */
export async function inspectTarget(
  target: string,
  options: OptionValues<typeof whatIfOptions>,
  output: Output,
): Promise<Inspected> {
  const { freeze, lora, loraTargets, quantize, precision, optimizer = "adam", ...shapes } = options;
  if (loraTargets !== undefined && lora === undefined)
    throw new OptionError("--lora-targets says which layers get adapters, but not of which rank; pass --lora 8 too");
  let network: Network = await openTarget(target, shapes, output);
  if (precision) network = atPrecision(network, precision);
  if (freeze !== undefined) network = frozen(network, freeze);
  if (quantize) network = quantized(network, quantize);
  if (lora !== undefined) network = withLora(network, { rank: lora, targets: loraTargets });
  return inspect(network, { optimizer: optimizerOf(optimizer), precision: precision ?? "float32" });
}

export const command = defineCommand({
  name: "inspect",
  summary: "Show how deep a network is, where its parameters are, and what it costs",
  arguments: [{ name: "TARGET", description: targetDescription }],
  options: { ...whatIfOptions, all: toggle("show each of the blocks that repeat") },
  examples: [
    ["sardonyx inspect resnet50", "an architecture by name"],
    ["sardonyx inspect model.onnx --input-shape 1,3,224,224", "any ONNX file"],
  ],
  async run({ arguments: [target = ""], options, output }) {
    const { all = false, ...whatIfs } = options;
    const { inspection } = await inspectTarget(target, whatIfs, output);
    output.record("inspection", inspection);
    showInspection(inspection, { all }, output);
  },
});
