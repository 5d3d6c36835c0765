/** How images of your own are recognized. */
import { plural } from "../../core/number-text.ts";
import { areMostOf, type DataKind } from "../kinds/data-kind.ts";

const isImage = (name: string): boolean => /\.(?:png|jpe?g|webp|gif|tiff?|avif)$/i.test(name);

/** Images in folders by class, or with a table that says what each shows. */
export const imageKind: DataKind = {
  recipe: "images",
  tasks: ["images", "labels"],
  recognize(data) {
    if (data.kind === "table") {
      const column = data.columns.find(({ kind }) => kind === "image");
      return column && `a table of images, by its column "${column.name}"`;
    }
    if (data.kind !== "folder") return undefined;
    const images = data.files.filter(isImage);
    if (!areMostOf(images, data.files)) return undefined;
    const folders = new Set(images.map((name) => name.split("/").slice(0, -1).join("/")));
    return `${plural(images.length, "image")}${data.isWhole ? "" : " and more"} in ${plural(folders.size, "folder")}`;
  },
};
