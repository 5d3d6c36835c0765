/** Boxes in YOLO's form: beside each image, or in `labels/` beside `images/`, a text file with a line for each box. */
import { existsSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { DataError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { quoted } from "../../core/printable.ts";
import type { Box } from "../../data/images/boxes.ts";
import type { FolderFile } from "../../data/profile/folder-files.node.ts";
import { partOfPath, partsTold } from "../shared/part-names.ts";
import type { AnnotatedImage, AnnotatedImages, Annotation, LeftOut } from "./annotated-images.ts";
import type { ImageIndex } from "./image-index.node.ts";
import { readBounded } from "./json-file.node.ts";
import { type ClassNames, namesOfLines, namesOfYaml } from "./yolo-names.ts";

/** Files that are called as those of class names, which are no labels. */
const isNameFile = (name: string): boolean =>
  /^(?:classes\.txt|(?:obj|predefined_classes)\.(?:names|txt))$/i.test(name);

/** The file of labels of an image: in `labels` where the image lies in `images`, as the last of its folders is called so; else beside it. */
export function labelFileOf(image: string): string {
  const folders = image.split("/").slice(0, -1);
  const at = folders.lastIndexOf("images");
  const own = `${basename(image, extname(image))}.txt`;
  return [...folders.map((name, i) => (i === at ? "labels" : name)), own].join("/");
}

/** The names of classes of the files in the folder that have some; nothing where there are none. */
async function classNames(files: readonly FolderFile[]): Promise<ClassNames | undefined> {
  const text = async ({ path }: FolderFile) => new TextDecoder().decode(await readBounded(path, limits.recordLength));
  for (const file of files.filter(({ name }) => /^[^/]+\.ya?ml$/i.test(name))) {
    const names = namesOfYaml(await text(file), file.path);
    if (names && names.size > 0) return names;
  }
  const list = files.find(({ name }) => isNameFile(basename(name)));
  return list && namesOfLines(await text(list));
}

/** The largest value that a box just outside its image may have; beyond it other units are meant. */
const mostFraction = 2;

/** The box of a line's values behind the class: centre and size, or the corners of an outline, which it is put around. */
function boxOfValues(values: readonly number[]): Box | undefined {
  if (values.length === 4) {
    const [x, y, width, height] = values as [number, number, number, number];
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
  }
  if (values.length < 6 || values.length % 2 === 1) return undefined;
  const [xs, ys] = [0, 1].map((axis) => values.filter((_, i) => i % 2 === axis)) as [number[], number[]];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** The objects of a file of labels. Throws DataError, with the line, for other separators than spaces and for other units than fractions. */
export function objectsOfLabels(
  text: string,
  { path, name, names, leftOut }: { path: string; name: string; names: ClassNames | undefined; leftOut: LeftOut },
): readonly Annotation[] {
  return text.split(/\r?\n/).flatMap((line, i): Annotation[] => {
    const own = line.trim();
    if (own === "") return [];
    const where = `${name}: line ${i + 1}`;
    const [separator] = /[,;|]/.exec(own) ?? [];
    if (separator !== undefined)
      throw new DataError(
        `${path}: line ${i + 1}: ${quoted(own)} has ${quoted(separator)} in it; write the class and the four numbers with spaces between them, and a point before decimals: 0 0.5 0.5 0.2 0.1`,
      );
    const [first = "", ...others] = own.split(/\s+/);
    const values = others.map(Number);
    const far = values.find((value) => Math.abs(value) > mostFraction);
    if (far !== undefined)
      throw new DataError(
        `${path}: line ${i + 1}: ${quoted(own)} has ${far} where fractions from 0 to 1 are due; divide ${Math.max(...values) <= 100 ? "per cent by 100, or " : ""}pixels by the width and height of the image`,
      );
    const id = Number(first);
    const box = boxOfValues(values);
    if (!box || !/^\d+(?:\.0+)?$/.test(first)) leftOut.add("badLine", where);
    else if (!box.every(Number.isFinite)) leftOut.add("noNumbers", where);
    else if (names && !names.has(id)) leftOut.add("unknownClass", where);
    else return [{ label: names?.get(id) ?? String(id), box, isCrowd: false, where }];
    return [];
  });
}

/** Images with labels in text files; those without one are images without objects. Throws FileError or DataError. */
export async function readYolo(
  files: readonly FolderFile[],
  index: ImageIndex,
  leftOut: LeftOut,
): Promise<AnnotatedImages> {
  const labels = new Map(
    files.flatMap((file) => (/\.txt$/i.test(file.name) && !isNameFile(basename(file.name)) ? [[file.name, file]] : [])),
  );
  const names = await classNames(files);
  const told = partsTold(index.files.map(({ name }) => partOfPath(dirname(name))));
  const images: AnnotatedImage[] = [];
  const unlabelled: string[] = [];
  for (const [i, { name, path }] of index.files.entries()) {
    const file = labels.get(labelFileOf(name));
    if (!file) unlabelled.push(name);
    labels.delete(file?.name ?? "");
    const text = file ? new TextDecoder().decode(await readBounded(file.path, limits.recordLength)) : "";
    const objects = objectsOfLabels(text, { path: file?.path ?? "", name: file?.name ?? "", names, leftOut });
    images.push({ path, part: told[i], objects });
  }
  for (const name of labels.keys()) if (name.split("/").includes("labels")) leftOut.add("strayLabels", name);
  const seen = [...new Set(images.flatMap(({ objects }) => objects.map(({ label }) => label)))];
  return {
    images,
    unit: "fractions",
    names: names ? [...new Set(names.values())] : seen.sort((a, b) => Number(a) - Number(b)),
    what: "boxes in YOLO's form",
    unlabelled,
  };
}

/** Whether a folder holds labels in YOLO's form, by the names of the files in it that were seen and the folders that there are. */
export function looksLikeYolo(path: string, names: readonly string[], isWhole: boolean): boolean {
  const seen = new Set(names);
  const isDescribed = names.some((name) => /^[^/]*\.ya?ml$/i.test(name) || isNameFile(basename(name)));
  const hasTwin = (name: string) => seen.has(labelFileOf(name));
  const images = names.filter((name) => /\.(?:png|jpe?g|webp|gif|tiff?|avif)$/i.test(name));
  if (images.some((name) => hasTwin(name) && (isDescribed || labelFileOf(name).split("/").includes("labels"))))
    return true;
  // Of large folders only the first files were seen.
  const [first] = images;
  return (
    !isWhole &&
    first !== undefined &&
    first.split("/").includes("images") &&
    existsSync(join(path, dirname(labelFileOf(first))))
  );
}
