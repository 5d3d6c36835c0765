/** `sardonyx eval`: a run's model measured on its test data. */
import { defineCommand } from "../command.ts";
import { evaluateTask, showEvaluation } from "../../runs/evaluation.ts";
import { bestOption, openRun } from "../../runs/open-run.node.ts";

export const command = defineCommand({
  name: "eval",
  summary: "Measure a run's model on its test data",
  arguments: [{ name: "RUN", description: "folder of the run, or its name below runs/" }],
  options: { best: bestOption },
  examples: [
    ["sardonyx eval runs/lenet-mnist", "loss, accuracy, confusion matrix"],
    ["sardonyx eval lenet-mnist --best --json", "the best epoch, as a JSON line"],
  ],
  async run({ arguments: [run = ""], options, output }) {
    const { task, compile } = await openRun(run, { best: options.best, output });
    showEvaluation(await evaluateTask(task, compile), output);
  },
});
