/** Boxes in COCO's form: one JSON with `images`, `annotations` and `categories` (Lin et al. 2014), or one for each part. */
import { basename } from "node:path";
import { DataError } from "../../core/errors.ts";
import { isPlainObject } from "../../core/tree.ts";
import type { Box } from "../../data/images/boxes.ts";
import type { FolderFile } from "../../data/profile/folder-files.node.ts";
import { shownValue } from "../../data/tables/json-records.ts";
import { partOfPath, partsTold } from "../shared/part-names.ts";
import type { PartName } from "../shared/part-samples.ts";
import type { AnnotatedImage, AnnotatedImages, Annotation, LeftOut } from "./annotated-images.ts";
import type { ImageIndex } from "./image-index.node.ts";
import { readJsonFile } from "./json-file.node.ts";

/** Files that are COCO's by their names: `instances_train2017.json`, `annotations.json`, `_annotations.coco.json`. */
export const isCocoName = (name: string): boolean =>
  /^(?:instances[^/]*|annotations?|_annotations\.coco)\.json$/i.test(basename(name));

/** The lists of a file of annotations. Throws DataError for one that is missing. */
function listsOf(content: unknown, path: string) {
  const list = (name: string): readonly Readonly<Record<string, unknown>>[] => {
    const own = isPlainObject(content) ? content[name] : undefined;
    if (!Array.isArray(own))
      throw new DataError(
        `${path}: "${name}" is ${shownValue(own)}, expected a list; write COCO's { "images": [{ "id", "file_name" }], "annotations": [{ "image_id", "category_id", "bbox": [left, top, width, height] }], "categories": [{ "id", "name" }] }`,
      );
    return own.map((item) => (isPlainObject(item) ? item : {}));
  };
  return { images: list("images"), annotations: list("annotations"), categories: list("categories") };
}

const isId = (value: unknown): value is number | string => typeof value === "number" || typeof value === "string";

/** The names of categories by id. Throws DataError for one without a name, and for two of one id. */
function namesById(categories: readonly Readonly<Record<string, unknown>>[], path: string): Map<unknown, string> {
  const names = new Map<unknown, string>();
  for (const [i, { id, name }] of categories.entries()) {
    if (!isId(id) || typeof name !== "string" || name === "")
      throw new DataError(
        `${path}: category ${i + 1} has the id ${shownValue(id)} and the name ${shownValue(name)}; give each category an id and a name`,
      );
    if (names.has(id))
      throw new DataError(`${path}: two categories have the id ${id}; give each category an id of its own`);
    names.set(id, name);
  }
  return names;
}

/** `[left, top, width, height]` as edges; nothing where those are not four numbers. */
export function boxOfSizes(sizes: unknown): Box | undefined {
  if (!Array.isArray(sizes) || sizes.length !== 4) return undefined;
  if (!sizes.every((value) => typeof value === "number" && Number.isFinite(value))) return undefined;
  const [left, top, width, height] = sizes as [number, number, number, number];
  return [left, top, left + width, top + height];
}

/** What is made of a file. */
interface CocoFile {
  readonly file: FolderFile;
  readonly part: PartName | undefined;
}

/** Files of annotations as images with boxes. Throws FileError or DataError for files that are of another form or cut. */
export async function readCoco(
  files: readonly FolderFile[],
  index: ImageIndex,
  leftOut: LeftOut,
): Promise<AnnotatedImages> {
  const told = partsTold(files.map(({ name }) => partOfPath(name)));
  const given = files.map((file, i): CocoFile => ({ file, part: told[i] }));
  const images = new Map<string, AnnotatedImage>();
  const names = new Set<string>();
  for (const own of given) {
    const { path, name: fileName } = own.file;
    const lists = listsOf(await readJsonFile(path), path);
    const categories = namesById(lists.categories, path);
    for (const name of categories.values()) names.add(name);
    const objects = new Map<unknown, Annotation[]>(lists.images.map(({ id }) => [id, []]));
    for (const [i, { id, image_id, category_id, bbox, iscrowd }] of lists.annotations.entries()) {
      const where = `${basename(path)}: annotation ${isId(id) ? id : `${i + 1} of the list`}`;
      const box = boxOfSizes(bbox);
      const label = categories.get(category_id);
      const listed = objects.get(image_id);
      if (!listed) leftOut.add("strayImage", where);
      else if (label === undefined) leftOut.add("unknownClass", where);
      else if (!box) leftOut.add("noNumbers", where);
      else listed.push({ label, box, isCrowd: iscrowd === 1 || iscrowd === true, where });
    }
    // instances_train2017.json tells train2017/1.jpg from val2017/1.jpg.
    const near = [...fileName.split("/").slice(0, -1), ...basename(fileName, ".json").split("_")];
    const seen = new Set<unknown>();
    for (const [i, { id, file_name, width, height }] of lists.images.entries()) {
      if (!isId(id) || typeof file_name !== "string" || file_name === "") {
        leftOut.add("badImage", `${basename(path)}: image ${i + 1} of the list`);
        continue;
      }
      const file = index.find(file_name, near);
      if (!file) leftOut.add("missingImage", `${basename(path)}: ${file_name}`);
      else if (seen.has(id) || images.has(file.path)) leftOut.add("repeatedImage", `${basename(path)}: ${file_name}`);
      else
        images.set(file.path, {
          path: file.path,
          part: own.part,
          ...(isExtent(width) && isExtent(height) && { size: { width, height } }),
          objects: objects.get(id) ?? [],
        });
      seen.add(id);
    }
  }
  for (const { path, name } of index.files) if (!images.has(path)) leftOut.add("unnamedImage", name);
  return { images: [...images.values()], unit: "pixels", names: [...names], what: "boxes in COCO's form" };
}

const isExtent = (value: unknown): value is number => typeof value === "number" && value > 0;
