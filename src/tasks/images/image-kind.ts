/** How images of your own are recognized. */
import { plural } from "../../core/number-text.ts";
import type { ColumnType } from "../../data/tables/column-kinds.ts";
import { areMostOf, type DataKind } from "../kinds/data-kind.ts";

const isImage = (name: string): boolean => /\.(?:png|jpe?g|webp|gif|tiff?|avif)$/i.test(name);

/** Columns that say nothing. */
const silent = ["image", "id", "constant", "empty"];

/**
 * The column of images in a table where other columns say something too, beside one that is predicted; `undefined` where there are none, and where
 * all others are marks, each a label of an image.
 */
export function imagesBeside(columns: readonly ColumnType[]): ColumnType | undefined {
  const others = columns.filter(({ kind }) => !silent.includes(kind));
  const areMarks = others.every(({ distinct }) => distinct <= 2);
  return others.length > 1 && !areMarks ? columns.find(({ kind }) => kind === "image") : undefined;
}

/** Images in folders by class, or with a table that says what each shows. */
export const imageKind: DataKind = {
  recipe: "images",
  tasks: ["images", "labels"],
  recognize(data) {
    if (data.kind === "table") {
      const column = imagesBeside(data.columns) ? undefined : data.columns.find(({ kind }) => kind === "image");
      return column && `a table of images, by its column "${column.name}"`;
    }
    if (data.kind !== "folder") return undefined;
    const images = data.files.filter(isImage);
    if (!areMostOf(images, data.files)) return undefined;
    const folders = new Set(images.map((name) => name.split("/").slice(0, -1).join("/")));
    return `${plural(images.length, "image")}${data.isWhole ? "" : " and more"} in ${plural(folders.size, "folder")}`;
  },
};
