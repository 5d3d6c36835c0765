/** What one kind of data is recognized by, and which recipe learns from it. */
import type { DataGlance } from "./data-glance.node.ts";

/** What is asked for, beside the data. */
export interface AskedData {
  /** What `--task` says. */
  readonly task?: string | undefined;
  /** The column, or the columns with commas, that `--target` names. */
  readonly target?: string | undefined;
}

/** A kind of data that a recipe learns from. */
export interface DataKind {
  /** The built-in recipe. */
  readonly recipe: string;
  /** What `--task` may say to mean this kind whatever the data look like; of several kinds that have it the one that the data look like. */
  readonly tasks: readonly string[];
  /** Why a file is of this kind by its name alone, without a look into it; default none is. */
  recognizeName?(path: string): string | undefined;
  /** Why data are of this kind, such as "a folder of images by class"; `undefined` where they are not. */
  recognize(data: DataGlance, asked: AskedData): string | undefined;
}

/** Files that describe those beside them: metadata.csv and the like. */
const isDescription = (name: string): boolean => /(?:^|\/)metadata\.(?:jsonl|csv|parquet)$/i.test(name);

/** Whether some of a folder's files are most of those that do not describe others. */
export const areMostOf = (some: readonly string[], files: readonly string[]): boolean =>
  some.length > 0 && 2 * some.length >= files.filter((name) => !isDescription(name)).length;
