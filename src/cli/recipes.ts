/** Recipes found: the built-in ones by name, one's own by path. */
import { existsSync, readdirSync } from "node:fs";
import { register } from "node:module";
import { extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { FileError, OptionError, SardonyxError, unknownName } from "../core/errors.ts";
import { optimizerOf } from "../train/optimizers.ts";
import type { Recipe } from "../train/recipe.ts";
import { codeRoot, extension, modulePath } from "./package.ts";

/** A recipe, and its file when it is not a built-in one. */
export interface LoadedRecipe {
  readonly recipe: Recipe;
  /** Absolute path. */
  readonly path?: string;
}

const pathExtensions = [".ts", ".mts", ".js", ".mjs"];

/** Names of the built-in recipes. */
export const builtInRecipes = (): string[] =>
  readdirSync(join(codeRoot, "recipes"))
    .filter((file) => extname(file) === extension && !/\.(test|d)\.\w+$/.test(file))
    .map((file) => file.slice(0, -extension.length))
    .sort();

const isPath = (nameOrPath: string) => /[\\/]/.test(nameOrPath) || pathExtensions.includes(extname(nameOrPath));

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
  if (!pathExtensions.includes(extname(path)))
    throw new FileError(`the recipe ${path} must be a module that ends in ${pathExtensions.join(", ")}; rename it`);
  await useOwnPackage(extname(path).endsWith("ts"));
  return { recipe: await importRecipe(path, nameOrPath), path };
}

let ownPackageInUse = false;
let typescriptInUse = false;

/**
 * Makes "sardonyx" in a recipe mean this very package, wherever the file lies: two copies of the classes would not
 * recognize each other. TypeScript is compiled by tsx.
 */
async function useOwnPackage(typescript: boolean): Promise<void> {
  if (typescript && !typescriptInUse) (await import("tsx/esm/api")).register();
  typescriptInUse ||= typescript;
  if (ownPackageInUse) return;
  ownPackageInUse = true;
  const data = Object.fromEntries(
    ["index", "node"].map((entry) => [
      entry === "index" ? "sardonyx" : `sardonyx/${entry}`,
      pathToFileURL(modulePath(`src/${entry}`)).href,
    ]),
  );
  register(pathToFileURL(modulePath("src/cli/resolve-hook")), { data });
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

async function importRecipe(path: string, shown: string): Promise<Recipe> {
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (cause) {
    if (cause instanceof SardonyxError) throw cause;
    const reason =
      cause instanceof Error ? `${cause.name}: ${cause.message.split("\n").slice(0, 2).join(" ")}` : String(cause);
    throw new FileError(`the recipe ${shown} cannot be loaded (${reason}); correct it`, { cause });
  }
  // A module compiled to CommonJS carries its default export one level down.
  const found = unwrap(module.default);
  const checked = recipeSchema.safeParse(found);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    const where = issue?.path.length ? `; its ${issue.path.join(".")}: ${issue.message}` : "";
    throw new OptionError(
      `the default export of ${shown} is no recipe (got ${describe(found)}${where}); write: export default defineRecipe({ … })`,
    );
  }
  const recipe = found as Recipe;
  optimizerOf(recipe.defaults.optimizer);
  return recipe;
}

const unwrap = (found: unknown): unknown =>
  typeof found === "object" && found !== null && "default" in found && !("load" in found) ? found.default : found;

function describe(found: unknown): string {
  if (found === undefined) return "no default export";
  if (typeof found !== "object" || found === null) return `a ${typeof found}`;
  const keys = Object.keys(found);
  return `an object with ${keys.length > 0 ? keys.slice(0, 6).join(", ") : "no properties"}`;
}
