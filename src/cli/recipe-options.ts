/** Options of the command line that are a recipe's own. */
import type { RecipeOption } from "../runs/recipes/recipe.ts";
import { isLoadedExperiment, loadTrainable } from "../runs/recipes/recipes.node.ts";
import type { OptionValue } from "../runs/recipes/settings.ts";
import { number, type Option, type OptionTable, oneOf, text, toggle } from "./command.ts";

/** A recipe's own options; none for what is no recipe, which is reported when it is to be trained. */
export async function ownOptions(name: string): Promise<OptionTable> {
  const loaded = await loadTrainable(name).catch(() => undefined);
  if (!loaded || isLoadedExperiment(loaded)) return {};
  return Object.fromEntries(
    Object.entries(loaded.recipe.options ?? {}).map(([key, option]) => [key, optionFor(option)]),
  );
}

function optionFor({ description, default: standard, choices }: RecipeOption): Option<OptionValue> {
  const help = `${description}; default ${standard}`;
  if (choices) return oneOf(help, choices);
  if (standard === false) return toggle(description);
  return typeof standard === "number"
    ? number(help, { low: Number.NEGATIVE_INFINITY, example: standard })
    : text("TEXT", help);
}
