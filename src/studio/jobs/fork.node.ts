/** A run as the form of a new one: its settings to be changed, with paths as the studio's folder has them. */
import { relative, sep } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { builtInRecipes } from "../../runs/recipes/recipes.node.ts";
import { ownDataRecipes } from "../../tasks/kinds/recipe-for-data.node.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";
import type { Filled } from "./recipe-form.node.ts";

/** What a form is filled with to train a run on. */
export interface Fork {
  readonly run: string;
  readonly recipe: string;
  /** Which form it is. */
  readonly form: "recipe" | "data" | "finetune";
  /** Its data and its base, below the studio's folder where they lie there. */
  readonly data: string;
  readonly base: string;
  readonly settings: Filled;
}

/** A run as a form. Throws FileError for what is no run, OptionError for one that the page cannot train. */
export function forkOf(library: RunLibrary, run: string): Fork {
  library.folderOf(run);
  const { recipe, settings } = library.runs.find(({ id }) => id === run) ?? {};
  if (recipe === undefined || settings === undefined || !builtInRecipes().includes(recipe))
    throw new OptionError(
      `${run} is no run of a built-in recipe; train your own on by sardonyx train RECIPE --from ${run}`,
    );
  const below = (name: string): string => {
    const value = settings[name];
    if (typeof value !== "string") return "";
    const path = relative(library.root, value);
    return value.startsWith(library.root + sep) ? path.split(sep).join("/") : value;
  };
  const form = recipe === "finetune" ? "finetune" : ownDataRecipes.includes(recipe) ? "data" : "recipe";
  return { run, recipe, form, data: below("data"), base: below("base"), settings };
}
