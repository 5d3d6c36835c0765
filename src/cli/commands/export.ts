/** `sardonyx export`: a run's model as a file for other programs. */

import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { OptionError, unknownName } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import type { OpenRun } from "../../runs/open/open-run.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { choice, defineCommand, text, toggle } from "../command.ts";
import { encryptToOption, writeOutput } from "../encryption.ts";
import { openNamed, openOptions } from "../open-run.ts";

interface Exported {
  readonly bytes: Uint8Array;
  /** What a person should know about the file. */
  readonly note: string;
}

/** How each format is written. */
const formats = {
  async onnx(run: OpenRun, merged: boolean): Promise<Exported> {
    const { bytes, obstacle } = merged ? await run.mergedOnnx() : run.onnx();
    return {
      bytes,
      note: obstacle === undefined ? "input [batch, …] for any batch" : `for a batch of 1 only: ${obstacle}`,
    };
  },
  async safetensors(run: OpenRun): Promise<Exported> {
    const { bytes, tensors } = await run.safetensors();
    return { bytes, note: `${plural(tensors, "tensor")} in PyTorch's layout` };
  },
} as const;
type Format = keyof typeof formats;

const formatOf = (name: string): Format => {
  if (!Object.hasOwn(formats, name)) throw unknownName("format", name, Object.keys(formats));
  return name as Format;
};

export const command = defineCommand({
  arguments: [{ name: "RUN", description: "folder of the run, or its name below runs/" }],
  options: {
    format: choice("onnx (graph and weights) or safetensors (weights); default onnx", formatOf),
    out: text("FILE", "the file to write; default model.onnx or model.safetensors in the run's folder"),
    encryptTo: encryptToOption,
    merge: toggle("of a run with adapters: put them into the weights, compared on a batch of the test"),
    ...openOptions,
  },
  examples: [
    ["sardonyx export runs/lenet-mnist --format onnx", "runs/lenet-mnist/model.onnx"],
    ["sardonyx export lenet-mnist --format safetensors --out lenet.safetensors", "the weights"],
  ],
  async run({ arguments: [name = ""], options: { format = "onnx", out, encryptTo, merge = false, ...open }, output }) {
    if (merge && format !== "onnx")
      throw new OptionError(
        "--merge writes an ONNX file; leave --format out, or take the adapter beside the run's files",
      );
    const run = await openNamed(name, open, output);
    const path = out === undefined ? join(run.folder, `model.${format}`) : resolve(out);
    if (existsSync(path) && statSync(path).isDirectory())
      throw new OptionError(`--out ${out} is a folder; name a file in it`);
    const { bytes, note } = await formats[format](run, merge);
    await writeOutput(path, bytes, { encryptTo, of: run.folder }, output);
    output.record("saved", { path, format, bytes: bytes.length, note });
    output.line(`Saved ${shownPath(path)} (${plural(bytes.length, "byte")}; ${note})`);
  },
});
