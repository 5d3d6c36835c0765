/** Where this package lies, and whether it runs from its sources or compiled. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(import.meta.url);

/** `.ts` when the sources themselves run, `.js` when compiled. */
export const extension = extname(here);

/** The folder that holds `src/` and `recipes/` of the code that runs: the package itself, or its `dist`. */
export const codeRoot = resolve(dirname(here), "../../..");

/** The folder of package.json. */
export const packageRoot = extension === ".ts" ? codeRoot : dirname(codeRoot);

/** A module of this package: `modulePath("src/index")`. */
export const modulePath = (name: string): string => join(codeRoot, `${name}${extension}`);

/** The version of this package. */
export const version = (): string =>
  (JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { version: string }).version;

/** What a run is computed by, for its record. */
export function versions(): Record<string, string> {
  const engine = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
  return { sardonyx: version(), node: process.versions.node, "onnxruntime-node": engine.version };
}
