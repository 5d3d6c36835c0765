/** Data below the studio's folder: names that lead nowhere else, what lies there to choose from, and that no link leads out of it. */
import { existsSync, lstatSync, readdirSync, realpathSync } from "node:fs";
import { extname, join } from "node:path";
import { FileError, OptionError } from "../../core/errors.ts";
import { quoted } from "../../core/printable.ts";

/** The folder in which uploaded data lie. */
export const dataFolder = "data";

/** Files by themselves that are offered as data. */
const fileEndings = [".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".txt", ".md", ".conll"];

/** How deep data lie below the folder, how many are offered, and the most files of a folder that is looked through for links. */
const [deepest, mostOffered, mostFiles] = [8, 200, 100_000];

/** What a name of a file may not hold: what stands for other places, here or on Windows, and what no terminal shows. */
const isPlainName = (name: string): boolean =>
  name !== "" &&
  Buffer.byteLength(name) <= 200 &&
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
  !/[\u0000-\u001f\u007f-\u009f\\/:*?"<>|]|^[.~-]|[. ]$/u.test(name) &&
  !/^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(name);

/** The parts of a path with slashes. Throws OptionError for one that is not below, in plain names. */
export function partsOf(path: string): readonly string[] {
  const parts = path.split("/");
  if (parts.length > deepest || !parts.every(isPlainName))
    throw new OptionError(
      `${quoted(path)} is no path below the studio's folder; take at most ${deepest} names with "/" between them that begin with neither ".", "-" nor "~" and have none of \\ : * ? " < > |`,
    );
  return parts;
}

/** The name of a data set, a folder by itself. Throws OptionError for what is none. */
export function requireSetName(name: string): string {
  if (partsOf(name).length === 1) return name;
  throw new OptionError(`${quoted(name)} is no name of a data set; take one without "/"`);
}

/**
 * Throws OptionError for a path that is not below `root`, FileError for one that is not there, and for links, there or in it: what they show is
 * elsewhere.
 */
export function requireBelow(root: string, path: string): void {
  const place = join(root, ...partsOf(path));
  if (!existsSync(place))
    throw new FileError(`there is no ${quoted(path)} below the studio's folder; look at the list again, or upload it`);
  if (realpathSync(place) !== join(realpathSync(root), ...partsOf(path))) throw linkError(path);
  if (lstatSync(place).isDirectory()) requireNoLinks(place, path);
}

const linkError = (path: string): FileError =>
  new FileError(`${quoted(path)} is a link, which may lead elsewhere; copy what it shows into the studio's folder`);

function requireNoLinks(folder: string, path: string): void {
  let files = 0;
  const enter = (place: string, shown: string): void => {
    for (const entry of readdirSync(place, { withFileTypes: true })) {
      const own = `${shown}/${entry.name}`;
      if (++files > mostFiles)
        throw new FileError(`${quoted(path)} has more than ${mostFiles} files; train on it on the command line`);
      if (entry.isDirectory()) enter(join(place, entry.name), own);
      else if (!entry.isFile()) throw linkError(own);
    }
  };
  enter(folder, path);
}

const namesIn = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter(({ name }) => isPlainName(name))
        .sort((a, b) => a.name.localeCompare(b.name))
    : [];

/** Data to choose from: the data sets, and files of data in them and beside them. */
export function offeredData(root: string): readonly string[] {
  const isData = (name: string) => fileEndings.includes(extname(name).toLowerCase());
  const files = (below: string) =>
    namesIn(join(root, below)).flatMap((entry) => (entry.isFile() && isData(entry.name) ? [entry.name] : []));
  const sets = namesIn(join(root, dataFolder)).filter((entry) => entry.isDirectory());
  const offered = [
    ...sets.flatMap(({ name }) => [
      `${dataFolder}/${name}`,
      ...files(`${dataFolder}/${name}`).map((file) => `${dataFolder}/${name}/${file}`),
    ]),
    ...files(dataFolder).map((file) => `${dataFolder}/${file}`),
    ...files(".").filter((file) => file !== "log.jsonl"),
  ];
  return offered.slice(0, mostOffered);
}
