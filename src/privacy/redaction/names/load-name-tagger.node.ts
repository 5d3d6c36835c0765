/** The tagger of names that comes with the package. */
import { fileURLToPath } from "node:url";
import type { CompileOptions } from "../../../jit/compile.ts";
import { readBytes } from "../../../storage/atomic.node.ts";
import { type NameTagger, nameTagger } from "./name-tagger.ts";

/** From the sources, or from what is compiled of them, which lies a folder deeper. */
const weights = `${import.meta.url.endsWith(".ts") ? "../../../.." : "../../../../.."}/weights/names.safetensors`;

/**
 * The tagger of names of persons that comes with the package, for English and Chinese texts: a network of 0.12 million parameters that was trained on made-up sentences
 * (`scripts/name-tagger/`). Throws FileError where its file is missing.
 * @example const { text } = await redactText("Ask Maria Lopez.", { names: await loadNameTagger() });
 */
export async function loadNameTagger(compile?: CompileOptions): Promise<NameTagger> {
  return nameTagger(await readBytes(fileURLToPath(new URL(weights, import.meta.url)), "name tagger"), compile);
}
