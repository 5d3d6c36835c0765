/** `sardonyx data`: what data is, before anything is trained of it, and data without what it says of persons. */

import { resolve } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { flagOf } from "../../core/printable.ts";
import { textEncodings } from "../../data/tables/text-encoding.ts";
import { replacementNames } from "../../privacy/redaction/replacements.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { profileData } from "../../tasks/kinds/profile-data.node.ts";
import { defineCommand, number, oneOf, text, toggle, wholeNumber } from "../command.ts";
import { profilePage } from "../data/html.ts";
import { anonymousCommand, redactCommand } from "../data/redact.ts";
import { showProfile } from "../data/terminal.ts";
import { encryptToOption, writeOutput } from "../encryption.ts";

/** Images that a page shows. */
const pageSamples = 24;

/** Options that say how data is written, and which of them are of anonymous tables. */
const ofRedact = ["kinds", "replace", "keyFile", "columns", "regions", "allow", "anonymous"] as const;
const ofAnonymous = ["quasi", "sensitive", "suppress"] as const;

/** Throws OptionError for an option without the one that it belongs to. */
function requireRedact(options: Readonly<Record<string, unknown>>): void {
  const isGiven = (name: string) => options[name] !== undefined;
  const redact = isGiven("redact") ? undefined : ofRedact.find(isGiven);
  if (redact !== undefined) throw new OptionError(`${flagOf(redact)} is of --redact; say where to write: --redact OUT`);
  const anonymous = isGiven("anonymous") ? undefined : ofAnonymous.find(isGiven);
  if (anonymous !== undefined)
    throw new OptionError(`${flagOf(anonymous)} is of --anonymous; say how many rows are to be alike: --anonymous 5`);
  const other = isGiven("anonymous") ? ofRedact.slice(0, -1).find(isGiven) : undefined;
  if (other !== undefined)
    throw new OptionError(
      `${flagOf(other)} is of texts, and --anonymous of a table's groups; redact first, then make what is written anonymous`,
    );
}

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
    encryptTo: encryptToOption,
    delimiter: text("C", 'what separates values; default as the file shows. "tab" is a tab'),
    encoding: oneOf("how the text is encoded; default as the file shows", textEncodings),
    missing: text("TEXTS", "texts that stand for a missing value, with commas between them"),
    decimalComma: toggle("numbers have a comma before their decimals"),
    headerless: toggle("the first line holds values, not names"),
    redact: text("OUT", "write the file or folder without personal data to OUT, and OUT.report.json"),
    kinds: text("KINDS", "what is looked for, with commas; default all: person,email,telephone,…"),
    replace: oneOf("what stands for it; default placeholder", replacementNames),
    keyFile: text("FILE", "the key of pseudonyms and fakes: the same value is the same in all files"),
    columns: text("NAMES", "columns or fields that are changed, with commas between them; default all"),
    regions: text("CODES", "countries whose telephone numbers are known; default US,GB,CN,DE"),
    allow: text("TEXTS", "texts that stay, such as a company's name, with commas between them"),
    anonymous: wholeNumber("with --redact: rows that are to be alike in what others may know", 2),
    quasi: text("NAMES", "columns that others may know: age,sex,zip"),
    sensitive: text("COLUMN", "the column that nobody is to find out"),
    suppress: number("share of the rows that may be left out for it; default 0", { low: 0, example: 0.02 }),
  },
  examples: [
    ["sardonyx data penguins.csv", "types, missing values, outliers, duplicates"],
    ["sardonyx data penguins.csv --target species", "classes, leaks, an honest split"],
    ["sardonyx data photos/ --html photos.html", "images of class folders, as a page"],
    ["sardonyx data scenes/", "boxes by class, their sizes, bad ones by name"],
    ["sardonyx data mails/ --redact mails-clean", "texts, tables and pictures without personal data"],
    ["sardonyx data reviews.jsonl --json > profile.json", "everything, for a program"],
  ],
  async run({ arguments: [path = ""], options, output }) {
    const { target, html, encryptTo, delimiter, encoding, missing, decimalComma, headerless } = options;
    const table = {
      ...(delimiter !== undefined && { delimiter: delimiter === "tab" ? "\t" : delimiter }),
      ...(encoding !== undefined && { encoding: encoding as (typeof textEncodings)[number] }),
      ...(missing !== undefined && { missing: ["", ...missing.split(",")] }),
      ...(decimalComma && { decimalComma }),
      ...(headerless && { header: false }),
    };
    const { redact, anonymous } = options;
    requireRedact(options);
    if (redact !== undefined && anonymous !== undefined)
      return anonymousCommand(path, redact, { ...options, anonymous }, table, output);
    if (redact !== undefined) return redactCommand(path, redact, options, table, output);
    const profile = await profileData(path, {
      ...(target !== undefined && { target }),
      samples: html === undefined ? 0 : pageSamples,
      table,
    });
    output.record("profile", { ...profile });
    showProfile(profile, output);
    if (html === undefined) return;
    await writeOutput(resolve(html), profilePage(profile), { encryptTo, of: resolve(path) }, output);
    output.record("saved", { path: resolve(html), format: "html" });
    output.line(`\nSaved ${shownPath(resolve(html))}`);
  },
});
