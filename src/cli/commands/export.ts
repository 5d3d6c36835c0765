/** `sardonyx export`: a run's model as a file for other programs. */
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { OptionError, unknownName } from "../../core/errors.ts";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import { encodeSafetensors } from "../../storage/safetensors.ts";
import { choice, defineCommand, text } from "../command.ts";
import { onnxModel } from "../onnx.ts";
import { bestOption, type OpenRun, openRun } from "../../runs/open-run.node.ts";
import { shown } from "../../runs/run-folder.node.ts";
import { count } from "../text.ts";

interface Exported {
  readonly bytes: Uint8Array;
  /** What a person should know about the file. */
  readonly note: string;
}

/** How each format is written. */
const formats = {
  onnx({ task, recipe }: OpenRun): Exported {
    const { bytes, obstacle } = onnxModel(task, recipe.name);
    return {
      bytes,
      note: obstacle === undefined ? "input [batch, …] for any batch" : `for a batch of 1 only: ${obstacle}`,
    };
  },
  safetensors({ task, recipe }: OpenRun): Exported {
    const parameters = [...task.model.parameters()].flatMap(([path, { value }]) => (value ? [[path, value]] : []));
    const bytes = encodeSafetensors(Object.fromEntries(parameters), { format: "pt", recipe: recipe.name });
    return { bytes, note: `${parameters.length} tensors, laid out as PyTorch lays them out` };
  },
} as const;
type Format = keyof typeof formats;

const formatOf = (name: string): Format => {
  if (!Object.hasOwn(formats, name)) throw unknownName("format", name, Object.keys(formats));
  return name as Format;
};

export const command = defineCommand({
  name: "export",
  summary: "Write a run's model as an ONNX or safetensors file",
  arguments: [{ name: "RUN", description: "folder of the run, or its name below runs/" }],
  options: {
    format: choice("onnx (graph and weights) or safetensors (weights); default onnx", formatOf),
    out: text("FILE", "the file to write; default model.onnx or model.safetensors in the run's folder"),
    best: bestOption,
  },
  examples: [
    ["sardonyx export runs/lenet-mnist --format onnx", "runs/lenet-mnist/model.onnx"],
    ["sardonyx export lenet-mnist --format safetensors --out lenet.safetensors", "the weights"],
  ],
  async run({ arguments: [name = ""], options, output }) {
    const format = options.format ?? "onnx";
    const run = await openRun(name, { best: options.best, output });
    const path = options.out === undefined ? join(run.folder, `model.${format}`) : resolve(options.out);
    if (existsSync(path) && statSync(path).isDirectory())
      throw new OptionError(`--out ${options.out} is a folder; name a file in it`);
    const { bytes, note } = formats[format](run);
    await writeFileAtomic(path, bytes);
    output.record("saved", { path, format, bytes: bytes.length, note });
    output.line(`Saved ${shown(path)} (${count(bytes.length)} bytes; ${note})`);
  },
});
