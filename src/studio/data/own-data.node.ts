/** Data of your own as a form shows it: what it is taken for, its first rows, and the settings of the recipe that learns from it. */
import { basename, extname, join } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { glanceAt } from "../../tasks/kinds/data-glance.node.ts";
import { ownDataTasks, recipeForData } from "../../tasks/kinds/recipe-for-data.node.ts";
import { type Filled, type FormField, formOf, settingWords } from "../jobs/recipe-form.node.ts";
import { requireBase } from "./bases.node.ts";
import { requireBelow } from "./data-places.node.ts";

/** Which data, and what is asked of them. */
export interface DataChoice {
  /** Below the studio's folder, with slashes. */
  readonly path: string;
  /** What `--target` and `--task` say; default by the data. */
  readonly target?: string | undefined;
  readonly task?: string | undefined;
}

/** Data as a form shows them. */
export interface OwnData {
  readonly path: string;
  /** The recipe that learns from them, and why. */
  readonly recipe: string;
  readonly because: string;
  /** Settings of the recipe, and those that every recipe has. */
  readonly fields: readonly FormField[];
  /** Of a table: its columns, and its first rows. */
  readonly table?: {
    readonly columns: readonly { readonly name: string; readonly kind: string }[];
    readonly rows: readonly (readonly string[])[];
  };
  /** Of a folder: the first files. */
  readonly files?: readonly string[];
  /** Whether the recipe predicts a column that can be named. */
  readonly hasTarget: boolean;
  /** What `--task` may say. */
  readonly tasks: readonly string[];
}

/** Rows and files of a preview, and letters of a cell. */
const [shownRows, shownFiles, shownLetters] = [8, 12, 200];

/** Settings that name one column; the target of a series may be several. */
const columnFields = ["text", "group", "time", "user", "item", "rating", "source", "series", "labels"];

/** Settings that stand above the form. */
const above = ["data", "target", "task"];

/** A look at data below a folder. Throws OptionError and FileError for a path that is not below it or cannot be read, DataError for what nothing learns from. */
export async function lookAt(root: string, { path, target, task }: DataChoice): Promise<OwnData> {
  requireBelow(root, path);
  const place = join(root, path);
  const { recipe, because } = await recipeForData(place, task || undefined, target || undefined);
  const form = await formOf(recipe);
  const data = await glanceAt(place);
  const names = data.kind === "table" ? data.columns.map(({ name }) => name) : [];
  const fields = form.fields
    .filter(({ name }) => !above.includes(name))
    .map(
      (field): FormField =>
        names.length > 0 && field.kind === "text" && columnFields.includes(field.name)
          ? { ...field, kind: "choice", choices: ["", ...names] }
          : field,
    );
  return {
    ...{ path, recipe, because, fields },
    ...(data.kind === "table" && {
      table: {
        columns: data.columns.map(({ name, kind }) => ({ name, kind })),
        rows: data.rows.slice(0, shownRows).map((row) => row.map((cell) => cell.slice(0, shownLetters))),
      },
    }),
    ...(data.kind === "folder" && { files: data.files.slice(0, shownFiles) }),
    hasTarget: form.fields.some(({ name }) => name === "target"),
    tasks: [...new Set([...(form.fields.find(({ name }) => name === "task")?.choices ?? []), ...ownDataTasks])].filter(
      (name) => name !== "auto",
    ),
  };
}

/** The words of the command that trains on data, and what it would call the run. Throws as `lookAt`, and OptionError for what the form does not have. */
export async function ownDataWords(
  root: string,
  choice: DataChoice,
  settings: Filled,
): Promise<{ readonly words: readonly string[]; readonly run: string }> {
  const { path, target, task } = choice;
  const { recipe, fields, hasTarget, tasks } = await lookAt(root, choice);
  if (target && !hasTarget) throw new OptionError(`${recipe} has no column to predict; leave the target out`);
  if (task && !tasks.includes(task)) throw new OptionError(`task is ${task}, expected ${tasks.join(", ")}`);
  const base = settings["base"];
  if (typeof base === "string" && base !== "") requireBase(root, base);
  const words = [
    ...["train", `--data=${path}`],
    ...(target ? [`--target=${target}`] : []),
    ...(task ? [`--task=${task}`] : []),
    ...settingWords({ name: recipe, fields }, settings),
  ];
  return { words, run: runNameOf(path, recipe) };
}

/** What a run on data is called: as the data are, where that can be a folder's name. */
export function runNameOf(path: string, recipe: string): string {
  const name = basename(path, extname(path))
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[^\p{L}\p{N}]+|[.-]+$/gu, "");
  return name === "" || name === "data" ? recipe : name;
}
