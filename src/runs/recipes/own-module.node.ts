/** Your own modules, in TypeScript or JavaScript: loaded so that "sardonyx" in them means this very package. */
import { existsSync } from "node:fs";
import { register } from "node:module";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { FileError, SardonyxError } from "../../core/errors.ts";
import { modulePath } from "./package.node.ts";

export const moduleExtensions = [".ts", ".mts", ".js", ".mjs"];

let ownPackageInUse = false;
let typescriptInUse = false;

/**
 * Makes "sardonyx" in a module mean this very package, wherever the file lies: two copies of the classes would not
 * recognize each other. TypeScript is compiled by tsx.
 */
export async function useOwnPackage(typescript: boolean): Promise<void> {
  if (typescript && !typescriptInUse) (await import("tsx/esm/api")).register();
  typescriptInUse ||= typescript;
  if (ownPackageInUse) return;
  ownPackageInUse = true;
  const data = Object.fromEntries(
    [
      ["sardonyx", "src/index"],
      ["sardonyx/node", "src/node"],
      ["sardonyx/analyze", "src/analyze/index"],
    ].map(([name = "", path = ""]) => [name, pathToFileURL(modulePath(path)).href]),
  );
  register(pathToFileURL(modulePath("src/runs/recipes/resolve-hook")), { data });
}

/** The default export of a module file. Throws FileError when it cannot be loaded. */
export async function importDefault(path: string, shown: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
    // A module compiled to CommonJS carries its default export one level down.
    return unwrap(module.default);
  } catch (cause) {
    if (cause instanceof SardonyxError) throw cause;
    const reason =
      cause instanceof Error ? `${cause.name}: ${cause.message.split("\n").slice(0, 2).join(" ")}` : String(cause);
    throw new FileError(`${shown} cannot be loaded (${reason}); correct it`, { cause });
  }
}

/** The default export of your own module. */
export async function loadModule(name: string): Promise<unknown> {
  const path = resolve(name);
  if (!existsSync(path)) throw new FileError(`there is no module ${path}; check the path`);
  await useOwnPackage(extname(path).endsWith("ts"));
  return importDefault(path, name);
}

const unwrap = (found: unknown): unknown =>
  typeof found === "object" && found !== null && "default" in found && !("load" in found) ? found.default : found;

/** What a default export is, for messages. */
export function describeExport(found: unknown): string {
  if (found === undefined) return "no default export";
  if (typeof found !== "object" || found === null) return `a ${typeof found}`;
  const keys = Object.keys(found);
  return `an object with ${keys.length > 0 ? keys.slice(0, 6).join(", ") : "no properties"}`;
}
