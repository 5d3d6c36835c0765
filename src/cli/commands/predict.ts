/** `sardonyx predict`: what a run's model says of new inputs. */
import { basename, extname, join } from "node:path";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import { predictor } from "../../train/evaluate.ts";
import type { Dialogue, Task } from "../../runs/recipe.ts";
import { animate } from "../animation.ts";
import { defineCommand } from "../command.ts";
import { bestOption, type OpenRun, openRun } from "../../runs/open-run.node.ts";
import type { Output } from "../output.ts";
import { readInput } from "../../runs/predict-input.node.ts";
import { describeOutput } from "../../runs/predict-output.ts";
import { shown } from "../../runs/run-folder.node.ts";

export const command = defineCommand({
  name: "predict",
  summary: "Apply a run's model to new inputs: pictures, numbers, sentences",
  arguments: [
    { name: "RUN", description: "folder of the run, or its name below runs/" },
    {
      name: "INPUT",
      description: "PNG or JPEG files, JSON files, JSON arrays; or what the recipe asks for",
      variadic: true,
    },
  ],
  options: { best: bestOption },
  examples: [
    ["sardonyx predict runs/lenet-mnist seven.png two.jpg", "digits in pictures"],
    ["sardonyx predict runs/iris '[5.1, 3.5, 1.4, 0.2]'", "a flower's measures"],
    ["sardonyx predict iris flowers.json --json", "many at once, as JSON lines"],
  ],
  async run({ arguments: [run = "", ...inputs], options, output }) {
    const { task, compile, folder } = await openRun(run, { best: options.best, output });
    if (task.dialogue) return converse(task, task.dialogue, inputs, { compile, folder, output });
    const { model, input } = task.deployed ?? task;
    const compiled = new Map<string, ReturnType<typeof predictor>>();
    // Every input is read before anything is said of one.
    const read = await Promise.all(inputs.map((given) => readInput(given, input)));
    for (const { name, samples, inverted } of read) {
      const x = input.prepare(samples);
      const shape = x.shape.join();
      const predict = compiled.get(shape) ?? predictor(model, x, compile);
      compiled.set(shape, predict);
      const y = await (await predict)(x);
      const rows = x.shape[0] ?? 1;
      for (let row = 0; row < rows; row++) {
        const label = rows === 1 ? name : `${name}[${row}]`;
        const { text, fields } = describeOutput(y, row, task.classes);
        output.record("prediction", { input: label, ...fields, ...(inverted && { inverted }) });
        output.line(`${label}: ${text}${inverted ? "   (dark on light: inverted first)" : ""}`);
      }
    }
  },
});

/** Asks each question; what is drawn of an answer goes into the run's folder. */
async function converse(
  { classes }: Task,
  dialogue: Dialogue,
  questions: readonly string[],
  { compile, folder, output }: Pick<OpenRun, "compile" | "folder"> & { readonly output: Output },
): Promise<void> {
  const ask = await dialogue.open(compile);
  for (const question of questions) {
    const answer = await ask(question);
    const { text, fields } = "output" in answer ? describeOutput(answer.output, 0, classes) : answer;
    if (output.terminal && "frames" in answer) await animate(answer.frames ?? [], process.stdout);
    const { note } = answer;
    output.record("prediction", { input: question, ...fields, ...(note !== undefined && { note }) });
    output.line(`${question}: ${text}${note === undefined ? "" : `   (${note})`}`);
    for (const [name, drawing] of Object.entries(("drawings" in answer && answer.drawings) || {})) {
      const path = join(folder, `${basename(question, extname(question)).slice(0, 60)}-${name}`);
      await writeFileAtomic(path, drawing);
      output.record("drawing", { input: question, path });
      output.line(`drawn in ${shown(path)}`);
    }
  }
}
