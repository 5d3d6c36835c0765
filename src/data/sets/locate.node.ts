/** Where a data set lies: a folder that is named, an installed package, a folder of the system, the cache, its public source. */

import { stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { FileError } from "../../core/errors.ts";
import { string } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import { type DownloadOptions, downloadTypes, obtain, type RemoteFile } from "../../storage/download.node.ts";

/** Where to look for a data set, and what to report of a download. */
export interface LoadOptions extends DownloadOptions {
  /** The only folder to look in; otherwise packages, system folders and the cache are tried before a download. */
  readonly dir?: string;
}

export const loadTypes: OptionTypes<LoadOptions> = { dir: string, ...downloadTypes };
export const checkLoad = optionsOf("the data set", loadTypes);

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() ?? false;

/** The folder of an npm package, or undefined when it is not installed. */
export function packageFolder(name: string): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** The path of `name` in a folder, unpacked or as `name.gz`. */
export async function findFile(folder: string, name: string): Promise<string | undefined> {
  for (const path of [join(folder, name), join(folder, `${name}.gz`)]) if (await isFile(path)) return path;
  return undefined;
}

/**
 * Paths of the files `names`, in their order, from `options.dir` if given, else from the first of `folders` that has them
 * all, else from the cache or `remote`, which lists them in the same order. Throws FileError when they are nowhere.
 */
export async function locate(
  names: readonly string[],
  folders: readonly (string | undefined)[],
  remote: readonly RemoteFile[],
  options: LoadOptions,
): Promise<string[]> {
  const { dir, ...download } = checkLoad(options);
  for (const folder of dir === undefined ? folders : [dir]) {
    if (folder === undefined) continue;
    const found = await Promise.all(names.map((name) => findFile(folder, name)));
    const paths = found.filter((path) => path !== undefined);
    if (paths.length === names.length) return paths;
    if (dir !== undefined) {
      const missing = names.filter((_, i) => found[i] === undefined);
      throw new FileError(`${dir} has no ${missing.join(", no ")} (nor with .gz); pass the folder that holds them`);
    }
  }
  const paths: string[] = [];
  for (const file of remote) paths.push(await obtain(file, download)); // one after another: one progress bar at a time
  return paths;
}
