/** How texts with something to predict of each are recognized. */

import { textEndings } from "../../data/text/text-file.node.ts";
import { endingOf } from "../../storage/ending.ts";
import type { DataKind } from "../kinds/data-kind.ts";

/** Columns of free text, and what is beside them. */
const beside = ["id", "constant", "empty"];

/** A table of a text and what is predicted of it, or a folder of files of text for each class. */
export const textsKind: DataKind = {
  recipe: "texts",
  tasks: ["texts", "labels"],
  recognize(data) {
    if (data.kind === "table") {
      const texts = data.columns.filter(({ kind }) => kind === "text");
      const others = data.columns.filter(({ kind }) => kind !== "text" && !beside.includes(kind));
      if (texts.length !== 1 || others.length !== 1) return undefined;
      return `texts (${JSON.stringify(texts[0]?.name)}) with a value each (${JSON.stringify(others[0]?.name)})`;
    }
    if (data.kind !== "folder") return undefined;
    const places = data.files
      .filter((file) => textEndings.includes(endingOf(file)))
      .map((file) => file.split("/").slice(0, -1));
    const isOfTexts = places.length > 0.5 * data.files.length;
    const withoutPart = places.map((folders) => (isPart(folders[0] ?? "") ? folders.slice(1) : folders));
    const classes = new Set(withoutPart.map(([name = ""]) => name));
    const deep = withoutPart.every(({ length }) => length === 1);
    return isOfTexts && deep && classes.size > 1 ? "a folder of texts by class" : undefined;
  },
};

/** Whether a folder is called as a part of the data, and not as a class. */
export const isPart = (name: string): boolean => ["train", "test"].includes(name.toLowerCase());
