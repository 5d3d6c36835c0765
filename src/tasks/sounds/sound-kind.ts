/** How sounds of your own are recognized. */
import { plural } from "../../core/number-text.ts";
import { areMostOf, type DataKind } from "../kinds/data-kind.ts";

/** WAV files in folders by class, or with a table that says what each is. */
export const soundKind: DataKind = {
  recipe: "sounds",
  tasks: ["sounds", "labels"],
  recognize(data) {
    if (data.kind !== "folder") return undefined;
    const sounds = data.files.filter((name) => /\.wav$/i.test(name));
    if (!areMostOf(sounds, data.files)) return undefined;
    const folders = new Set(sounds.map((name) => name.split("/").slice(0, -1).join("/")));
    return `${plural(sounds.length, "sound")}${data.isWhole ? "" : " and more"} in ${plural(folders.size, "folder")}`;
  },
};
