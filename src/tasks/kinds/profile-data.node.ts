/** What is known of data of any kind before anything is trained. */
import { existsSync, statSync } from "node:fs";
import { OptionError } from "../../core/errors.ts";
import { checkProfileOptions, type ProfileOptions, profilePath } from "../../data/profile/profile.node.ts";
import type { DataProfile } from "../../data/profile/profile.ts";
import { boxKind } from "../boxes/box-kind.node.ts";
import { profileBoxes } from "../boxes/profile-boxes.node.ts";
import { glanceAt } from "./data-glance.node.ts";

/** Whether a path is of images with boxes, as `sardonyx train --data` takes it. */
async function hasBoxes(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  if (!statSync(path).isDirectory()) return boxKind.recognizeName?.(path) !== undefined;
  return boxKind.recognize(await glanceAt(path), { task: undefined, target: undefined }) !== undefined;
}

/**
 * Profiles data: of a table (CSV and its like, JSON, Parquet) types and figures of the columns, duplicated rows, associations, what leaks the
 * target; of a folder of images, texts or WAV files their forms, figures and classes, broken files; of images with boxes (in the forms of COCO,
 * YOLO or a metadata.jsonl; a folder or the file of annotations) also the boxes by class and by image, their sizes, those that are wrong; of all
 * near-duplicates and how to split. A table is read once as a stream, in memory that does not grow with it. Throws FileError or DataError for
 * what cannot be read, naming file and line, and OptionError for a target that is no column.
 * @example (await profileData("penguins.csv", { target: "species" })).findings
 */
export async function profileData(path: string, options: ProfileOptions = {}): Promise<DataProfile> {
  const { target, samples = 0 } = checkProfileOptions(options);
  if (!(await hasBoxes(path))) return profilePath(path, options);
  if (target !== undefined)
    throw new OptionError(
      `profile: ${path} has boxes, whose classes are those of the annotations; leave the target out`,
    );
  return profileBoxes(path, samples);
}
