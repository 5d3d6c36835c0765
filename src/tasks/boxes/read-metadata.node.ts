/** Boxes in a metadata.jsonl, as Hugging Face's ImageFolder has them: `objects` with `bbox` and `categories` on the line of each image. */
import { basename, dirname } from "node:path";
import { DataError } from "../../core/errors.ts";
import { isPlainObject } from "../../core/tree.ts";
import type { FolderFile } from "../../data/profile/folder-files.node.ts";
import { type FileRecord, parseJsonRecords, shownValue } from "../../data/tables/json-records.ts";
import { openFile } from "../../storage/file-source.node.ts";
import { partOfPath, partsTold } from "../shared/part-names.ts";
import type { AnnotatedImage, AnnotatedImages, Annotation, LeftOut } from "./annotated-images.ts";
import type { ImageIndex } from "./image-index.node.ts";
import { readBounded } from "./json-file.node.ts";
import { boxOfSizes } from "./read-coco.node.ts";

/** Bytes at the beginning of a file that are looked at. */
const looked = 2 ** 16;

/** Whether a file is called metadata.jsonl and its beginning has objects with boxes. */
export function isBoxMetadata(path: string): boolean {
  if (basename(path).toLowerCase() !== "metadata.jsonl") return false;
  const file = openFile(path);
  try {
    const head = new TextDecoder().decode(file.read(0, Math.min(looked, file.size)));
    return /"objects"\s*:\s*\{/.test(head) && /"bbox"\s*:/.test(head);
  } finally {
    file.close();
  }
}

/** The objects of a line. Throws DataError for lists that do not belong together. */
function objectsOf({ fields, where }: FileRecord, leftOut: LeftOut): readonly Annotation[] {
  const { objects } = fields;
  if (objects === undefined || objects === null) return [];
  const mend = 'write "objects": { "bbox": [[left, top, width, height], …], "categories": ["dog", …] }';
  if (!isPlainObject(objects)) throw new DataError(`${where}: "objects" is ${shownValue(objects)}; ${mend}`);
  const { bbox = [], categories = objects["category"] ?? objects["label"] ?? [] } = objects;
  if (!Array.isArray(bbox) || !Array.isArray(categories) || bbox.length !== categories.length)
    throw new DataError(
      `${where}: "bbox" is ${shownValue(bbox)} and "categories" ${shownValue(categories)}, expected one category for each box; ${mend}`,
    );
  const place = where.replace(/^.*?([^/\\]*: line)/, "$1");
  return bbox.flatMap((sizes, i): Annotation[] => {
    const own: unknown = categories[i];
    const box = boxOfSizes(sizes);
    const isName = (typeof own === "string" && own !== "") || typeof own === "number";
    if (!isName) leftOut.add("unknownClass", `${place}, box ${i + 1}`);
    else if (!box) leftOut.add("noNumbers", `${place}, box ${i + 1}`);
    else return [{ label: String(own), box, isCrowd: false, where: `${place}, box ${i + 1}` }];
    return [];
  });
}

/** Images with the boxes that files of metadata have of them. Throws FileError or DataError naming the line. */
export async function readMetadata(
  files: readonly FolderFile[],
  index: ImageIndex,
  leftOut: LeftOut,
): Promise<AnnotatedImages> {
  const told = partsTold(files.map(({ name }) => partOfPath(dirname(name))));
  const images = new Map<string, AnnotatedImage>();
  for (const [i, { name, path }] of files.entries()) {
    const folder = dirname(name) === "." ? "" : `${dirname(name)}/`;
    for (const record of parseJsonRecords(await readBounded(path), path)) {
      const { file_name } = record.fields;
      const place = record.where.replace(/^.*?([^/\\]*: line)/, "$1");
      if (typeof file_name !== "string") {
        leftOut.add("badImage", place);
        continue;
      }
      const file =
        index.files.find((own) => own.name === `${folder}${file_name}`) ?? index.find(file_name, folder.split("/"));
      if (!file) leftOut.add("missingImage", `${place}: ${file_name}`);
      else if (images.has(file.path)) leftOut.add("repeatedImage", `${place}: ${file_name}`);
      else images.set(file.path, { path: file.path, part: told[i], objects: objectsOf(record, leftOut) });
    }
  }
  for (const { path, name } of index.files) if (!images.has(path)) leftOut.add("unnamedImage", name);
  const labels = new Set([...images.values()].flatMap(({ objects }) => objects.map(({ label }) => label)));
  const byNumber = (a: string, b: string) => Number(a) - Number(b) || (a < b ? -1 : 1);
  return {
    images: [...images.values()],
    unit: "pixels",
    names: [...labels].sort(byNumber),
    what: "boxes in metadata.jsonl",
  };
}
