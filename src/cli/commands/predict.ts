/** `sardonyx predict`: what a run's model says of new inputs. */
import { predictor } from "../../train/evaluate.ts";
import { defineCommand } from "../command.ts";
import { bestOption, openRun } from "../open-run.ts";
import { readInput } from "../predict-input.ts";
import { describeOutput } from "../predict-output.ts";

export const command = defineCommand({
  name: "predict",
  summary: "Apply a run's model to pictures or numbers",
  arguments: [
    { name: "RUN", description: "folder of the run, or its name below runs/" },
    { name: "INPUT", description: "PNG or JPEG files, JSON files, or JSON arrays", variadic: true },
  ],
  options: { best: bestOption },
  examples: [
    ["sardonyx predict runs/lenet-mnist seven.png two.jpg", "digits in pictures"],
    ["sardonyx predict runs/iris '[5.1, 3.5, 1.4, 0.2]'", "a flower's measures"],
    ["sardonyx predict iris flowers.json --json", "many at once, as JSON lines"],
  ],
  async run({ arguments: [run = "", ...inputs], options, output }) {
    const { task, compile } = await openRun(run, { best: options.best, output });
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
