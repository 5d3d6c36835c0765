/** The folder of a run: its name, what lies in it, and `run.json`, which says how the run came about. */

import { existsSync, readdirSync, rmdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import * as z from "zod";
import { FileError, KeyError, nearest, OptionError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { readBytes, writeFileAtomic } from "../../storage/atomic.node.ts";
import { makeFolder, onDisk } from "../../storage/disk.node.ts";
import { encryptionFiles } from "../../storage/encryption/recipients.node.ts";
import { lives } from "../../storage/process-lock.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { runSettingsSchema } from "../recipes/settings.ts";
import { claim, describeOwner, lockFile, ownerOf, type Release } from "./claim.node.ts";

/** Files of a run. */
export const runFiles = {
  record: "run.json",
  checkpoint: "checkpoint.safetensors",
  best: "best.safetensors",
  log: "log.jsonl",
  /** What the model made of a few fixed samples as it learned. */
  samples: "samples.jsonl",
  tensorboard: "tensorboard",
  model: "model.onnx",
  prepare: "prepare.onnx",
  deployment: "deployment.json",
  evaluation: "evaluation.json",
  profile: "profile",
  outcomes: "outcomes.json",
  report: "report.md",
  reportPage: "report.html",
  reportData: "report.json",
  search: "search.json",
  /** Of a run that was merged of others: how. */
  merge: "merge.json",
} as const;

/** The folder in which runs lie that were given no other. */
const runsFolder = "runs";

const recordSchema = z.strictObject({
  format: z.literal("sardonyx-run-2"),
  recipe: z.strictObject({ name: z.string(), path: z.string().optional() }),
  settings: runSettingsSchema,
  versions: z.record(z.string(), z.string()),
  created: z.string(),
  /** How many processes train it, where there are several; it may go on with another number. */
  processes: z.number().int().positive().optional(),
  /** The folder of the run with whose parameters it began. */
  from: z.string().optional(),
  /** Made by --profile: not a run to go on with. */
  profile: z.boolean().optional(),
});

/** What \`run.json\` says. */
export type RunRecord = z.infer<typeof recordSchema>;

/** A file that some process was writing (see writeFileAtomic). */
const temporary = /^\..*\.(\d+)\.[0-9a-f]{8}\.tmp$/;

/** What a killed process leaves: its lock, which names it and is in the clear, and files that it was writing. */
const isLeftOver = (name: string) => temporary.test(name) || name === lockFile;

/** Whether a file makes a folder none for a new run: what says how its files will be encrypted does not. */
const isInTheWay = (name: string) => !isLeftOver(name) && !encryptionFiles.includes(name);

const isTaken = (path: string): boolean =>
  existsSync(path) &&
  onDisk(
    path,
    () => !statSync(path).isDirectory() || ownerOf(path) !== undefined || readdirSync(path).some(isInTheWay),
  );

/** A folder that belongs to this process until it is released. */
export interface ClaimedFolder {
  readonly path: string;
  readonly release: Release;
  /** Whether it was made for this run. */
  readonly isNew: boolean;
  /** What whoever starts the run should know of it. */
  readonly notes: readonly string[];
}

/**
 * Claims the folder of a run that is there, and clears it of what a killed process left. Throws OptionError while it is in use, FileError
 * for a folder that takes no file.
 */
export function claimRun(folder: string): ClaimedFolder {
  const { release, leftBy } = claim(folder, shownPath(folder));
  for (const name of readdirSync(folder)) {
    const writer = Number(temporary.exec(name)?.[1]);
    if (writer > 0 && !lives(writer)) onDisk(folder, () => rmSync(join(folder, name), { force: true }));
  }
  const notes = leftBy
    ? [`${shownPath(folder)} was left by ${describeOwner(leftBy)}, which is no more; it is taken over.`]
    : [];
  return { path: folder, release, isNew: false, notes };
}

/**
 * Makes and claims the folder for a new run: the one asked for, or the first free `runs/<name>`, `runs/<name>-2`, … Throws
 * OptionError for one that is not empty or in use, FileError for a path that cannot be one.
 */
export function claimNewFolder(name: string, out: string | undefined): ClaimedFolder {
  if (out !== undefined) {
    const path = resolve(out);
    if (isTaken(path) && ownerOf(path) === undefined) {
      const mend = existsSync(join(path, runFiles.record)) ? "resume the run that is in it (--resume), or " : "";
      throw new OptionError(`${out} is not an empty folder; ${mend}name another folder`);
    }
    return claimMade(path);
  }
  for (let attempt = 1; ; attempt++) {
    const path = resolve(runsFolder, attempt === 1 ? name : `${name}-${attempt}`);
    if (isTaken(path)) continue;
    // Another process may have been faster.
    try {
      return claimMade(path);
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
    }
  }
}

/** Makes a folder where there is none, and claims it while nothing is in it. */
function claimMade(path: string): ClaimedFolder {
  const isNew = makeFolder(path);
  const claimed = claimRun(path);
  if (!readdirSync(path).some(isInTheWay)) return { ...claimed, isNew };
  // Between the look and the claim another run began there, and ended.
  claimed.release();
  throw new OptionError(`${shownPath(path)} is not an empty folder; name another folder`);
}

/** Takes away what a run made that came to nothing, and nothing that it did not make. */
export function dropFolder({ path, isNew, release }: ClaimedFolder): void {
  try {
    for (const name of Object.values(runFiles)) rmSync(join(path, name), { recursive: true, force: true });
  } catch {
    // A disk that refuses this as well leaves a run that is begun again; why it came to nothing is told.
  }
  release();
  if (!isNew) return;
  for (const name of encryptionFiles) rmSync(join(path, name), { force: true });
  removeEmpty(path);
  const parent = resolve(runsFolder);
  if (dirname(path) === parent) removeEmpty(parent);
}

/** Removes a folder in which there is nothing. */
function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Something is in it, or it is gone.
  }
}

