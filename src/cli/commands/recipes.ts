/** `sardonyx recipes`: what can be trained. */

import { builtInRecipes, isExperiment, loadTrainable } from "../../runs/recipes/recipes.node.ts";
import { defineCommand } from "../command.ts";
import { showTable } from "../show-table.ts";

export const command = defineCommand({
  arguments: [],
  options: {},
  examples: [["sardonyx recipes", "a table"]],
  async run({ output }) {
    const rows: string[][] = [];
    for (const name of builtInRecipes()) {
      const { recipe } = await loadTrainable(name);
      const { summary, defaults } = recipe;
      output.record("recipe", { name, summary, defaults });
      const { epochs, batchSize, learningRate, optimizer } = defaults;
      const repeats = isExperiment(recipe) ? `, ${recipe.defaults.repeats} seeds` : "";
      rows.push([name, summary, `${optimizer} ${learningRate}, batch ${batchSize}, epochs ${epochs}${repeats}`]);
    }
    const columns = [{ head: "Recipe" }, { head: "What it trains", width: 32 }, { head: "Defaults", width: 23 }];
    showTable(columns, rows, output);
    output.line("\nTrain one: sardonyx train lenet-mnist. Your own: sardonyx train ./my-recipe.ts");
  },
});
