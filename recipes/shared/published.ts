/** Pretrained models in packages that you install beside Sardonyx. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { FileError } from "../../src/index.ts";

/** The folder of a package: the one given, or the one in node_modules of the folder you work in, or of Sardonyx. */
export function packageFolder(name: string, given: string): string {
  if (given !== "") {
    if (existsSync(join(given, "package.json"))) return resolve(given);
    throw new FileError(`${given} is no folder of the package ${name}: it has no package.json; correct --package`);
  }
  for (const from of [join(process.cwd(), "recipe.js"), import.meta.url])
    for (const modules of createRequire(from).resolve.paths(name) ?? [])
      if (existsSync(join(modules, name, "package.json"))) return join(modules, name);
  throw new FileError(
    `the package ${name}, which holds the pretrained model, is not installed; run "npm install ${name}", or name its folder: --package FOLDER`,
  );
}

/** What a module of a package exports, by the name that a program imports it by. */
export const moduleIn = (folder: string, name: string): unknown => createRequire(join(folder, "package.json"))(name);
