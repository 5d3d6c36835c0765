/** `sardonyx data PATH --redact OUT`: files without personal data, and tables made anonymous. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { stringify } from "csv-stringify/sync";
import { FileError, OptionError, unknownName } from "../../core/errors.ts";
import { byteText, count, percent, plural } from "../../core/number-text.ts";
import { inOneLine, command as shellLine } from "../../core/printable.ts";
import { readTable, type TableOptions } from "../../data/tables/table-file.node.ts";
import type { MicrodataRow } from "../../privacy/anonymity/anonymity.ts";
import { anonymizeTable } from "../../privacy/anonymity/mondrian.ts";
import { leastKeyBytes } from "../../privacy/redaction/digest.ts";
import { type RedactedPath, redactPath } from "../../privacy/redaction/files/redact-path.node.ts";
import { type PersonalKind, personalKinds } from "../../privacy/redaction/kinds.ts";
import { loadNameTagger } from "../../privacy/redaction/names/load-name-tagger.node.ts";
import { redactor } from "../../privacy/redaction/redact-text.ts";
import type { Replacement } from "../../privacy/redaction/replacements.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { endingOf } from "../../storage/ending.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { writeOutput } from "../encryption.ts";
import type { Output } from "../output.ts";
import { showTable } from "../show-table.ts";

/** Options of the command that are of this. */
export interface RedactFlags {
  readonly kinds?: string | undefined;
  readonly replace?: Replacement | undefined;
  readonly keyFile?: string | undefined;
  readonly columns?: string | undefined;
  readonly regions?: string | undefined;
  readonly allow?: string | undefined;
  readonly encryptTo?: string | undefined;
}

/** Files that are shown; all are in the report. */
const mostFiles = 30;

const listed = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

function kindsOf(text: string): PersonalKind[] {
  return listed(text).map((name) => {
    const kind = personalKinds.find((own) => own === name);
    if (kind === undefined) throw unknownName("kind of personal data", name, personalKinds);
    return kind;
  });
}

async function keyOf(path: string): Promise<Uint8Array> {
  const key = await readBytes(path, "--key-file");
  if (key.length >= leastKeyBytes) return key;
  throw new FileError(
    `--key-file: ${path} has ${plural(key.length, "byte")}, expected ${leastKeyBytes} at least, or values could be found by trying; make a key of chance: ${shellLine`head -c 32 /dev/urandom > ${path}`}`,
  );
}

/** Redacts a path, and shows how many of each kind were found in which file. */
export async function redactCommand(
  path: string,
  out: string,
  flags: RedactFlags,
  table: TableOptions,
  output: Output,
): Promise<void> {
  const kinds = flags.kinds === undefined ? [...personalKinds] : kindsOf(flags.kinds);
  const { replace = "placeholder" } = flags;
  if (flags.keyFile !== undefined && replace === "placeholder")
    throw new OptionError("--key-file is of pseudonyms and false values; add --replace pseudonym or --replace fake");
  const key = flags.keyFile === undefined ? undefined : await keyOf(flags.keyFile);
  const redact = redactor({
    names: kinds.includes("person") ? await loadNameTagger() : false,
    kinds,
    replace,
    ...(key && { key }),
    ...(flags.regions !== undefined && { regions: listed(flags.regions) }),
    ...(flags.allow !== undefined && { allow: listed(flags.allow) }),
  });
  const columns = flags.columns === undefined ? undefined : listed(flags.columns);
  const made = await redactPath(path, out, {
    ...{ redact, columns, table, settings: { kinds, replace } },
    encryptTo: flags.encryptTo,
  });
  for (const file of made.files) output.record("file", { ...file });
  output.record("redacted", { path: resolve(out), report: resolve(made.report), counts: made.counts });
  showRedacted(made, output);
  output.line(`\nSaved ${shownPath(resolve(out))}\nReport ${shownPath(resolve(made.report))}`);
  output.prose(
    "What was found is gone; what was not found is still there. Read a sample before you give it away.",
    0,
    "caution",
  );
  if (replace !== "placeholder" && key === undefined)
    output.prose(
      `The key was of chance and is not kept: in other files the same value gets another ${replace === "fake" ? "one" : "pseudonym"}. Pass --key-file FILE to have them agree.`,
    );
}

