/** Commands that use the model of a run. */
import { join, relative, sep } from "node:path";
import { command } from "../../core/printable.ts";
import { zerosTensor } from "../../core/tensor.ts";
import { exampleRow } from "../../data/tables/rows/row-encoding.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { inputTypeOf } from "../open/input.ts";
import { readingOf } from "../open/reading.ts";
import { packageRoot } from "../recipes/package.node.ts";
import type { Task } from "../recipes/recipe.ts";
import type { Plan } from "../training/plan.node.ts";
import type { RunReport } from "./report.ts";

/** How this program is called from here: a dependency by npx, a clone by its path. */
export function programName(): string {
  if (packageRoot.split(sep).includes("node_modules")) return "npx sardonyx";
  return command`node ${join(relative(process.cwd(), packageRoot), "bin", "sardonyx.mjs")}`;
}

/** Commands that ask the model, test it again, and what the recipe suggests after it. */
export function usageOf({ recipe, folder, record }: Plan, task: Task): RunReport["usage"] {
  const { path } = record.recipe;
  const [example, what] = exampleOf(task);
  const own: (readonly [line: string, meaning: string])[] = [
    task.writer
      ? [command`generate ${shownPath(folder)} --prompt ${task.writer.prompt}`, "text that it writes"]
      : [`${command`predict ${shownPath(folder)}`} ${example}`, what],
    ...(isExplained(task)
      ? [[`${command`explain ${shownPath(folder)}`} ${example}`, "why it predicts that"] as const]
      : []),
    [
      `${command`eval ${shownPath(folder)}`}${path === undefined ? "" : command` --recipe ${shownPath(path)}`}`,
      "the test again",
    ],
  ];
  const next = (recipe.next ?? []).map((suggestion) => {
    const [line = "", meaning = ""] = suggestion.split(/\s{2,}/);
    return [line.replace(/^sardonyx\s+/, ""), meaning] as const;
  });
  return [...own, ...next].map(([line, meaning]) => ({ command: `${programName()} ${line}`, meaning }));
}

/** Whether `explain` takes what `predict` does: inputs of classes that are read for the model. */
function isExplained({ classes, dialogue, writer, deployed, format = {}, reader }: Task): boolean {
  const isRead = reader ? (reader.gives ?? "scores") === "scores" : Object.keys(format).length > 0;
  return classes !== undefined && isRead && !dialogue && !writer && !deployed;
}

/** An argument of `predict`, and what it is. */
function exampleOf(task: Task): readonly [example: string, what: string] {
  const dialogue = task.dialogue ?? readingOf(task);
  if (dialogue) return [command`${dialogue.example}`, dialogue.what];
  const { inputs, format } = task.deployed ?? task;
  if (format?.image) return ["INPUT", "a PNG or JPEG file"];
  if (format?.sound) return ["INPUT", "a WAV file"];
  if (format?.table)
    return [
      command`${JSON.stringify(exampleRow(format.table))}`,
      "a row as JSON; or a file of rows: .csv, .jsonl, .parquet",
    ];
  if (format?.text) return [command`${"It was a pleasure"}`, "a text; or a file of texts: .txt, .csv, .jsonl"];
  // Zeros in the shape of one input.
  const sample = zerosTensor("float32", inputTypeOf(inputs).shape.slice(1));
  return [command`${sample.data.length <= 8 ? JSON.stringify(sample.toArray()) : "INPUT.json"}`, "numbers as JSON"];
}
