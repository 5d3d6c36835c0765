/** Which form boxes are in, and the images of the data with them. */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { DataError, FileError } from "../../core/errors.ts";
import { type FolderFile, filesBelow } from "../../data/profile/folder-files.node.ts";
import type { AnnotatedImages, LeftOut } from "./annotated-images.ts";
import { ImageIndex, isImageName } from "./image-index.node.ts";
import { isCocoName, readCoco } from "./read-coco.node.ts";
import { isBoxMetadata, readMetadata } from "./read-metadata.node.ts";
import { looksLikeYolo, readYolo } from "./read-yolo.node.ts";

/** The forms that are read, for errors. */
const forms =
  "give a folder with images and a JSON in COCO's form (annotations.json), with images/ and labels/ in YOLO's, or with a metadata.jsonl whose lines have objects";

const isYaml = (path: string): boolean => /\.ya?ml$/i.test(path);

/** Files of annotations in COCO's form: those called so, `instances_…` before others in one folder; else the only JSON. */
function cocoFiles(files: readonly FolderFile[]): readonly FolderFile[] {
  const called = files.filter(({ name }) => isCocoName(name));
  const instances = called.filter(({ name }) => /^instances/i.test(basename(name)));
  if (instances.length > 0) return instances;
  if (called.length > 0) return called;
  const json = files.filter(({ name }) => /\.json$/i.test(name));
  return json.length === 1 ? json : [];
}

/** Images with their boxes, and all images that were found, with boxes or not. */
export interface ListedBoxes extends AnnotatedImages {
  readonly files: readonly FolderFile[];
  /** Files that are neither images nor such as hold annotations. */
  readonly others: readonly FolderFile[];
}

/** The images of a folder, or of a file of annotations, or beside a data.yaml, with their boxes. Throws FileError or DataError for what cannot be read. */
export async function listBoxes(path: string, leftOut: LeftOut): Promise<ListedBoxes> {
  if (!existsSync(path)) throw new FileError(`there is no file or folder ${path} with the boxes; check the path`);
  const file = statSync(path).isDirectory() ? undefined : resolve(path);
  const folder = file === undefined ? path : dirname(file);
  // A data.yaml stands for the folder that it lies in.
  const only = file !== undefined && isYaml(file) ? undefined : file;
  // Beside annotations/instances_train2017.json the images lie one folder higher.
  const root = only !== undefined && basename(folder) === "annotations" ? dirname(folder) : folder;
  const files = await filesBelow(root);
  const index = new ImageIndex(files);
  if (index.files.length === 0) throw new DataError(`${root}: holds no images; ${forms}`);
  const asked = only === undefined ? files : files.filter((file) => resolve(file.path) === only);
  if (only !== undefined && !/\.jsonl?$/i.test(only))
    throw new DataError(`${path}: is neither .json, .jsonl nor .yaml; ${forms}`);
  const metadata = asked.filter((file) => isBoxMetadata(file.path));
  const listed = async (images: Promise<AnnotatedImages>): Promise<ListedBoxes> => ({
    ...(await images),
    files: index.files,
    others: files.filter(({ name }) => !isImageName(name) && !/\.(?:jsonl?|ya?ml|txt|names)$/i.test(name)),
  });
  if (metadata.length > 0) return listed(readMetadata(metadata, index, leftOut));
  const coco = cocoFiles(asked);
  const isYolo = looksLikeYolo(
    root,
    asked.map(({ name }) => name),
    true,
  );
  if (coco.length > 0 && !(isYolo && !coco.some(({ name }) => isCocoName(name))))
    return listed(readCoco(coco, index, leftOut));
  if (isYolo) return listed(readYolo(asked, index, leftOut));
  throw new DataError(`${path}: has images and no boxes of them; ${forms}`);
}
