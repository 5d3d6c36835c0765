/** How a table is recognized. */
import { quoted } from "../../core/printable.ts";
import { imagesBeside } from "../images/image-kind.ts";
import type { DataKind } from "../kinds/data-kind.ts";

/** Rows of columns, one of which is predicted by the others. */
export const tableKind: DataKind = {
  recipe: "table",
  tasks: [],
  recognize(data) {
    if (data.kind !== "table") return undefined;
    const images = imagesBeside(data.columns);
    return images ? `a table with images (${quoted(images.name)}) beside other columns` : "a table";
  },
};
