/** `sardonyx data`: what data is, before anything is trained of it. */
import { resolve } from "node:path";
import { textEncodings } from "../../data/tables/text-encoding.ts";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { profileData } from "../../tasks/kinds/profile-data.node.ts";
import { defineCommand, oneOf, text, toggle } from "../command.ts";
import { profilePage } from "../data/html.ts";
import { showProfile } from "../data/terminal.ts";

/** Images that a page shows. */
const pageSamples = 24;

export const command = defineCommand({
  arguments: [
    {
      name: "PATH",
      description:
        "a table (CSV, TSV, JSON, JSON Lines, Parquet), or a folder of images (also with boxes), texts or WAV files",
    },
  ],
  options: {
    target: text("COLUMN", "the column to predict: its classes, and which columns leak it"),
    html: text("FILE", "write a page with charts and sample images"),
    delimiter: text("C", 'what separates values; default as the file shows. "tab" is a tab'),
    encoding: oneOf("how the text is encoded; default as the file shows", textEncodings),
    missing: text("TEXTS", "texts that stand for a missing value, with commas between them"),
    decimalComma: toggle("numbers have a comma before their decimals"),
    headerless: toggle("the first line holds values, not names"),
  },
  examples: [
    ["sardonyx data penguins.csv", "types, missing values, outliers, duplicates"],
    ["sardonyx data penguins.csv --target species", "classes, leaks, an honest split"],
    ["sardonyx data photos/ --html photos.html", "images of class folders, as a page"],
    ["sardonyx data scenes/", "boxes by class, their sizes, bad ones by name"],
    ["sardonyx data reviews.jsonl --json > profile.json", "everything, for a program"],
  ],
  async run({ arguments: [path = ""], options, output }) {
    const { target, html, delimiter, encoding, missing, decimalComma, headerless } = options;
    const profile = await profileData(path, {
      ...(target !== undefined && { target }),
      samples: html === undefined ? 0 : pageSamples,
      table: {
        ...(delimiter !== undefined && { delimiter: delimiter === "tab" ? "\t" : delimiter }),
        ...(encoding !== undefined && { encoding: encoding as (typeof textEncodings)[number] }),
        ...(missing !== undefined && { missing: ["", ...missing.split(",")] }),
        ...(decimalComma && { decimalComma }),
        ...(headerless && { header: false }),
      },
    });
    output.record("profile", { ...profile });
    showProfile(profile, output);
    if (html === undefined) return;
    await writeFileAtomic(resolve(html), profilePage(profile));
    output.record("saved", { path: resolve(html), format: "html" });
    output.line(`\nSaved ${shownPath(resolve(html))}`);
  },
});
