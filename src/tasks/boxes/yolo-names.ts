/** The names of classes that YOLO's files have: `names` of a data.yaml, or a line each of a classes.txt. */
import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/printable.ts";

/** Names by the numbers of classes. */
export type ClassNames = ReadonlyMap<number, string>;

/** A line each. */
export const namesOfLines = (text: string): ClassNames =>
  new Map(
    text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .entries(),
  );

/** A line without its comment, which a `#` behind a space or at the beginning starts, outside quotes. */
function withoutComment(line: string): string {
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const own = line[at] as string;
    if (quote !== "") quote = own === quote ? "" : quote;
    else if ((own === '"' || own === "'") && /(?:^|[\s[{,:-])$/.test(line.slice(0, at))) quote = own;
    else if (own === "#" && /(?:^|\s)$/.test(line.slice(0, at))) return line.slice(0, at).trimEnd();
  }
  return line.trimEnd();
}

/** A name without its quotes. */
function scalarOf(text: string): string {
  const own = text.trim();
  const [, double] = /^"(.*)"$/.exec(own) ?? [];
  if (double !== undefined) return double.replace(/\\(["\\])/g, "$1");
  const [, single] = /^'(.*)'$/.exec(own) ?? [];
  return single === undefined ? own : single.replaceAll("''", "'");
}

/** The items between the brackets of a list or map on one line, cut at commas outside quotes. */
const itemsOf = (inside: string): readonly string[] =>
  (inside.match(/(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,"'])+/g) ?? []).map((item) => item.trim()).filter(Boolean);

/** `0: person` as a number and a name. */
function pairOf(text: string): readonly [number, string] | undefined {
  const [, number, name] = /^(?:"|')?(\d+)(?:"|')?\s*:\s*(.+)$/.exec(text.trim()) ?? [];
  return number === undefined || name === undefined ? undefined : [Number(number), scalarOf(name)];
}

/**
 * `names` of a data.yaml: a list or a map from numbers, on one line, over several in brackets, or with an item a line. Nothing where there is
 * none. Throws DataError with the line for what is neither.
 * @param path for errors
 */
export function namesOfYaml(text: string, path: string): ClassNames | undefined {
  const lines = text.split(/\r?\n/).map(withoutComment);
  const first = lines.findIndex((line) => /^names\s*:/.test(line));
  if (first < 0) return undefined;
  const refuse = (line: number, what: string) =>
    new DataError(
      `${path}: line ${line + 1}: ${quoted(what.trim())} is no class of "names"; write names: [cat, dog], or "- cat" or "0: cat" on a line each`,
    );
  const rest = (lines[first] as string).replace(/^names\s*:/, "").trim();
  if (rest.startsWith("[") || rest.startsWith("{")) {
    const close = rest.startsWith("[") ? "]" : "}";
    let [whole, last] = [rest, first];
    while (!whole.endsWith(close) && last + 1 < lines.length) whole += ` ${(lines[++last] as string).trim()}`;
    if (!whole.endsWith(close))
      throw new DataError(`${path}: line ${first + 1}: "names" has no closing ${close}; add it, or restore the file`);
    const items = itemsOf(whole.slice(1, -1));
    if (close === "]") return new Map(items.map(scalarOf).entries());
    return new Map(
      items.map((item) => {
        const pair = pairOf(item);
        if (!pair) throw refuse(first, item);
        return pair;
      }),
    );
  }
  if (rest !== "") throw refuse(first, rest);
  const names = new Map<number, string>();
  for (let at = first + 1; at < lines.length; at++) {
    const line = lines[at] as string;
    if (line.trim() === "") continue;
    const [, item] = /^\s*-\s+(.+)$/.exec(line) ?? [];
    if (item !== undefined) names.set(names.size, scalarOf(item));
    else if (/^\s/.test(line)) {
      const pair = pairOf(line);
      if (!pair) throw refuse(at, line);
      names.set(...pair);
    } else break; // the next key
  }
  return names;
}
