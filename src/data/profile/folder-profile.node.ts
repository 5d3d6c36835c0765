/** The profile of a folder of images, texts or sounds, with one subfolder for each class or without. */
import { createHash } from "node:crypto";
import { cpus } from "node:os";
import { DataError, SardonyxError } from "../../core/errors.ts";
import { count, plural } from "../../core/number-text.ts";
import type { Extents } from "../images/padding.ts";
import { type ReadFile, readFolderFile } from "./file-readers.node.ts";
import { type FolderFile, type FolderFiles, type FolderKind, folderFiles } from "./folder-files.node.ts";
import { type HashedImage, nearDuplicateImages } from "./image-likeness.ts";
import { numberFigures } from "./number-figures.ts";
import type {
  BoxesProfile,
  BrokenFile,
  DataProfile,
  FilesProfile,
  Finding,
  NearDuplicate,
  SampleImage,
  SplitAdvice,
  TargetProfile,
  ValueCount,
} from "./profile.ts";
import { byClass } from "./split.ts";
import { inOrder, likenessFindings } from "./table-findings.ts";
import { balanceFindings } from "./target.ts";
import { type NamedText, nearDuplicateTexts } from "./text-likeness.ts";

/** Pairs that are kept, and texts that are compared. */
const [mostPairs, mostTexts] = [100, 5000];

/** What the labels of files say, beside what the files are. */
export interface LabelsProfile {
  readonly notes: readonly string[];
  readonly findings: readonly Finding[];
  readonly target?: TargetProfile;
  readonly boxes?: BoxesProfile;
  /** More figures, by name; those without values are left out. */
  readonly figures?: Readonly<Record<string, readonly number[]>>;
  /** Boxes of an image that is shown, by the name of its file. */
  readonly boxesOf?: (name: string) => SampleImage["boxes"];
  readonly split: SplitAdvice;
}

/** A folder that is to be profiled. */
export interface FolderRequest {
  readonly path: string;
  /** Images that are shown at most. */
  readonly samples: number;
  /** Its files; default those of the kind that most are. */
  readonly found?: FolderFiles;
  /** What their labels say, given the width and height of each image that can be read; default that of the folders that they lie in. */
  readonly labels?: (extents: ReadonlyMap<string, Extents>) => LabelsProfile;
}

/** Values by falling count. */
export function countsOf(values: Iterable<string>): ValueCount[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Array.from(counts, ([value, own]) => ({ value, count: own })).sort(
    (a, b) => b.count - a.count || (a.value < b.value ? -1 : 1),
  );
}

/** What is gathered of all files. */
class Gathered {
  readonly broken: BrokenFile[] = [];
  readonly duplicated: [string, string][] = [];
  readonly figures = new Map<string, number[]>();
  readonly forms: string[] = [];
  readonly oddities: { readonly what: string; readonly name: string }[] = [];
  readonly hashes: HashedImage[] = [];
  readonly texts: NamedText[] = [];
  readonly samples: SampleImage[] = [];
  readonly extents = new Map<string, Extents>();
  readonly #sums = new Map<string, FolderFile>();
  readonly conflicts: [string, string][] = [];

  add(file: FolderFile, read: ReadFile & { bytes: Uint8Array }): void {
    const sum = createHash("sha256").update(read.bytes).digest("base64");
    const first = this.#sums.get(sum);
    if (first) {
      this.duplicated.push([first.name, file.name]);
      if (first.label !== file.label) this.conflicts.push([first.name, file.name]);
    } else this.#sums.set(sum, file);
    for (const [name, value] of Object.entries(read.figures)) {
      const values = this.figures.get(name) ?? [];
      this.figures.set(name, values);
      values.push(value);
    }
    const { width, height } = read.figures;
    if (width !== undefined && height !== undefined) this.extents.set(file.name, { width, height });
    this.forms.push(read.form);
    for (const what of read.oddities) this.oddities.push({ what, name: file.name });
    // Of files that agree whole only one is compared.
    if (read.hash && !first) this.hashes.push({ name: file.name, label: file.label, hash: read.hash });
    if (read.text !== undefined && !first && this.texts.length < mostTexts)
      this.texts.push({ name: file.name, text: read.text, label: file.label });
    if (read.thumbnail !== undefined) this.samples.push({ path: file.name, label: file.label, image: read.thumbnail });
  }
}

/** As many items as `most`, of each class in turn. */
function inTurn<T extends { readonly label: string }>(items: readonly T[], most: number): T[] {
  const byLabel = new Map<string, T[]>();
  for (const item of items) {
    const own = byLabel.get(item.label) ?? [];
    byLabel.set(item.label, own);
    if (own.length < most) own.push(item);
  }
  const lists = [...byLabel.values()];
  const turns = Array.from({ length: most }, (_, i) => lists.flatMap((list) => list[i] ?? []));
  return turns.flat().slice(0, most);
}

async function gather(kind: FolderKind, files: readonly FolderFile[], samples: number): Promise<Gathered> {
  const gathered = new Gathered();
  // Twice as many as are kept, since some may be broken.
  const shown = new Set(kind === "images" ? inTurn(files, 2 * samples) : []);
  const results = new Map<FolderFile, (ReadFile & { bytes: Uint8Array }) | BrokenFile>();
  let next = 0;
  let added = 0;
  // Files are taken in in their order, whichever is read first.
  const takeIn = () => {
    for (let file = files[added]; file && results.has(file); file = files[++added]) {
      const result = results.get(file);
      results.delete(file);
      if (result && "reason" in result) gathered.broken.push(result);
      else if (result) gathered.add(file, result);
    }
  };
  const work = async () => {
    for (let file = files[next++]; file; file = files[next++]) {
      const own = file;
      const result = await readFolderFile(kind, own, shown.has(own)).catch((error: unknown) => {
        if (!(error instanceof SardonyxError)) throw error;
        if (error.code === "OPTION") throw error;
        return { path: own.name, reason: error.message.replace(`${own.path}: `, "") };
      });
      results.set(own, result);
      takeIn();
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, cpus().length + 1) }, work));
  return gathered;
}

