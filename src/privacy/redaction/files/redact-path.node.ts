/** A file or a folder without personal data, beside the original: all of it or nothing, with a report of what was changed. */
import { existsSync, lstatSync, readdirSync, statSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { FileError, OptionError } from "../../../core/errors.ts";
import { functionOf, listOf, objectOf, string } from "../../../core/option-types.ts";
import { optionsOf, required } from "../../../core/options.ts";
import type { TableOptions } from "../../../data/tables/table-file.node.ts";
import { syncFolder, temporaryBeside, writeFilesAtomic } from "../../../storage/atomic.node.ts";
import { makeFolder, onDisk } from "../../../storage/disk.node.ts";
import {
  encryptionFiles,
  encryptionOf,
  encryptTo,
  recipientsAt,
  sealedTo,
} from "../../../storage/encryption/recipients.node.ts";
import { FileSealer, isNobody, type SealedTo } from "../../../storage/encryption/sealer.node.ts";
import type { PersonalKind } from "../kinds.ts";
import type { Redactor } from "../redact-text.ts";
import { type FileRedaction, redactedParts } from "./redact-file.node.ts";

/** How many changes there are of each kind that occurs. */
export type KindCounts = Partial<Record<PersonalKind, number>>;

/** What became of a file. */
export interface RedactedFile {
  /** Its path below the folder, or its name. */
  readonly file: string;
  readonly bytes: number;
  readonly counts: Readonly<KindCounts>;
  /** Parts of a picture's file that were left out. */
  readonly removed: number;
}

/** What became of a file or a folder. */
export interface RedactedPath {
  readonly files: readonly RedactedFile[];
  readonly counts: Readonly<KindCounts>;
  /** Where the report lies. */
  readonly report: string;
}

/** Takes the next bytes of a file. */
type Write = (bytes: Uint8Array) => Promise<void>;

/** Files below a folder, in order, without those that say how others are encrypted; links and hidden files too. Throws FileError for links, which may lead anywhere. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .filter((name) => {
      if (encryptionFiles.includes(basename(name))) return false;
      const entry = lstatSync(join(folder, name));
      if (entry.isSymbolicLink())
        throw new FileError(`redact: ${join(folder, name)} is a link; put the file itself there, or take it out`);
      return entry.isFile();
    });
}

function requireApart(input: string, output: string): void {
  const [from, to] = [resolve(input), resolve(output)];
  if (from === to) throw new OptionError(`redact: ${output} is what is read; name another place, nothing was changed`);
  if (`${to}${sep}`.startsWith(`${from}${sep}`))
    throw new OptionError(`redact: ${output} lies in the folder that is read; name a place outside of it`);
  if (existsSync(to)) throw new FileError(`redact: there is ${output} already; remove it, or name another place`);
}

/** Writes JSON as it comes: changes may be many. */
class ReportWriter {
  readonly #write: Write;
  #isFirst = true;
  #buffer: string[] = [];
  constructor(write: Write) {
    this.#write = write;
  }
  async add(text: string): Promise<void> {
    this.#buffer.push(text);
    if (this.#buffer.length > 500) await this.flush();
  }
  async item(text: string): Promise<void> {
    await this.add(`${this.#isFirst ? "" : ","}\n      ${text}`);
    this.#isFirst = false;
  }
  newList(): void {
    this.#isFirst = true;
  }
  async flush(): Promise<void> {
    await this.#write(Buffer.from(this.#buffer.join("")));
    this.#buffer = [];
  }
}

/** Writes a new file part by part, encrypted where it is to be, and waits until it is on the disk. */
async function written<T>(path: string, to: SealedTo, make: (write: Write) => Promise<T>): Promise<T> {
  return onDisk(path, async () => {
    const handle = await open(path, "wx");
    try {
      const sealer = isNobody(to) ? undefined : await FileSealer.for(to);
      if (sealer) await handle.writeFile(sealer.start);
      const result = await make(async (bytes) => {
        for (const block of sealer ? sealer.push(bytes) : [bytes]) await handle.writeFile(block);
      });
      if (sealer) await handle.writeFile(sealer.end());
      await handle.sync();
      return result;
    } finally {
      await handle.close();
    }
  });
}

/** Options of `redactPath`. */
export interface RedactPathOptions extends FileRedaction {
  /** What the report says of how it was made, such as the kinds; default nothing. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** To whom what is written is encrypted, as `--encrypt-to` has it; default the recipients of the folder that it is written into, or nobody. */
  readonly encryptTo?: string | undefined;
  /** Called when a file is done, with its number from 0 and how many there are. */
  readonly onFile?: ((file: RedactedFile, index: number, files: number) => void) | undefined;
}

const checkOptions = optionsOf<RedactPathOptions>("redactPath", {
  redact: required(functionOf<Redactor>("what redactor(…) returns")),
  columns: listOf(string, "names of columns"),
  table: objectOf<TableOptions>("options of openTable"),
  settings: objectOf<Readonly<Record<string, unknown>>>("what the report says of how it was made"),
  encryptTo: string,
  onFile: functionOf<NonNullable<RedactPathOptions["onFile"]>>("(file, index, files) => …"),
});

/**
 * Writes what lies at a path without personal data to another path, with its folders, and a report beside it (`OUT.report.json`): of each change its kind, its place
 * and what found it, never what stood there. Neither is there before all is done; what is read is never written. Throws FileError for files that are neither text nor
 * pictures, damaged tables and what the disk refuses, OptionError for an output within the input and unknown columns.
 * @example await redactPath("mails", "mails-clean", { redact: redactor({ names: await loadNameTagger() }) });
 */
export async function redactPath(input: string, output: string, options: RedactPathOptions): Promise<RedactedPath> {
  const { settings = {}, encryptTo: recipients, onFile } = checkOptions(options);
  const whom = recipients === undefined ? undefined : encryptTo(recipients);
  const status = statSync(input, { throwIfNoEntry: false });
  if (!status) throw new FileError(`redact: there is no ${input}; check the path`);
  requireApart(input, output);
  const report = `${output.replace(/[/\\]+$/, "")}.report.json`;
  if (existsSync(report)) throw new FileError(`redact: there is ${report} already; remove it, or name another place`);
  const isFolder = status.isDirectory();
  const names = isFolder ? filesBelow(input) : [basename(input)];
  if (names.length === 0) throw new FileError(`redact: ${input} has no files; name a folder with texts or tables`);
  makeFolder(dirname(resolve(output)));
  const to = whom ? sealedTo(whom) : recipientsAt(resolve(output));
  const [place, reportPlace] = [temporaryBeside(resolve(output)), temporaryBeside(resolve(report))];
  try {
    // The folder says to whom its files are, so that what comes into it later is too.
    if (isFolder && whom) await writeFilesAtomic(place, await encryptionOf(whom), []);
    const inside = isFolder && whom ? recipientsAt(join(place, "any")) : to;
    const files = await written(reportPlace, to, async (write) => {
      const writer = new ReportWriter(write);
      const done: RedactedFile[] = [];
      await writer.add(`{\n  "settings": ${JSON.stringify(settings)},\n  "files": [`);
      for (const [i, name] of names.entries()) {
        const target = isFolder ? join(place, name) : place;
        if (isFolder) await onDisk(target, () => mkdir(dirname(target), { recursive: true }));
        await writer.add(`${i === 0 ? "" : ","}\n    { "file": ${JSON.stringify(name)}, "changes": [`);
        writer.newList();
        const file = await redactOne(
          isFolder ? join(input, name) : input,
          name,
          { target, to: inside },
          options,
          writer,
        );
        const { counts, removed } = file;
        await writer.add(`], "counts": ${JSON.stringify(counts)}, "removedFromPicture": ${removed} }`);
        done.push(file);
        onFile?.(file, i, names.length);
      }
      await writer.add(`\n  ],\n  "counts": ${JSON.stringify(sumOf(done))}\n}\n`);
      await writer.flush();
      return done;
    });
    await onDisk(output, async () => {
      await rename(place, resolve(output));
      await rename(reportPlace, resolve(report));
      await syncFolder(dirname(resolve(output)));
    });
    return { files, counts: sumOf(files), report };
  } catch (error) {
    await rm(place, { recursive: true, force: true }).catch(() => undefined);
    await rm(reportPlace, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function redactOne(
  path: string,
  name: string,
  { target, to }: { readonly target: string; readonly to: SealedTo },
  how: FileRedaction,
  writer: ReportWriter,
): Promise<RedactedFile> {
  const counts: KindCounts = {};
  let [bytes, removed] = [0, 0];
  await written(target, to, async (write) => {
    if (statSync(path).size === 0) return;
    for await (const { content, changes, removed: own = 0 } of redactedParts(path, how)) {
      const encoded = typeof content === "string" ? Buffer.from(content) : content;
      await write(encoded);
      bytes += encoded.length;
      removed += own;
      for (const change of changes) {
        counts[change.kind] = (counts[change.kind] ?? 0) + 1;
        await writer.item(JSON.stringify(change));
      }
    }
  }).catch((error: unknown) => {
    // Where a column is unknown, of which file.
    if (error instanceof OptionError && !error.message.includes(name))
      throw new OptionError(`${path}: ${error.message}`);
    throw error;
  });
  return { file: name, bytes, counts, removed };
}

function sumOf(files: readonly RedactedFile[]): KindCounts {
  const sum: KindCounts = {};
  for (const { counts } of files)
    for (const [kind, count] of Object.entries(counts) as [PersonalKind, number][])
      sum[kind] = (sum[kind] ?? 0) + count;
  return sum;
}
