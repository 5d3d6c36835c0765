/** What is about to be trained: recipe, settings and folder, new or taken up again. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { spoken } from "../../core/number-text.ts";
import { command } from "../../core/printable.ts";
import type { Communicator } from "../../distributed/communicator.ts";
import { launched } from "../../distributed/mpi/launcher.node.ts";
import { chooseDevice } from "../../jit/auto-device.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { requireHalf } from "../../jit/half-support.ts";
import { selectBackend } from "../../runtime/select.ts";
import { deviceText } from "../../runtime/session.ts";
import { defaultThreads } from "../../runtime/threads.node.ts";
import { encryptFolder, isEncrypted, requireStillEncrypted } from "../../storage/encryption/encrypted-folder.node.ts";
import { encryptTo } from "../../storage/encryption/recipients.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import type { Progress } from "../../train/fit.ts";
import { type Optimizer, optimizerOf } from "../../train/optimizers/index.ts";
import { compileOptions, readCheckpoint } from "../folder/checkpoint-file.node.ts";
import { lockFile } from "../folder/claim.node.ts";
import {
  type ClaimedFolder,
  claimNewFolder,
  claimRun,
  dropFolder,
  newestRun,
  type RunRecord,
  readRecord,
  runFiles,
} from "../folder/run-folder.node.ts";
import { versions } from "../recipes/package.node.ts";
import { defaultOptions, type Recipe, type Task } from "../recipes/recipe.ts";
import { isExperiment, type Loaded, type Trainable } from "../recipes/recipes.node.ts";
import type { RunOptions } from "../recipes/run-options.ts";
import {
  type GivenSettings,
  newSettings,
  type OptionValue,
  type PlacedSettings,
  type RunSettings,
  resumedSettings,
} from "../recipes/settings.ts";
import { planOfRanks } from "./ranks.node.ts";

/** What is about to be trained. */
export interface Plan<R extends Trainable = Recipe> {
  readonly recipe: R;
  /** The recipe as it was named, for commands that are suggested. */
  readonly named: string;
  readonly folder: string;
  readonly claimed: ClaimedFolder;
  readonly record: RunRecord;
  readonly compile: CompileOptions;
  /** Where the run stopped, when it goes on. */
  readonly progress?: Progress;
  /** Whether the run goes on, from a checkpoint or from its start. */
  readonly resumed: boolean;
  /** What whoever starts the run should know of it before. */
  readonly notes: readonly string[];
  /** Whether the run chooses in how many parts a batch is computed, by the memory that there is. */
  readonly choosesParts: boolean;
  /** The processes that carry it out together; rank 0 claimed the folder, and alone writes there. */
  readonly communicator?: Communicator | undefined;
}

/** What decides a plan. */
export type PlanOptions = Pick<RunOptions, "out" | "resume" | "from" | "profile" | "encryptTo"> & {
  readonly given: GivenSettings;
  /** Chooses in how many parts a batch is computed, by the memory that there is; a run that goes on has chosen. Default false. */
  readonly choosesParts?: boolean | undefined;
  /** The processes that carry it out together. Default this one alone. */
  readonly communicator?: Communicator | undefined;
};

/**
 * Checks everything that can be checked before data is loaded, and claims the run's folder, which is to be released. Throws
 * SardonyxError, with nothing changed on disk.
 */
export async function makePlan<R extends Trainable>(
  loaded: Loaded<R>,
  named: string,
  options: PlanOptions,
): Promise<Plan<R>> {
  const { device: asked } = options.given;
  if (options.profile && asked !== undefined && asked !== "auto" && asked !== "cpu")
    throw new OptionError(`a profile needs the device cpu: the engine for "${asked}" writes none`);
  if (options.profile && isExperiment(loaded.recipe))
    throw new OptionError(`a profile is of one network, and ${named} trains several; name a recipe`);
  const make = async () => {
    const placed = await place(options);
    return options.resume ? planResumed(loaded, named, placed) : planNew(loaded, named, placed);
  };
  const { communicator } = options;
  if (!communicator) return make();
  if (options.profile) throw new OptionError("a profile is of one process; leave --profile or the others out");
  return planOfRanks(communicator, make, { recipe: loaded.recipe, named });
}

/** Options whose device is chosen, with what is to be said of the choice. */
type PlacedOptions = PlanOptions & { readonly given: PlacedSettings; readonly placing: readonly string[] };

/**
 * Chooses the device once for the run. Without one a run that goes on keeps its own. Several processes compute on the processor unless a
 * device is named, since they would share a card; so does what is profiled.
 */
async function place(options: PlanOptions): Promise<PlacedOptions> {
  const { given, resume, profile, communicator } = options;
  const asked = given.device ?? (resume ? undefined : "auto");
  if (asked !== "auto") return { ...options, given: { ...given, device: asked }, placing: [] };
  if (profile || communicator || launched()) return { ...options, given: { ...given, device: "cpu" }, placing: [] };
  const { device, reason, isObstructed = false } = await chooseDevice();
  const said =
    device === "cpu"
      ? `This run computes on the processor: ${reason}.`
      : `This run computes on the ${deviceText(device)}: ${reason}. Small networks may be faster on the processor, device cpu.`;
  return { ...options, given: { ...given, device }, placing: device !== "cpu" || isObstructed ? [said] : [] };
}

/**
 * Settings with which one of several runs goes on: those of the run in `folder`, if it is there, but for those that are given. What a search
 * or several seeds were begun with need not be said again.
 */
export async function givenLike(folder: string, given: GivenSettings): Promise<GivenSettings> {
  if (!existsSync(join(folder, runFiles.record))) return given;
  const { settings } = await readRecord(folder);
  const present = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...settings, ...Object.fromEntries(present), options: { ...settings.options, ...given.options } };
}

