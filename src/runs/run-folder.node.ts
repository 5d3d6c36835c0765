/** The folder of a run: its name, what lies in it, and `run.json`, which says how the run came about. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { z } from "zod";
import { FileError, nearest, OptionError } from "../core/errors.ts";
import { devices } from "../runtime/session.ts";
import { readBytes, writeFileAtomic } from "../storage/atomic.node.ts";
import { type OptimizerName, optimizers } from "../train/optimizers.ts";

/** Files of a run. */
export const runFiles = {
  record: "run.json",
  checkpoint: "checkpoint.safetensors",
  best: "best.safetensors",
  log: "log.jsonl",
  tensorboard: "tensorboard",
  model: "model.onnx",
  evaluation: "evaluation.json",
  profile: "profile",
  outcomes: "outcomes.json",
  report: "report.md",
} as const;

/** The folder in which runs lie that were given no other. */
const runsFolder = "runs";

const settingsSchema = z.object({
  epochs: z.number().int().positive(),
  batchSize: z.number().int().positive(),
  learningRate: z.number().positive(),
  optimizer: z.enum(Object.keys(optimizers) as [OptimizerName, ...OptimizerName[]]),
  seed: z.number().int().nonnegative(),
  device: z.enum(devices),
  /** Part of the record, since sums depend on how work is divided. */
  threads: z.number().int().positive(),
  limit: z.number().int().positive().optional(),
  /** The recipe's own choices. */
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  /** Of an experiment: how many seeds. */
  repeats: z.number().int().positive().optional(),
});

const recordSchema = z.object({
  format: z.literal("sardonyx-run-1"),
  recipe: z.object({ name: z.string(), path: z.string().optional() }),
  settings: settingsSchema,
  versions: z.record(z.string(), z.string()),
  created: z.string(),
  /** Made by --profile: not a run to go on with. */
  profile: z.boolean().optional(),
});

/** What a recipe is loaded with: settings and its own options side by side. */
export const recipeSettings = ({ options, ...settings }: RunSettings) => ({ ...options, ...settings });

/** Everything that decides what a run computes. */
export type RunSettings = z.infer<typeof settingsSchema>;
export type RunRecord = z.infer<typeof recordSchema>;

/** A path as a person types it. */
export const shown = (path: string): string => {
  const short = relative(process.cwd(), path);
  return short === "" ? "." : short.startsWith("..") ? path : short;
};

/** What a killed process leaves of a file that it was writing (see writeFileAtomic). */
const isLeftOver = (name: string) => /^\..*\.tmp$/.test(name);

const isTaken = (path: string) =>
  existsSync(path) && (!statSync(path).isDirectory() || !readdirSync(path).every(isLeftOver));

/** Makes a run's folder, or clears it of what a killed process left of files that it was writing. */
export function openFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (isLeftOver(name)) rmSync(join(folder, name));
}

/** The folder for a new run: the one asked for, or the first free `runs/<name>`, `runs/<name>-2`, … Creates nothing. */
export function folderForNewRun(name: string, out: string | undefined): string {
  if (out !== undefined) {
    const path = resolve(out);
    if (!isTaken(path)) return path;
    const mend = existsSync(join(path, runFiles.record)) ? "add --resume to go on with it, or " : "";
    throw new OptionError(`--out ${out} is not an empty folder; ${mend}name another folder`);
  }
  for (let attempt = 1; ; attempt++) {
    const path = resolve(runsFolder, attempt === 1 ? name : `${name}-${attempt}`);
    if (!isTaken(path)) return path;
  }
}

/** Writes `run.json`. */
export const writeRecord = (folder: string, record: RunRecord): Promise<void> =>
  writeFileAtomic(join(folder, runFiles.record), `${JSON.stringify(record, null, 2)}\n`);

/** Reads `run.json`. Throws FileError when it is missing or not what a run writes. */
export async function readRecord(folder: string): Promise<RunRecord> {
  const path = join(folder, runFiles.record);
  if (!existsSync(path))
    throw new FileError(`${shown(folder)} is not the folder of a run, it has no ${runFiles.record}; ${knownRuns()}`);
  const text = new TextDecoder().decode(await readBytes(path, "run"));
  const parsed = recordSchema.safeParse(parseJson(path, text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FileError(
    `${shown(path)} is damaged: ${issue?.path.join(".") || "it"}: ${issue?.message}; restore it or train again`,
  );
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FileError(`${shown(path)} is damaged: it is not JSON; restore it or train again`, { cause });
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
    const record = await readRecord(path).catch(() => undefined);
    if (!record || record.recipe.name !== recipe || record.profile) continue;
    if (!newest || record.created > newest.created) newest = { path, created: record.created };
  }
  if (newest) return resolve(newest.path);
  throw new FileError(`--resume: there is no run of ${recipe} below ${runsFolder}/; name its folder: --out DIR`);
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

function knownRuns(): string {
  const known = runFolders();
  return known.length > 0 ? `runs are: ${known.join(", ")}` : "train one first: sardonyx train lenet-mnist";
}
