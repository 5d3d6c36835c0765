/** How images with boxes are recognized. */
import { basename, join } from "node:path";
import { plural } from "../../core/number-text.ts";
import type { DataKind } from "../kinds/data-kind.ts";
import { isImageName } from "./image-index.node.ts";
import { isCocoName } from "./read-coco.node.ts";
import { isBoxMetadata } from "./read-metadata.node.ts";
import { looksLikeYolo } from "./read-yolo.node.ts";

/** A folder of images with boxes in COCO's form, in YOLO's, or in a metadata.jsonl. */
export const boxKind: DataKind = {
  recipe: "boxes",
  tasks: ["detection", "boxes"],
  recognize(data) {
    if (data.kind !== "folder") return undefined;
    const { path, files, isWhole } = data;
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