function showRedacted({ files, counts }: RedactedPath, output: Output): void {
  const kinds = personalKinds.filter((kind) => counts[kind] !== undefined);
  if (kinds.length === 0) output.line("Nothing was found.");
  else
    showTable(
      [{ head: "Kind" }, { head: "Found", align: "right" }, { head: "In files", align: "right" }],
      kinds.map((kind) => [
        kind,
        count(counts[kind] ?? 0),
        count(files.filter((file) => file.counts[kind] !== undefined).length),
      ]),
      output,
    );
  output.line();
  const shown = files.slice(0, mostFiles);
  showTable(
    [
      { head: "File", width: 40 },
      { head: "Changed", align: "right" },
      { head: "Size", align: "right" },
    ],
    shown.map(({ file, counts: own, removed, bytes }) => [
      inOneLine(file),
      removed > 0
        ? `${plural(removed, "part")} of metadata`
        : count(Object.values(own).reduce((sum, value) => sum + value, 0)),
      byteText(bytes),
    ]),
    output,
  );
  if (files.length > shown.length) output.line(`… and ${plural(files.length - shown.length, "file")} more`);
}

/** Options of anonymous tables. */
export interface AnonymousFlags {
  readonly anonymous: number;
  readonly quasi?: string | undefined;
  readonly sensitive?: string | undefined;
  readonly suppress?: number | undefined;
  readonly encryptTo?: string | undefined;
}

/** Makes a table anonymous, and shows what that costs. */
export async function anonymousCommand(
  path: string,
  out: string,
  { anonymous: k, quasi, sensitive, suppress, encryptTo }: AnonymousFlags,
  table: TableOptions,
  output: Output,
): Promise<void> {
  if (quasi === undefined)
    throw new OptionError(
      "--anonymous needs the columns that others may know of a person; name them: --quasi age,sex,zip",
    );
  if (endingOf(out) !== ".csv" && endingOf(out) !== ".tsv")
    throw new OptionError(`--redact is "${out}"; an anonymous table is written as CSV or TSV: name a file.csv`);
  if (resolve(out) === resolve(path))
    throw new OptionError(`--redact: ${out} is what is read; name another file, nothing was changed`);
  if (existsSync(out)) throw new FileError(`--redact: there is ${out} already; remove it, or name another file`);
  const quasiIdentifiers = listed(quasi);
  const { file, rows } = await readTable(path, table);
  const wanted = [...quasiIdentifiers, ...(sensitive === undefined ? [] : [sensitive])];
  const stray = wanted.find((name) => !file.names.includes(name));
  if (stray !== undefined) throw unknownName("column", stray, file.names);
  const places = new Map(file.names.map((name, i) => [name, i]));
  const isNumber = (name: string) => rows.every((row) => /^-?\d+(?:\.\d+)?$/.test(row[places.get(name) ?? -1] ?? ""));
  const numbers = new Set(wanted.filter(isNumber));
  const microdata: MicrodataRow[] = rows.map((row) =>
    Object.fromEntries(
      file.names.map((name, i) => [name, numbers.has(name) ? Number(row[i]) : (row[i] ?? "")] as const),
    ),
  );
  const made = anonymizeTable(microdata, {
    quasiIdentifiers,
    k,
    ...(sensitive !== undefined && { sensitive }),
    ...(suppress !== undefined && { suppress }),
  });
  const delimiter = endingOf(out) === ".tsv" ? "\t" : ",";
  const lines = [file.names, ...made.rows.map((row) => file.names.map((name) => String(row[name])))];
  const text = stringify(lines as string[][], { delimiter });
  await writeOutput(resolve(out), text, { encryptTo, of: resolve(path) }, output);
  const { before, after, loss, suppressed } = made;
  const left = file.names.filter((name) => !wanted.includes(name));
  output.record("anonymous", { path: resolve(out), before, after, loss, suppressed: suppressed.length, left });
  const share = (value: number | undefined) => (value === undefined ? "" : value.toFixed(3));
  showTable(
    [{ head: "" }, { head: "Before", align: "right" }, { head: "After", align: "right" }],
    [
      ["rows that are alike at least (k)", count(before.k), count(after.k)],
      ["groups of alike rows", count(before.groups), count(after.groups)],
      ["rows like no other", percent(before.unique), percent(after.unique)],
      ...(sensitive === undefined
        ? []
        : [
            ["sensitive values in a group at least (l)", count(before.l ?? 0), count(after.l ?? 0)],
            ["farthest from the table's values (t)", share(before.t), share(after.t)],
          ]),
    ],
    output,
  );
  output.line();
  output.prose(
    `${percent(loss)} of what the columns say is lost; ${plural(suppressed.length, "row")} of ${count(rows.length)} left out.`,
  );
  if (left.length > 0)
    output.prose(
      `Left as they were: ${left.map(inOneLine).join(", ")}. Remove names and numbers of persons: sardonyx data ${inOneLine(path)} --redact OUT`,
      0,
      "caution",
    );
  output.line(`\nSaved ${shownPath(resolve(out))}`);
}
