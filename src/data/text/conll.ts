/** Files of the CoNLL shared tasks: a word and its tag on each line, an empty line behind each sentence. */
import { DataError } from "../../core/errors.ts";
import type { FileRecord } from "../tables/json-records.ts";

/** What parts a file into documents, and is no sentence. */
const isDocumentStart = (line: string): boolean => line.startsWith("-DOCSTART-");

/**
 * The sentences of a CoNLL file (Tjong Kim Sang and De Meulder 2003) as records with `tokens` and `tags`: columns are parted by tabs or
 * spaces, the first is the word and the last its tag, what lies between is left out. Throws DataError naming the line of a word without a
 * tag, or with another number of columns than the first.
 * @param what the file, for errors
 * @example parseConll("Ada B-PER\nspoke O\n", "names.conll")[0].fields // { tokens: ["Ada", "spoke"], tags: ["B-PER", "O"] }
 */
export function parseConll(content: string, what: string): FileRecord[] {
  const records: FileRecord[] = [];
  let [tokens, tags]: [string[], string[]] = [[], []];
  let columns: number | undefined;
  let first = 0;
  const close = () => {
    if (tokens.length > 0) records.push({ fields: { tokens, tags }, where: `${what}: line ${first}` });
    [tokens, tags] = [[], []];
  };
  for (const [i, raw] of content
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim();
    if (line === "" || isDocumentStart(line)) {
      close();
      continue;
    }
    const cells = line.includes("\t") ? line.split(/\t+/) : line.split(/\s+/);
    columns ??= cells.length;
    if (cells.length < 2 || cells.length !== columns)
      throw new DataError(
        `${what}: line ${i + 1} has ${cells.length === 1 ? `the word "${line}" without a tag` : `${cells.length} columns`}, expected ${Math.max(2, columns)} columns, the word first and its tag last; correct the line`,
      );
    if (tokens.length === 0) first = i + 1;
    tokens.push(cells[0] as string);
    tags.push(cells.at(-1) as string);
  }
  close();
  if (records.length === 0)
    throw new DataError(`${what}: has no sentences, expected a word and its tag on each line, such as: Paris B-LOC`);
  return records;
}
