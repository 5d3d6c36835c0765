/** What is given by a path or a recipe's name: files, your own modules, recipes. */
import { existsSync } from "node:fs";
import { extname, resolve } from "node:path";
import { moduleNetwork } from "../../analyze/networks/module-network.ts";
import type { Network } from "../../analyze/networks/network.ts";
import { atPlace, FileError, OptionError, unknownName } from "../../core/errors.ts";
import { cachedModel, isHubName } from "../../formats/files/hub-cache.node.ts";
import { presets } from "../../models/index.ts";
import { Module } from "../../nn/index.ts";
import { loadModule, moduleExtensions } from "../../runs/recipes/own-module.node.ts";
import { defaultOptions, networkOf, type Recipe, type RecipeNetwork } from "../../runs/recipes/recipe.ts";
import { builtInRecipes, isRecipe, loadRecipe } from "../../runs/recipes/recipes.node.ts";
import type { Output } from "../output.ts";
import { showDownloads } from "../train/progress.ts";
import { openPath } from "./open-file.ts";
import { chooseInputs, type ShapeOptions } from "./shapes.ts";

/** Opens what a path or a name stands for that is no architecture. Throws SardonyxError that says what was found instead. */
export async function openGiven(target: string, shapes: ShapeOptions, output: Output): Promise<Network> {
  if (moduleExtensions.includes(extname(target))) return openModule(target, shapes, output);
  if (existsSync(target)) return openPath(resolve(target), shapes);
  if (isHubName(target)) return { ...(await openPath(cachedModel(target), shapes)), name: target };
  if (/[\\/]|\.\w+$/.test(target)) throw new FileError(`there is no file ${resolve(target)}; check the path`);
  const recipes = builtInRecipes();
  if (!recipes.includes(target)) throw unknownName("model", target, [...Object.keys(presets), ...recipes]);
  return fromRecipe((await loadRecipe(target)).recipe, shapes, output);
}

/** A model, and what it takes. */
interface Named extends RecipeNetwork {
  readonly name: string;
  readonly source: string;
}

const fromModule = ({ inputs, ...named }: Named, shapes: ShapeOptions): Network =>
  moduleNetwork({ ...named, inputs: chooseInputs(inputs, shapes), limits: shapes.limit });

async function fromRecipe(recipe: Recipe, shapes: ShapeOptions, output: Output): Promise<Network> {
  const { name, summary } = recipe;
  const settings = { ...recipe.defaults, ...defaultOptions(recipe) };
  // A recipe that does not say its network without data needs it: words and classes that a part of the data lacks would be missing.
  const { model, inputs } =
    networkOf(recipe, settings) ??
    (await recipe.load(settings, undefined, showDownloads(output)).catch((error: unknown) => {
      throw atPlace("its network depends on its data and options", error);
    }));
  return fromModule({ name, source: summary, model, inputs }, shapes);
}

/** A module's default export: a recipe, a model, a function that makes one, or `{ model, inputs }`. */
async function openModule(path: string, shapes: ShapeOptions, output: Output): Promise<Network> {
  const exported = await loadModule(path);
  if (isRecipe(exported)) return fromRecipe(exported, shapes, output);
  const made: unknown = typeof exported === "function" ? await (exported as () => unknown)() : exported;
  const { model, inputs } = partsOf(made);
  if (!model)
    throw new OptionError(
      `the default export of ${path} is not a model; export a recipe, a Module, a function that returns one, or { model, inputs: { dtype: "float32", shape: [1, 3, 224, 224] } }`,
    );
  if (!inputs && shapes.inputShape === undefined)
    throw new OptionError(
      `${path} does not say what its model takes; pass --input-shape 1,3,224,224, or export { model, inputs: { dtype: "float32", shape: [1, 3, 224, 224] } }`,
    );
  const types = inputs ?? { dtype: "float32", shape: [1] };
  return fromModule({ name: path, source: "your own module", model, inputs: types }, shapes);
}

function partsOf(made: unknown): Partial<RecipeNetwork> {
  if (made instanceof Module) return { model: made };
  if (typeof made !== "object" || made === null) return {};
  const { model, inputs } = made as Partial<RecipeNetwork>;
  return model instanceof Module ? { model, ...(inputs && { inputs }) } : {};
}
