/** Recipes and experiments found: the built-in ones by name, your own by path. */
import { existsSync, readdirSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import * as z from "zod";
import { FileError, OptionError, unknownName } from "../../core/errors.ts";
import { command } from "../../core/printable.ts";
import type { Experiment } from "../experiments/experiment.ts";
import { describeExport, importDefault, moduleExtensions, useOwnPackage } from "./own-module.node.ts";
import { codeRoot, extension, modulePath } from "./package.node.ts";
import type { Recipe } from "./recipe.ts";
import { runOptionsSchema } from "./run-options.ts";
import { recipeSettingsSchema, runSettingsSchema } from "./settings.ts";

/** What can be trained. */
export type Trainable = Recipe | Experiment;

/** Whether it is an experiment of several networks. */
export const isExperiment = (recipe: Trainable): recipe is Experiment =>
  "isExperiment" in recipe && recipe.isExperiment;

/** A recipe, and its file when it is not a built-in one. */
export interface Loaded<R extends Trainable> {
  readonly recipe: R;
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

/** The recipe of a name or a path, which trains one network. Throws OptionError for an experiment. */
export async function loadRecipe(nameOrPath: string): Promise<Loaded<Recipe>> {
  const loaded = await loadTrainable(nameOrPath);
  if (isLoadedExperiment(loaded))
    throw new OptionError(
      `${nameOrPath} is an experiment that trains several networks; name a recipe of one, or run it: ${command`sardonyx train ${nameOrPath}`}`,
    );
  return loaded;
}

type AnyLoaded = Loaded<Recipe> | Loaded<Experiment>;

export const isLoadedExperiment = (loaded: AnyLoaded): loaded is Loaded<Experiment> => isExperiment(loaded.recipe);

/** The recipe or experiment of a name or a path. Throws OptionError or FileError that says what was found instead. */
export async function loadTrainable(nameOrPath: string): Promise<AnyLoaded> {
  if (!isPath(nameOrPath)) {
    const names = builtInRecipes();
    if (!names.includes(nameOrPath)) throw unknownName("recipe", nameOrPath, names);
    return { recipe: await importRecipe(modulePath(`recipes/${nameOrPath}`), nameOrPath) } as AnyLoaded;
  }
  const path = resolve(nameOrPath);
  if (!existsSync(path)) {
    const names = builtInRecipes().join(", ");
    throw new FileError(`there is no recipe file ${path}; check the path, or name a built-in recipe: ${names}`);
  }
  if (!moduleExtensions.includes(extname(path)))
    throw new FileError(`the recipe ${path} must be a module that ends in ${moduleExtensions.join(", ")}; rename it`);
  await useOwnPackage(extname(path).endsWith("ts"));
  return { recipe: await importRecipe(path, nameOrPath), path } as AnyLoaded;
}

const isFunction = z.custom((value) => typeof value === "function", "expected a function");

const experimentSchema = z.object({
  isExperiment: z.literal(true),
  defaults: recipeSettingsSchema.extend({
    repeats: z.number().int().min(1),
    threads: z.number().int().min(1).optional(),
  }),
  axis: z.string(),
  figures: isFunction,
});

const recipeSchema = z.object({
  name: z.string().regex(/^[\w.-]+$/, "letters, digits, - and _ only: it names the run's folder"),
  summary: z.string(),
  data: z.string().optional(),
  defaults: recipeSettingsSchema.loose(),
  options: z
    .record(
      z
        .string()
        .regex(/^[a-z][a-zA-Z0-9]*$/, "letters and digits, the first a small letter")
        .refine((name) => !Object.hasOwn(runSettingsSchema.shape, name), "a name that every recipe has a setting of")
        .refine((name) => !Object.hasOwn(runOptionsSchema.shape, name), "a name that every run has an option of"),
      z.object({
        description: z.string(),
        default: z.union([z.string(), z.number(), z.literal(false)]),
        choices: z.array(z.string()).optional(),
      }),
    )
    .optional(),
  network: isFunction.optional(),
  open: isFunction.optional(),
  load: isFunction,
  next: z.array(z.string()).optional(),
});

/** Whether a module's default export is a recipe of one network. */
export const isRecipe = (found: unknown): found is Recipe =>
  recipeSchema.safeParse(found).success && !isExperiment(found as Trainable);

async function importRecipe(path: string, shown: string): Promise<Trainable> {
  const found = await importDefault(path, shown);
  const isOfSeveral = typeof found === "object" && found !== null && "isExperiment" in found;
  const checked = (isOfSeveral ? recipeSchema.and(experimentSchema) : recipeSchema).safeParse(found);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    const where = issue?.path.length ? `; its ${issue.path.join(".")}: ${issue.message}` : "";
    throw new OptionError(
      `the default export of ${shown} is no recipe (got ${describeExport(found)}${where}); write: export default defineRecipe({ … })`,
    );
  }
  return found as Trainable;
}
