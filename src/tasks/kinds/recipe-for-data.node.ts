/** The recipe that data of your own are for. */
import { DataError } from "../../core/errors.ts";
import { boxKind } from "../boxes/box-kind.node.ts";
import { imageKind } from "../images/image-kind.ts";
import { ratingsKind } from "../ratings/rating-columns.ts";
import { seriesKind } from "../series/series-kind.ts";
import { soundKind } from "../sounds/sound-kind.ts";
import { tableKind } from "../tables/table-kind.ts";
import { textsKind } from "../texts/texts-kind.node.ts";
import { translationKind } from "../translation/translation-kind.ts";
import { writingKind } from "../writing/writing-kind.node.ts";
import { glanceAt } from "./data-glance.node.ts";
import type { AskedData, DataKind } from "./data-kind.ts";

/** In the order in which they are tried: what only a few data are before what most are. */
const kinds: readonly DataKind[] = [
  boxKind,
  imageKind,
  soundKind,
  translationKind,
  textsKind,
  seriesKind,
  ratingsKind,
  tableKind,
  writingKind,
];

/** The built-in recipes that learn from data of your own. */
export const ownDataRecipes: readonly string[] = kinds.map(({ recipe }) => recipe);

/** What `--task` may say. */
export const ownDataTasks: readonly string[] = [...new Set(kinds.flatMap(({ tasks }) => tasks))];

/** The recipe for data, and what they are taken for. */
export interface RecipeForData {
  readonly recipe: string;
  readonly because: string;
}

/**
 * The built-in recipe that learns from a file or folder, by what `--task` and `--target` say or by what the data look like. Throws FileError for
 * what cannot be read, DataError for what is of no kind.
 */
export async function recipeForData(path: string, task?: string, target?: string): Promise<RecipeForData> {
  const given: AskedData = { task, target };
  const named = task === undefined ? [] : kinds.filter(({ tasks }) => tasks.includes(task));
  const [only] = named;
  if (only && named.length === 1) return { recipe: only.recipe, because: `--task ${task}` };
  for (const { recipe, recognizeName } of named.length > 0 ? [] : kinds) {
    const because = recognizeName?.(path);
    if (because !== undefined) return { recipe, because };
  }
  const data = await glanceAt(path);
  const asked = named.find(({ recognize }) => recognize(data, given) !== undefined) ?? named.at(-1);
  if (asked) return { recipe: asked.recipe, because: `--task ${task}` };
  for (const { recipe, recognize } of kinds) {
    const because = recognize(data, given);
    if (because !== undefined) return { recipe, because };
  }
  throw new DataError(
    `${path} is of no kind that is learned from without a recipe: it is ${
      data.kind === "folder"
        ? `a folder of ${data.files.length === 0 ? "no files" : `files such as ${data.files.slice(0, 3).join(", ")}`}`
        : `a file that ends in ${data.kind === "file" && data.ending ? data.ending : "nothing known"}`
    }; pass a table (.csv, .tsv, .jsonl, .json, .parquet), or a folder with a folder of images or WAV files for each class`,
  );
}
