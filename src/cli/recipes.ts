/** Recipes found: the built-in ones by name, one's own by path. */
import { existsSync, readdirSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { z } from "zod";
import { FileError, OptionError, unknownName } from "../core/errors.ts";
import { optimizerOf } from "../train/optimizers.ts";
import type { Recipe } from "../train/recipe.ts";
import { describeExport, importDefault, moduleExtensions, useOwnPackage } from "./own-module.ts";
import { codeRoot, extension, modulePath } from "./package.ts";

/** A recipe, and its file when it is not a built-in one. */
export interface LoadedRecipe {
  readonly recipe: Recipe;
  /** Absolute path. */
  readonly path?: string;
}

/** Names of the built-in recipes. */
export const builtInRecipes = (): string[] =>
  readdirSync(join(codeRoot, "recipes"))
    .filter((file) => extname(file) === extension && !/\.(test|d)\.\w+$/.test(file))
    .map((file) => file.slice(0, -extension.length))
    .sort();

const isPath = (nameOrPath: string) => /[\\/]/.test(nameOrPath) || moduleExtensions.includes(extname(nameOrPath));

/** The recipe of a name or a path. Throws OptionError or FileError that says what was found instead. */
export async function loadRecipe(nameOrPath: string): Promise<LoadedRecipe> {
  if (!isPath(nameOrPath)) {
    const names = builtInRecipes();
    if (!names.includes(nameOrPath)) throw unknownName("recipe", nameOrPath, names);
    return { recipe: await importRecipe(modulePath(`recipes/${nameOrPath}`), nameOrPath) };
  }
  const path = resolve(nameOrPath);
  if (!existsSync(path)) {
    const names = builtInRecipes().join(", ");
    throw new FileError(`there is no recipe file ${path}; check the path, or name a built-in recipe: ${names}`);
  }
  if (!moduleExtensions.includes(extname(path)))
    throw new FileError(`the recipe ${path} must be a module that ends in ${moduleExtensions.join(", ")}; rename it`);
  await useOwnPackage(extname(path).endsWith("ts"));
  return { recipe: await importRecipe(path, nameOrPath), path };
}

const settingsSchema = z.object({
  epochs: z.number().int().positive(),
  batchSize: z.number().int().positive(),
  learningRate: z.number().positive(),
  optimizer: z.string(),
  seed: z.number().int().nonnegative(),
});

const recipeSchema = z.object({
  name: z.string().regex(/^[\w.-]+$/, "letters, digits, - and _ only: it names the run's folder"),
  summary: z.string(),
  defaults: settingsSchema,
  load: z.custom((value) => typeof value === "function", "expected a function"),
  next: z.array(z.string()).optional(),
});

/** Whether a module's default export is a recipe. */
export const isRecipe = (found: unknown): found is Recipe => recipeSchema.safeParse(found).success;

async function importRecipe(path: string, shown: string): Promise<Recipe> {
  const found = await importDefault(path, shown);
  const checked = recipeSchema.safeParse(found);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    const where = issue?.path.length ? `; its ${issue.path.join(".")}: ${issue.message}` : "";
    throw new OptionError(
      `the default export of ${shown} is no recipe (got ${describeExport(found)}${where}); write: export default defineRecipe({ … })`,
    );
  }
  const recipe = found as Recipe;
  optimizerOf(recipe.defaults.optimizer);
  return recipe;
}
