/** What a table, or a folder of images, texts or sounds, is known by before anything is trained. */
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

/** Checks options of `profileData`. */
export const checkProfileOptions = optionsOf<ProfileOptions>("profileData", {
  target: string,
  table: matching("options of openTable", (value) => typeof value === "object" && value !== null),
  samples: count(0),
});

/** Profiles a table or the files of a folder, see `profileData`; annotations beside images are files of another kind here. */
export async function profilePath(path: string, options: ProfileOptions = {}): Promise<DataProfile> {
  const { target, table = {}, samples = 0 } = checkProfileOptions(options);
  const status = await stat(path).catch(() => undefined);
  if (!status) throw new FileError(`profile: there is no file or folder ${path}; check the path`);
  if (status.isDirectory() && target !== undefined)
    throw new OptionError(
      `profile: ${path} is a folder, whose files have their folders for classes; leave the target out`,
    );
  return status.isDirectory() ? profileFolder({ path, samples }) : profileTable(path, target, table);
}
