/** What is known of data before anything is trained: a table, or a folder of images, texts or sounds. */
import { stat } from "node:fs/promises";
import { FileError, OptionError } from "../../core/errors.ts";
import { count, matching, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { TableOptions } from "../tables/table-file.node.ts";
import { profileFolder } from "./folder-profile.node.ts";
import type { DataProfile } from "./profile.ts";
import { profileTable } from "./table-profile.node.ts";

/** Options of `profileData`. */
export interface ProfileOptions {
  /** The column that is to be predicted; without it nothing is said of classes, leaks and predictions of a table. */
  readonly target?: string;
  /** How a table is to be read; default as `openTable` finds out. */
  readonly table?: TableOptions;
  /** Images of a folder that the profile holds, as small JPEG files; default 0. */
  readonly samples?: number;
}

const checkOptions = optionsOf<ProfileOptions>("profileData", {
  target: string,
  table: matching("options of openTable", (value) => typeof value === "object" && value !== null),
  samples: count(0),
});

/**
 * Profiles data: of a table (CSV and its like, JSON, Parquet) types and figures of the columns, duplicated rows, associations, what leaks the
 * target; of a folder of images, texts or WAV files their forms, figures and classes, broken files; of both near-duplicates and how to split.
 * A table is read once as a stream, in memory that does not grow with it. Throws FileError or DataError for what cannot be read, naming
 * file and line, and OptionError for a target that is no column.
 * @example (await profileData("penguins.csv", { target: "species" })).findings
 */
export async function profileData(path: string, options: ProfileOptions = {}): Promise<DataProfile> {
  const { target, table = {}, samples = 0 } = checkOptions(options);
  const status = await stat(path).catch(() => undefined);
  if (!status) throw new FileError(`profile: there is no file or folder ${path}; check the path`);
  if (status.isDirectory() && target !== undefined)
    throw new OptionError(
      `profile: ${path} is a folder, whose files have their folders for classes; leave the target out`,
    );
  return status.isDirectory() ? profileFolder(path, samples) : profileTable(path, target, table);
}
