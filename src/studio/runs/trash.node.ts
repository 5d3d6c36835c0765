/** Runs that are thrown away: moved into `.trash` of the studio's folder, from where they can be taken back. */
import { existsSync } from "node:fs";
import { readdir, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { describeOwner, ownerOf } from "../../runs/folder/claim.node.ts";
import { makeFolder, onDisk } from "../../storage/disk.node.ts";

/** The folder's name. */
export const trashFolder = ".trash";

/**
 * Moves the folder of a run into the trash, and gives where it lies. Throws OptionError for one that is being trained, and for the studio's folder itself; FileError for what the
 * disk refuses.
 */
export async function throwAway(root: string, id: string): Promise<string> {
  const folder = join(root, id);
  const owner = ownerOf(folder);
  if (owner) throw new OptionError(`${id} is being trained by ${describeOwner(owner)}; stop it first`);
  if (id === ".")
    throw new OptionError("this run is the folder of the studio itself; remove it yourself, if you want to");
  const trash = join(root, trashFolder);
  return onDisk(trash, async () => {
    makeFolder(trash);
    const name = basename(folder);
    for (let number = 1; ; number++) {
      const place = join(trash, number === 1 ? name : `${name}-${number}`);
      // A folder that is there is never replaced: a rename takes the place of an empty one alone.
      if (existsSync(place) && (await readdir(place)).length > 0) continue;
      await rename(folder, place);
      return place;
    }
  });
}
