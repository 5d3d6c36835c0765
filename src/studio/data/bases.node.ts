/** Pretrained models that training from the page begins with: runs and files below the studio's folder, and what Hugging Face's tools have in their cache. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { quoted } from "../../core/printable.ts";
import { cachedModel, hubCache, hubReference } from "../../formats/files/hub-cache.node.ts";
import { partsOf, requireBelow } from "./data-places.node.ts";

/** Models in the cache of Hugging Face's tools, as owner/name. */
export function cachedModels(cacheDir: string = hubCache()): readonly string[] {
  if (!existsSync(cacheDir)) return [];
  return readdirSync(cacheDir)
    .flatMap((name) => (name.startsWith("models--") ? [name.slice("models--".length).replaceAll("--", "/")] : []))
    .filter((name) => name.split("/").length === 2)
    .sort();
}

/** Throws FileError and OptionError for a base that is neither below the folder nor in the cache. Nothing is downloaded. */
export function requireBase(root: string, base: string): void {
  if (base === "." || existsSync(join(root, ...partsOf(base)))) {
    if (base !== ".") requireBelow(root, base);
    return;
  }
  if (hubReference(base) === undefined)
    throw new OptionError(
      `there is no ${quoted(base)} below the studio's folder, and it is no owner/name of a model; choose a run, a folder, or a model in the cache`,
    );
  cachedModel(base);
}
