/** What a command is asked to inspect: an architecture by name, a recipe, a module of one's own, or a file. */
import { existsSync } from "node:fs";
import { extname, resolve } from "node:path";
import { moduleNetwork } from "../../analyze/module-network.ts";
import type { Network } from "../../analyze/network.ts";
import { FileError, OptionError, unknownName } from "../../core/errors.ts";
import type { TensorType } from "../../graph/ir.ts";
import { presets } from "../../models/index.ts";
import { Module } from "../../nn/index.ts";
import { defaultOptions, type Recipe, type RecipeNetwork } from "../../runs/recipe.ts";
import { type OptionValues, toggle, wholeNumber } from "../command.ts";
import type { Output } from "../output.ts";
import { loadModule, moduleExtensions } from "../../runs/own-module.node.ts";
import { builtInRecipes, isRecipe, loadRecipe } from "../../runs/recipes.node.ts";
import { showDownloads } from "../train/progress.ts";
import { openPath } from "./open-file.ts";
import { ShapeChooser, type ShapeOptions } from "./shapes.ts";

/** What the argument of these commands may be, for their help. */
export const targetDescription =
  "an architecture (resnet50), a recipe, a .ts or .js module of one's own, an .onnx, .safetensors, config.json or model.json file, or a folder with one";

/** What changes an architecture that is named. */
export const architectureOptions = {
  classes: wholeNumber("of a named architecture: outputs of its classifier", 1),
  withoutAuxiliary: toggle("of a named architecture: leave its auxiliary heads out"),
} as const;

export type TargetOptions = ShapeOptions & OptionValues<typeof architectureOptions>;

/** Opens a target. Throws SardonyxError that says what was found instead. */
export async function openTarget(
  target: string,
  { classes, withoutAuxiliary, ...shapes }: TargetOptions,
  output: Output,
): Promise<Network> {
  const preset = Object.hasOwn(presets, target) ? presets[target] : undefined;
  if (preset) {
    const { name, source, input, extra, build } = preset;
    const model = build({ ...(classes !== undefined && { classes }), ...(withoutAuxiliary && { auxiliary: false }) });
    return fromModule({ name, source, model, input, extra }, shapes);
  }
  if (classes !== undefined || withoutAuxiliary)
    throw new OptionError(
      `${classes === undefined ? "--without-auxiliary" : "--classes"} changes an architecture that is named, such as googlenet, and ${target} is none; leave it out`,
    );
  if (moduleExtensions.includes(extname(target))) return openModule(target, shapes, output);
  if (existsSync(target)) return openPath(resolve(target), shapes);
  if (/[\\/]|\.\w+$/.test(target)) throw new FileError(`there is no file ${resolve(target)}; check the path`);
  const recipes = builtInRecipes();
  if (!recipes.includes(target)) throw unknownName("model", target, [...Object.keys(presets), ...recipes]);
  return fromRecipe((await loadRecipe(target)).recipe, shapes, output);
}

interface Named {
  readonly name: string;
  readonly source: string;
  readonly model: Module;
  readonly input: TensorType;
  readonly extra?: Readonly<Record<string, TensorType>> | undefined;
}

function fromModule({ input, extra = {}, ...named }: Named, shapes: ShapeOptions): Network {
  const chooser = new ShapeChooser(shapes);
  const main = chooser.adapt("x", input, true);
  const others = Object.entries(extra).map(([name, type]) => [name, chooser.adapt(name, type, false)] as const);
  chooser.finish(["x", ...Object.keys(extra)]);
  return moduleNetwork({ ...named, input: main, extra: Object.fromEntries(others) });
}

async function fromRecipe(recipe: Recipe, shapes: ShapeOptions, output: Output): Promise<Network> {
  const { name, summary } = recipe;
  const network = recipe.network?.(defaultSettings(recipe)) ?? (await loadNetwork(recipe, output));
  return fromModule({ name, source: summary, ...network }, shapes);
}

const defaultSettings = (recipe: Recipe) => ({ ...recipe.defaults, ...defaultOptions(recipe) });

/** The network of a recipe that needs its data to know it. */
async function loadNetwork(recipe: Recipe, output: Output): Promise<RecipeNetwork> {
  const { model, input } = await recipe.load(defaultSettings(recipe), 1, showDownloads(output));
  return { model, input: input.type, ...(input.extra && { extra: input.extra }) };
}

/** A module's default export: a recipe, a model, a function that makes one, or `{ model, input }`. */
async function openModule(path: string, shapes: ShapeOptions, output: Output): Promise<Network> {
  const exported = await loadModule(path);
  if (isRecipe(exported)) return fromRecipe(exported, shapes, output);
  const made: unknown = typeof exported === "function" ? await (exported as () => unknown)() : exported;
  const { model, input, extra } = partsOf(made);
  if (!model)
    throw new OptionError(
      `the default export of ${path} is no model; export a recipe, a Module, a function that returns one, or { model, input: { dtype: "float32", shape: [1, 3, 224, 224] } }`,
    );
  if (!input && shapes.inputShape === undefined)
    throw new OptionError(
      `${path} does not say what its model takes; pass --input-shape 1,3,224,224, or export { model, input: { dtype: "float32", shape: [1, 3, 224, 224] } }`,
    );
  return fromModule(
    { name: path, source: "a module of one's own", model, input: input ?? { dtype: "float32", shape: [1] }, extra },
    shapes,
  );
}

function partsOf(made: unknown): Partial<Pick<Named, "model" | "input" | "extra">> {
  if (made instanceof Module) return { model: made };
  if (typeof made !== "object" || made === null) return {};
  const { model, input, extra } = made as Partial<Named>;
  return model instanceof Module ? { model, ...(input && { input }), extra } : {};
}
