/**
 * Pairs of sentences, English and French.
 *
 * TypeScript's diagnostic messages (Microsoft, Apache License 2.0), 2,118 pairs. Sources, tried in this order: the folder
 * passed; the npm package typescript 5.9.3, installed as `typescript-messages`; the cache; the same files at cdn.jsdelivr.net
 * and unpkg.com:
 *
 * | File | Bytes | MD5 |
 * | --- | --- | --- |
 * | typescript.js | 9,112,572 | 40628eb7e6258f124018d8c2bfb2155a |
 * | fr/diagnosticMessages.generated.json | 346,016 | b241f35eebb6944affaff00fc17dee1d |
 */
import { join } from "node:path";
import { readBytes } from "../../storage/atomic.node.ts";
import type { RemoteFile } from "../../storage/download.node.ts";
import { pairMessages, parseTranslations, type Translations } from "../text/translations.ts";
import { type LoadOptions, locate, packageFolder } from "./locate.node.ts";

const files: readonly (readonly [name: string, bytes: number, md5: string])[] = [
  ["typescript.js", 9_112_572, "40628eb7e6258f124018d8c2bfb2155a"],
  ["fr/diagnosticMessages.generated.json", 346_016, "b241f35eebb6944affaff00fc17dee1d"],
];

const mirrors = ["https://cdn.jsdelivr.net/npm/typescript@5.9.3", "https://unpkg.com/typescript@5.9.3"];

const readText = async (path: string, what: string): Promise<string> =>
  new TextDecoder().decode(await readBytes(path, what));

/** The messages in English and French. Throws FileError when no source has them. */
export async function loadTypescriptMessages(options: LoadOptions = {}): Promise<Translations> {
  const installed = packageFolder("typescript-messages");
  const remote = files.map(
    ([name, bytes, md5]): RemoteFile => ({
      name: `typescript-messages/${name}`,
      urls: mirrors.map((mirror) => `${mirror}/lib/${name}`),
      bytes,
      md5,
    }),
  );
  const names = files.map(([name]) => name);
  const [compiler = "", localized = ""] = await locate(names, [installed && join(installed, "lib")], remote, options);
  const what = "TypeScript's messages";
  return pairMessages(await readText(compiler, what), await readText(localized, what), localized);
}

/**
 * Pairs of a file of your own, one `source<TAB>target` in a row. Throws FileError for a file that is missing or has no
 * pair.
 */
export const loadTranslations = async (path: string): Promise<Translations> =>
  parseTranslations(await readText(path, "pairs of sentences"), path);