/** Throws OptionError for a device that cannot be here, or that does not compute in the precision of a run. */
async function requireDevice({ device, precision }: RunSettings): Promise<void> {
  const backend = await selectBackend(device);
  if (precision === "float16") await requireHalf(backend);
}

async function planNew<R extends Trainable>(
  { recipe, path }: Loaded<R>,
  named: string,
  { given, out, from, profile = false, encryptTo: to, choosesParts = false, placing }: PlacedOptions,
): Promise<Plan<R>> {
  const { name, defaults } = recipe;
  if (from !== undefined && isExperiment(recipe))
    throw new OptionError(
      `a run begins with the parameters of another one, and ${name} trains several; leave --from out`,
    );
  if (from !== undefined) await readRecord(resolve(from));
  if (choosesParts && isExperiment(recipe))
    throw new OptionError(`a batch size that is chosen is for recipes, and ${name} is an experiment; pass a number`);
  const standard = { name, defaults, options: isExperiment(recipe) ? {} : defaultOptions(recipe) };
  const asked = { ...given, ...(given.options && { options: absolutePaths(given.options) }) };
  const settings = newSettings(standard, asked, defaultThreads(launched()?.here));
  await requireDevice(settings);
  const encryption = to === undefined ? undefined : encryptTo(to);
  const claimed = claimNewFolder(profile ? `${recipe.name}-profile` : recipe.name, out);
  try {
    if (encryption) await encryptFolder(claimed.path, encryption, [lockFile]);
    if (profile && isEncrypted(claimed.path))
      throw new OptionError(
        "a profile is written by the engine, in the clear; leave --profile out, or train into a folder that is not encrypted",
      );
  } catch (error) {
    dropFolder(claimed);
    throw error;
  }
  return {
    recipe,
    named,
    folder: claimed.path,
    claimed,
    record: {
      format: "sardonyx-run-2",
      recipe: { name: recipe.name, ...(path !== undefined && { path }) },
      settings,
      versions: versions(),
      created: new Date().toISOString(),
      ...(from !== undefined && { from: resolve(from) }),
      ...(profile && { profile }),
    },
    compile: compileOptions(settings),
    resumed: false,
    notes: [...claimed.notes, ...placing],
    choosesParts,
  };
}

/** Options with files and folders named so that they are found from anywhere. */
const absolutePaths = (options: Readonly<Record<string, OptionValue>>): Record<string, OptionValue> =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name,
      typeof value === "string" && value !== "" && existsSync(value) ? resolve(value) : value,
    ]),
  );

async function planResumed<R extends Trainable>(
  { recipe, path }: Loaded<R>,
  named: string,
  { given, out, from, profile, encryptTo: to, placing }: PlacedOptions,
): Promise<Plan<R>> {
  if (from !== undefined)
    throw new OptionError(
      "a run that is resumed has its own parameters; leave --from out, or leave --resume out to begin a new run with those of another",
    );
  if (profile) throw new OptionError("a profile begins a run of its own; do not resume one");
  const folder = out === undefined ? await newestRun(recipe.name) : resolve(out);
  const saved = await readRecord(folder);
  requireStillEncrypted(join(folder, runFiles.record));
  if (to !== undefined) await encryptFolder(folder, encryptTo(to));
  if (existsSync(join(folder, runFiles.merge)))
    throw new OptionError(
      `${shownPath(folder)} was merged of other runs, and does not hold what their optimizers remembered; resume one of those, or train a new run`,
    );
  const same =
    path === undefined ? saved.recipe.name === recipe.name && !saved.recipe.path : saved.recipe.path === path;
  if (!same) {
    const other = saved.recipe.path ?? saved.recipe.name;
    throw new OptionError(
      `${shownPath(folder)} is a run of ${other}, not of ${named}; resume it with: ${command`sardonyx train ${other} --resume --out ${shownPath(folder)}`}`,
    );
  }
  const asked = { ...given, ...(given.options && { options: absolutePaths(given.options) }) };
  const { settings, conflicts } = resumedSettings(saved.settings, asked);
  if (conflicts.length > 0) {
    const list = conflicts.map(
      ({ name, given: value, has }) => `${spoken(name)} ${value} (the run has ${has ?? "none"})`,
    );
    throw new OptionError(
      `a run that is resumed keeps its settings, and got ${list.join(" and ")}; leave ${conflicts.length > 1 ? "them" : "it"} out (more epochs and another device may be given), or start a new run`,
    );
  }
  await requireDevice(settings);
  const here = versions();
  const changed = Object.entries(saved.versions).filter(([name, was]) => here[name] !== was);
  const claimed = claimRun(folder);
  try {
    // Killed before its first checkpoint, a run begins again.
    const begun = existsSync(join(folder, runFiles.checkpoint));
    return {
      recipe,
      named,
      folder,
      claimed,
      record: { ...saved, settings },
      compile: compileOptions(settings),
      ...(begun && { progress: await readCheckpoint(folder, runFiles.checkpoint) }),
      resumed: true,
      choosesParts: false,
      notes: [
        ...claimed.notes,
        ...placing,
        ...(changed.length === 0
          ? []
          : [
              `This run began with ${changed.map(([name, was]) => `${name} ${was} (here ${here[name] ?? "none"})`).join(", ")}: it goes on, but maybe not bit for bit.`,
            ]),
      ],
    };
  } catch (error) {
    claimed.release();
    throw error;
  }
}

/** The optimizer of a task. */
export const optimizerFor = ({ schedule, optimizers }: Task, settings: RunSettings): Optimizer =>
  optimizerOf(settings.optimizer, {
    ...optimizers?.[settings.optimizer],
    learningRate: schedule ?? settings.learningRate,
  });