/** The part of the data that a file lies in, where a folder is named for one; "" elsewhere. */
const partOf = (name: string): string =>
  /(?:^|\/)(train|test|val|dev|eval)(?:ing|id|idation)?\//i.exec(name)?.[1]?.toLowerCase() ?? "";

/** Files that stand, or almost, in two parts of the data, such as train/ and test/. */
function crossingFindings(pairs: readonly (readonly [string, string])[]): Finding[] {
  const crossing = pairs.filter(([a, b]) => partOf(a) !== partOf(b));
  const [first] = crossing;
  if (!first) return [];
  const text = `${plural(crossing.length, "file")} of one part of the data ${crossing.length === 1 ? "is" : "are"} in another too, or almost, such as ${first.join(" and ")}; remove one of both, or the test says too much`;
  return [{ weight: "problem", text }];
}

function fileFindings(gathered: Gathered, kind: FolderKind, total: number, others: readonly ValueCount[]): Finding[] {
  const { broken, duplicated, conflicts, oddities, forms } = gathered;
  const findings: Finding[] = [];
  const [first] = broken;
  if (first)
    findings.push({
      weight: "problem",
      text: `${plural(broken.length, "file")} of ${count(total)} cannot be read, such as ${first.path}: ${first.reason}`,
    });
  if (conflicts[0])
    findings.push({
      weight: "problem",
      text: `${plural(conflicts.length, "file")} ${conflicts.length === 1 ? "has" : "have"} the same bytes as one with other classes, such as ${conflicts[0].join(" and ")}; remove one of both`,
    });
  if (duplicated[0])
    findings.push({
      weight: "hint",
      text: `${plural(duplicated.length, "file")} ${duplicated.length === 1 ? "has" : "have"} the same bytes as another, such as ${duplicated[0].join(" and ")}; remove one of both`,
    });
  for (const { value, count: own } of countsOf(oddities.map(({ what }) => what)))
    findings.push({
      weight: "hint",
      text: `${plural(own, "file")} ${own === 1 ? "is" : "are"} ${value}, such as ${oddities.find(({ what }) => what === value)?.name}`,
    });
  const kinds = countsOf(forms);
  if (kinds.length > 1 && kind !== "texts")
    findings.push({
      weight: "hint",
      text: `files of ${plural(kinds.length, "form")}, most ${kinds[0]?.value}, some ${kinds.at(-1)?.value}; readers make them alike`,
    });
  if (others[0])
    findings.push({
      weight: "hint",
      text: `${plural(
        others.reduce((sum, { count: own }) => sum + own, 0),
        "file",
      )} of other kinds, such as ${others[0].value || "without an ending"}, ${others.length === 1 && others[0].count === 1 ? "is" : "are"} left out`,
    });
  return findings;
}

/** The folders that files lie in as their classes. */
function byFolders(files: readonly FolderFile[]): LabelsProfile {
  const classes = countsOf(files.map(({ label }) => label));
  if (classes.every(({ value }) => value === "")) return { notes: [], findings: [], split: byClass(undefined) };
  const target: TargetProfile = { name: "folder", task: "classes", classes, predictors: [] };
  return {
    notes: ["the folder that a file lies in is taken for its class"],
    findings: balanceFindings(classes, "the folder", "file"),
    target,
    split: byClass(target),
  };
}

/** Profiles a folder. Throws FileError or DataError. */
export async function profileFolder({ path, samples, found, labels }: FolderRequest): Promise<DataProfile> {
  const { kind, files, others } = found ?? (await folderFiles(path));
  const gathered = await gather(kind, files, samples);
  if (gathered.forms.length === 0)
    throw new DataError(
      `${path}: none of its ${plural(files.length, "file")} can be read; the first is ${gathered.broken[0]?.path}: ${gathered.broken[0]?.reason}`,
    );
  const said = labels?.(gathered.extents) ?? byFolders(files);
  const { target, boxes, boxesOf } = said;
  const pairs: NearDuplicate[] =
    kind === "images" ? nearDuplicateImages(gathered.hashes) : nearDuplicateTexts(gathered.texts);
  const figures = [...gathered.figures, ...Object.entries(said.figures ?? {})];
  const profile: FilesProfile = {
    count: files.length,
    broken: gathered.broken,
    duplicated: gathered.duplicated.slice(0, mostPairs),
    others,
    figures: figures.flatMap(([name, values]) =>
      values.length === 0 ? [] : [{ name, numbers: numberFigures(Float64Array.from(values)) }],
    ),
    forms: countsOf(gathered.forms),
    samples: inTurn(gathered.samples, samples).map((own) => {
      const drawn = boxesOf?.(own.path);
      return drawn ? { ...own, boxes: drawn } : own;
    }),
  };
  return {
    path,
    kind,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    notes: said.notes,
    findings: inOrder([
      ...fileFindings(gathered, kind, files.length, others),
      ...said.findings,
      ...crossingFindings([...gathered.duplicated, ...pairs.map(({ items }) => items)]),
      ...likenessFindings(pairs, kind),
    ]),
    files: profile,
    ...(boxes && { boxes }),
    ...(target && { target }),
    nearDuplicates: pairs.slice(0, mostPairs),
    split: said.split,
  };
}
