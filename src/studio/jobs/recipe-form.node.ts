/** The settings of a recipe as a form shows them, and what is filled in as the words of a command. */
import * as z from "zod";
import { OptionError } from "../../core/errors.ts";
import { flagOf } from "../../core/printable.ts";
import { builtInRecipes, isExperiment, loadTrainable } from "../../runs/recipes/recipes.node.ts";
import { runSettingsSchema } from "../../runs/recipes/settings.ts";
import { ownDataRecipes } from "../../tasks/kinds/recipe-for-data.node.ts";
import type { SettingValue } from "../runs/run-summary.node.ts";

/** A field of a form. */
export interface FormField {
  readonly name: string;
  readonly description: string;
  readonly kind: "number" | "text" | "switch" | "choice";
  /** What is filled in; nothing where the setting may be left out. */
  readonly standard?: SettingValue;
  readonly choices?: readonly string[];
}

/** What a recipe is trained with. */
export interface RecipeForm {
  readonly name: string;
  readonly summary: string;
  readonly data: string;
  /** Whether it repeats trainings of several networks. */
  readonly isExperiment: boolean;
  readonly fields: readonly FormField[];
}

/** Settings of every recipe that a form shows, by what is asked for most. */
const shown = ["epochs", "batchSize", "learningRate", "optimizer", "seed", "limit", "threads"] as const;

/** Those of recipes that are no experiments. */
const shownOfRecipes = ["watchLayers", "watchSamples"] as const;

/** What is filled in, by the names of fields. */
export type Filled = Readonly<Record<string, SettingValue>>;

let forms: Promise<readonly RecipeForm[]> | undefined;

/** The forms of the built-in recipes with data of their own; what learns from yours has its own forms. Nothing is run that a folder names. */
export function recipeForms(): Promise<readonly RecipeForm[]> {
  const ofYours = [...ownDataRecipes, "finetune"];
  forms ??= Promise.all(
    builtInRecipes()
      .filter((name) => !ofYours.includes(name))
      .map(formOf),
  );
  return forms;
}

/** The form of a built-in recipe. */
export async function formOf(name: string): Promise<RecipeForm> {
  const { recipe } = await loadTrainable(name);
  const { summary, defaults } = recipe;
  const standard: Readonly<Record<string, unknown>> = { ...defaults };
  const data = isExperiment(recipe) ? "" : recipe.data;
  const common = [...shown, ...(isExperiment(recipe) ? [] : shownOfRecipes)].map((field): FormField => {
    const schema = runSettingsSchema.shape[field];
    const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
    const value = standard[field];
    const base = { name: field, description: schema.description ?? inner.description ?? "" };
    const filled = value === undefined ? {} : { standard: value as SettingValue };
    return inner instanceof z.ZodEnum
      ? { ...base, ...filled, kind: "choice", choices: inner.options.map(String) }
      : { ...base, ...filled, kind: "number" };
  });
  const own = isExperiment(recipe)
    ? []
    : Object.entries(recipe.options ?? {}).map(
        ([field, { description, default: filled, choices }]): FormField => ({
          ...{ name: field, description, standard: filled },
          kind: choices ? "choice" : filled === false ? "switch" : typeof filled === "number" ? "number" : "text",
          ...(choices && { choices }),
        }),
      );
  return { name, summary, data: data ?? "", isExperiment: isExperiment(recipe), fields: [...common, ...own] };
}

/** The words of the command that trains what was filled in: settings that differ from the recipe's. Throws OptionError for what the form does not have. */
export async function trainingWords(recipe: string, given: Filled): Promise<readonly string[]> {
  const form = (await recipeForms()).find(({ name }) => name === recipe);
  if (!form)
    throw new OptionError(
      `there is no built-in recipe ${JSON.stringify(recipe)} with data of its own; your own recipe is trained on the command line, and your own data have a form of their own`,
    );
  return ["train", recipe, ...settingWords(form, given)];
}

/** The options of a command that what was filled in stands for. Throws OptionError for what the form does not have. */
export function settingWords({ name: recipe, fields }: Pick<RecipeForm, "name" | "fields">, given: Filled): string[] {
  const words: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    const field = fields.find((own) => own.name === name);
    if (!field) throw new OptionError(`${recipe} has no setting ${JSON.stringify(name)}; look at the form again`);
    if (value === field.standard || value === "") continue;
    const type = { number: "number", switch: "boolean", text: "string", choice: "string" }[field.kind];
    if (typeof value !== type || (field.choices && !field.choices.includes(String(value))))
      throw new OptionError(
        `${name} is ${JSON.stringify(value)}, expected ${field.choices?.join(", ") ?? `a ${type}`}`,
      );
    // As one word: what begins with a dash is a value still.
    if (field.kind === "switch") words.push(flagOf(name));
    else words.push(`${flagOf(name)}=${value}`);
  }
  return words;
}
