/** Texts as inputs of a prediction: on the command line, in files of text, in tables. */

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { DataError, FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { quoted } from "../../core/printable.ts";
import { readTable, tableEndings } from "../../data/tables/table-file.node.ts";
import { readTextFile, textEndings } from "../../data/text/text-file.node.ts";
import { endingOf } from "../../storage/ending.ts";

/** An argument as texts. */
export interface GivenTexts {
  /** How to name it in the answer. */
  readonly name: string;
  readonly texts: readonly string[];
}

/** The beginning of a long text, to name it by. */
const shownText = (text: string): string => (text.length > 60 ? `${text.slice(0, 57).trimEnd()}…` : text);

/**
 * The texts of an argument: a file of text is one, a table has one in each row, a list of texts in JSON is several; anything else is a text
 * itself. Throws FileError for a file that cannot be read, DataError for a text that is empty and for a table without the column.
 * @param column of tables, the column that texts stand in
 */
export async function textsOfArgument(argument: string, column: string): Promise<GivenTexts> {
  const ending = endingOf(argument);
  const isTable = tableEndings.includes(ending) && !textEndings.includes(ending);
  const isFile = (isTable || textEndings.includes(ending)) && !/\s$/.test(argument) && !argument.includes("\n");
  if (isFile && existsSync(argument)) {
    const texts = isTable ? await textsOfTable(argument, column) : [await readTextFile(argument)];
    return { name: basename(argument), texts: required(texts, argument) };
  }
  if (isFile && !/\s/.test(argument)) throw new FileError(`there is no file ${argument}; check the path`);
  return { name: shownText(argument), texts: required(listOf(argument) ?? [argument], "the input") };
}

async function textsOfTable(path: string, column: string): Promise<string[]> {
  const { file, rows } = await readTable(path);
  const at = file.names.indexOf(column);
  if (at < 0)
    throw new DataError(
      `${path}: has no column ${quoted(column)}, which the model reads; it has ${file.names.slice(0, 10).map(quoted).join(", ")}; name it so`,
    );
  return rows.map((cells) => cells[at] ?? "");
}

/** The texts of a list in JSON; nothing of what is none. */
function listOf(argument: string): string[] | undefined {
  if (!argument.startsWith("[")) return undefined;
  try {
    const found = parseJson(argument);
    return Array.isArray(found) && found.length > 0 && found.every((text) => typeof text === "string")
      ? found
      : undefined;
  } catch {
    return undefined;
  }
}

function required(texts: readonly string[], where: string): readonly string[] {
  const empty = texts.findIndex((text) => text.trim() === "");
  if (empty < 0) return texts;
  throw new DataError(
    `${where}: ${texts.length === 1 ? "the text" : `text ${empty + 1}`} is empty; pass one such as 'It was a pleasure', or leave it out`,
  );
}
