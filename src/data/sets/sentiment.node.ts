/**
 * Sentiment Labelled Sentences: 3,000 sentences of reviews of films (IMDB), restaurants (Yelp) and goods (Amazon), half of
 * them positive (Kotzias, Denil, de Freitas, Smyth 2015, From Group to Individual Labels using Deep Features).
 *
 * Sources, tried in this order: the folder passed; the npm package `sentiment` 5.0.2, test/fixtures; the cache; the same files
 * of the package at cdn.jsdelivr.net and unpkg.com. Each has 1,001 entries, the last without text and class:
 *
 * | File | Bytes | MD5 |
 * | --- | --- | --- |
 * | imdb.json | 104,395 | c6167fabe12ba17a1ebafed3a1a9f1a4 |
 * | yelp.json | 80,373 | 4138ec566b0b8b335a851323eb4e6cd9 |
 * | amazon.json | 77,271 | 2da981b461fd7420ab04260feec64c01 |
 */
import { join } from "node:path";
import { readBytes } from "../../storage/atomic.node.ts";
import type { RemoteFile } from "../../storage/download.node.ts";
import { type LabelledText, parseLabelledText } from "../text/labelled-text.ts";
import { type LoadOptions, locate, packageFolder } from "./locate.node.ts";

const files: readonly (readonly [name: string, bytes: number, md5: string])[] = [
  ["imdb.json", 104_395, "c6167fabe12ba17a1ebafed3a1a9f1a4"],
  ["yelp.json", 80_373, "4138ec566b0b8b335a851323eb4e6cd9"],
  ["amazon.json", 77_271, "2da981b461fd7420ab04260feec64c01"],
];

/** What a sentence of each file speaks of, in the order of the files. */
export const sentimentSubjects = ["film", "restaurant", "product"] as const;

/** A text with its sentiment and with what it speaks of. */
export interface SubjectText extends LabelledText {
  /** Place of what it speaks of in `sentimentSubjects`. */
  readonly subject: number;
}

const mirrors = ["https://cdn.jsdelivr.net/npm/sentiment@5.0.2", "https://unpkg.com/sentiment@5.0.2"];

/** The sentences, films first, and how many entries were left out. Throws FileError when no source has them. */
export async function loadSentiment(
  options: LoadOptions = {},
): Promise<{ readonly texts: readonly SubjectText[]; readonly skipped: number }> {
  const installed = packageFolder("sentiment");
  const remote = files.map(
    ([name, bytes, md5]): RemoteFile => ({
      name: `sentiment/${name}`,
      urls: mirrors.map((mirror) => `${mirror}/test/fixtures/${name}`),
      bytes,
      md5,
    }),
  );
  const names = files.map(([name]) => name);
  const paths = await locate(names, [installed && join(installed, "test", "fixtures")], remote, options);
  const parts = await Promise.all(
    paths.map(async (path) =>
      parseLabelledText(new TextDecoder().decode(await readBytes(path, "labelled sentences")), path),
    ),
  );
  return {
    texts: parts.flatMap(({ texts }, subject) => texts.map((text) => ({ ...text, subject }))),
    skipped: parts.reduce((sum, { skipped }) => sum + skipped, 0),
  };
}
