/** `sardonyx inspect`: the depth of a network, its parameters, what it costs. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { defineCommand, text, toggle } from "../command.ts";
import { encryptToOption, writeOutput } from "../encryption.ts";
import { documentOf } from "../inspect/documents.ts";
import { eachOptions, inspectEach } from "../inspect/each.ts";
import { targetDescription } from "../inspect/target.ts";
import { inspectTarget } from "../inspect/what-if.ts";

export const command = defineCommand({
  arguments: [{ name: "TARGET", description: targetDescription }],
  options: {
    ...eachOptions,
    out: text("FILE", "write to a file"),
    encryptTo: encryptToOption,
    each: toggle("read options as JSON from standard input, a line for each inspection: the model is read once"),
  },
  examples: [
    ["sardonyx inspect resnet50", "an architecture by name"],
    ["sardonyx inspect model.onnx --input-shape 1,3,224,224", "any ONNX file"],
    ["sardonyx inspect lenet-mnist --batch 64", "a recipe, as it trains"],
    ["sardonyx inspect llama2_7b --lora 8 --quantize 4", "what fine-tuning would take"],
    ["sardonyx inspect gpt2 --format html --out gpt2.html", "charts, and the graph to explore"],
    ["sardonyx inspect resnet50 --freeze-blocks 13 --hardware a100", "the last three blocks and the head are trained"],
    ["sardonyx inspect bert-base/ --format json", "a folder with config.json or safetensors"],
  ],
  async run({ arguments: [target = ""], options, output }) {
    const { out, encryptTo, each = false, ...given } = options;
    if (each && (out !== undefined || encryptTo !== undefined))
      throw new OptionError(
        "--each prints what it inspects, and --out writes one inspection; leave one of the two out",
      );
    if (each) return inspectEach(target, given, output);
    const { all = false, format = "table", ...whatIfs } = given;
    const inspected = await inspectTarget(target, whatIfs, output);
    const document = await documentOf(format, inspected, { all, columns: out === undefined ? output.columns : 120 });
    output.record("inspection", inspected.inspection);
    if (out === undefined) return output.line(document.trimEnd());
    await writeOutput(
      resolve(out),
      document,
      { encryptTo, of: existsSync(target) ? resolve(target) : undefined },
      output,
    );
    output.record("saved", { path: resolve(out), format });
    output.line(`Saved ${shownPath(resolve(out))}`);
  },
});