/** Writes `run.json`. */
export const writeRecord = (folder: string, record: RunRecord): Promise<void> =>
  writeFileAtomic(join(folder, runFiles.record), `${JSON.stringify(record, null, 2)}\n`);

/** Reads `run.json`. Throws FileError when it is missing or not what a run writes. */
export async function readRecord(folder: string): Promise<RunRecord> {
  const path = join(folder, runFiles.record);
  if (!existsSync(path))
    throw new FileError(
      `${shownPath(folder)} is not the folder of a run, it has no ${runFiles.record}; ${knownRuns()}`,
    );
  const text = new TextDecoder().decode(await readBytes(path, "run"));
  const parsed = recordSchema.safeParse(jsonOf(path, text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FileError(
    `${shownPath(path)} is damaged: ${issue?.path.join(".") || "it"}: ${issue?.message}; restore it or train again`,
  );
}

function jsonOf(path: string, text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new FileError(`${shownPath(path)} is damaged: it is not JSON; restore it or train again`, { cause });
  }
}

/** Folders of runs below `runs/`. */
function runFolders(): string[] {
  if (!existsSync(runsFolder)) return [];
  return readdirSync(runsFolder)
    .map((name) => join(runsFolder, name))
    .filter((path) => existsSync(join(path, runFiles.record)));
}

/** The newest run of a recipe below `runs/`. Throws FileError when there is none. */
export async function newestRun(recipe: string): Promise<string> {
  let newest: { readonly path: string; readonly created: string } | undefined;
  for (const path of runFolders()) {
    // One that was merged is not trained on.
    if (existsSync(join(path, runFiles.merge))) continue;
    const record = await readRecord(path).catch((error: unknown) => {
      // By its name it may be the one.
      if (error instanceof KeyError && basename(path).startsWith(recipe)) throw error;
      return undefined;
    });
    if (!record || record.recipe.name !== recipe || record.profile) continue;
    if (!newest || record.created > newest.created) newest = { path, created: record.created };
  }
  if (newest) return resolve(newest.path);
  throw new FileError(`there is no run of ${recipe} below ${runsFolder}/ to resume; name its folder (--out DIR)`);
}

/** The folder that a person means by RUN: a path, or a name below `runs/`. */
export function findRun(nameOrPath: string): string {
  const candidates = [resolve(nameOrPath), resolve(runsFolder, nameOrPath)];
  const found = candidates.find((path) => existsSync(path) && statSync(path).isDirectory());
  if (found) return found;
  const closest = nearest(nameOrPath, runFolders());
  throw new FileError(
    `there is no run ${nameOrPath}; ${closest ? `did you mean ${closest}? ` : ""}${closest ? "K" : "k"}nown: ${runFolders().join(", ") || `none, train one first`}`,
  );
}

/** Whether a person's name is that of a run, as `findRun` finds it. */
export function isRun(nameOrPath: string): boolean {
  try {
    return existsSync(join(findRun(nameOrPath), runFiles.record));
  } catch {
    return false;
  }
}

function knownRuns(): string {
  const known = runFolders();
  return known.length > 0 ? `runs are: ${known.join(", ")}` : "train one first: sardonyx train lenet-mnist";
}
