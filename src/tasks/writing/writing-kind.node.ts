/** How texts to learn writing from are recognized. */

import { textEndings } from "../../data/text/text-file.node.ts";
import { endingOf } from "../../storage/ending.ts";
import type { DataKind } from "../kinds/data-kind.ts";

/** A file of text, or a folder most of whose files are. */
export const writingKind: DataKind = {
  recipe: "writing",
  tasks: ["writing"],
  recognize(data) {
    if (data.kind === "file") return textEndings.includes(data.ending) ? "a text to learn writing from" : undefined;
    if (data.kind !== "folder") return undefined;
    const texts = data.files.filter((file) => textEndings.includes(endingOf(file)));
    return texts.length > 0.5 * data.files.length ? "texts to learn writing from" : undefined;
  },
};
