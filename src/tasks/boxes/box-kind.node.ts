/** How images with boxes are recognized. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { plural } from "../../core/number-text.ts";
import type { DataKind } from "../kinds/data-kind.ts";
import { isImageName } from "./image-index.node.ts";
import { isCocoName } from "./read-coco.node.ts";
import { isBoxMetadata } from "./read-metadata.node.ts";
import { looksLikeYolo } from "./read-yolo.node.ts";

/** Where annotations lie, in a folder of so many files that not all of them are listed. */
const usualPlaces = ["", "train/"].flatMap((folder) =>
  ["_annotations.coco.json", "annotations.json", "metadata.jsonl"].map((name) => `${folder}${name}`),
);

/** A folder of images with boxes in COCO's form, in YOLO's, or in a metadata.jsonl. */
export const boxKind: DataKind = {
  recipe: "boxes",
  tasks: ["detection", "boxes"],
  recognizeName: (path) =>
    isCocoName(path) ? "boxes in COCO's form" : basename(path) === "data.yaml" ? "boxes in YOLO's form" : undefined,
  recognize(data) {
    if (data.kind !== "folder") return undefined;
    const { path, files: listed, isWhole } = data;
    const files = isWhole ? listed : [...listed, ...usualPlaces.filter((name) => existsSync(join(path, name)))];
    const images = files.filter(isImageName);
    const form = files.some(isCocoName)
      ? "COCO's form"
      : looksLikeYolo(path, files, isWhole)
        ? "YOLO's form"
        : files.some((name) => basename(name) === "metadata.jsonl" && isBoxMetadata(join(path, name)))
          ? "metadata.jsonl"
          : undefined;
    if (form === undefined || (isWhole && images.length === 0)) return undefined;
    return `${plural(images.length, "image")}${isWhole ? "" : " and more"} with boxes in ${form}`;
  },
};
