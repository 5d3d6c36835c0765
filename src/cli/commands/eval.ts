/** `sardonyx eval`: a run's model measured on its test data. */
import { defineCommand } from "../command.ts";
import { showEvaluation } from "../evaluation.ts";
import { computeOptions, openNamed } from "../open-run.ts";

export const command = defineCommand({
  arguments: [{ name: "RUN", description: "folder of the run, or its name below runs/" }],
  options: computeOptions,
  examples: [
    ["sardonyx eval runs/lenet-mnist", "loss, accuracy, confusion matrix"],
    ["sardonyx eval lenet-mnist --best --json", "the best epoch, as a JSON line"],
    ["sardonyx eval runs/mine --recipe ./my-recipe.ts", "a run of your own recipe"],
  ],
  async run({ arguments: [run = ""], options, output }) {
    showEvaluation(await (await openNamed(run, options, output)).evaluate(), output);
  },
});
