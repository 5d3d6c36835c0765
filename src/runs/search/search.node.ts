/** A search of settings: trials in folders of their own, the better of which are trained on, and the best in full. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { DataError, OptionError, SardonyxError } from "../../core/errors.ts";
import { greatest, least } from "../../core/lists.ts";
import { count, objectOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, keyOf } from "../../core/random.ts";
import type { Communicator } from "../../distributed/communicator.ts";
import { leadersData, shareOut } from "../../distributed/shared-work.ts";
import { readBytes, writeFileAtomic } from "../../storage/atomic.node.ts";
import { encryptFolder } from "../../storage/encryption/encrypted-folder.node.ts";
import { encryptTo } from "../../storage/encryption/recipients.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { comparedMetrics, comparedResult } from "../../train/baselines/compared-metric.ts";
import { type Callback, signOf } from "../../train/callbacks/callback.ts";
import type { EpochResult } from "../../train/engine/running-sums.ts";
import type { Run } from "../../train/fit.ts";
import { runFiles } from "../folder/run-folder.node.ts";
import { defaultOptions, type Recipe } from "../recipes/recipe.ts";
import { type Loaded, loadRecipe } from "../recipes/recipes.node.ts";
import { checkChoices, type GivenSettings, type OptionValue, type RecipeChoices } from "../recipes/settings.ts";
import { Interrupted } from "../training/interrupted.ts";
import type { RunObserver } from "../training/observer.ts";
import { givenLike, makePlan, type Plan, type PlanOptions } from "../training/plan.node.ts";
import { leads } from "../training/ranks.node.ts";
import {
  type RunRecipeOptions,
  type RunResult,
  runRecipeTypes,
  type TrainOptions,
  train,
  trainPlan,
} from "../training/run.node.ts";
import { type Rung, rungsOf } from "./rungs.ts";
import { parseSearch, ranked, type SearchReport, type Trial } from "./search-report.ts";
import { type Chosen, checkSpace, drawFrom, type SearchSpace, searchedSettings, usualSpace } from "./space.ts";

/** What is searched, and how it is watched. */
export interface SearchOptions extends Pick<TrainOptions, "signal" | "checkpointSeconds"> {
  /** The folder of `search.json`, of the trials in `trials/` and of the run with the settings that were found, `best/`. */
  readonly folder: string;
  /** How many settings are tried. */
  readonly trials: number;
  /** What may be chosen; default what the recipe declares, else its rate and batch size. */
  readonly space: SearchSpace | undefined;
  /** Go on with the search that is there. */
  readonly resume: boolean;
  /** The processes, each of which trains whole trials, and all the best one. */
  readonly communicator?: Communicator | undefined;
  /** What is chosen beside. */
  readonly plan: Omit<PlanOptions, "out" | "resume">;
  readonly observer: RunObserver;
  /** Told as a search begins or goes on. */
  onBegin?(search: SearchReport): void;
  /** Told of each trial that reached a rung. */
  onTrial?(trial: Trial, rung: Rung, search: SearchReport): void;
}

/** Ends a trial at its rung. */
const rungEnd = new SardonyxError("the rung is reached");

/** The settings that a recipe begins with, by name, and its own options. */
export function settingsNow(
  { defaults, options }: Recipe,
  given: GivenSettings,
): Readonly<Record<string, OptionValue>> {
  const own = Object.fromEntries(
    searchedSettings.map((name) => [name, (given[name] ?? defaults[name]) as OptionValue]),
  );
  return { ...own, ...(options && defaultOptions({ options })), ...given.options };
}

/** The trials of a new search: first the settings that there are, then others that are drawn; fewer where a space has no more. */
function drawTrials(space: SearchSpace, now: Chosen, count: number, seed: number): readonly Trial[] {
  const begun = Object.fromEntries(Object.keys(space).map((name) => [name, now[name] as OptionValue]));
  const drawn: Chosen[] = [begun];
  const seen = new Set([JSON.stringify(begun)]);
  for (let i = 0; drawn.length < count && i < 50 * count; i++) {
    const settings = drawFrom(space, foldIn(foldIn(keyOf(seed), "trial"), String(i)));
    const text = JSON.stringify(settings);
    if (!seen.has(text)) drawn.push(settings);
    seen.add(text);
  }
  return drawn.map((settings, i) => ({ number: i + 1, settings, reached: [], losses: [], curve: [], seconds: 0 }));
}

/**
 * Searches settings by successive halving on validation data: all trials are trained for a few epochs, the better third of them three
 * times as long, and so on. `search.json` in the folder keeps what each came to, so that a search which stopped goes on. Gives the
 * search with the trial that was chosen, whose settings `best` trains in full. Throws Interrupted when the signal is aborted, DataError
 * where no trial came to anything, OptionError for a space that makes no sense and for a recipe without validation data.
 */
export async function searchSettings(
  loaded: Loaded<Recipe>,
  named: string,
  options: SearchOptions,
): Promise<SearchReport> {
  const { folder, resume, communicator } = options;
  const path = join(folder, runFiles.search);
  const isNew = !resume || !existsSync(path);
  let search = await leadersData(communicator, () => begunSearch(loaded.recipe, options, path));
  options.onBegin?.(search);
  const keep = async (changed: SearchReport) => {
    search = changed;
    if (leads({ communicator })) await writeFileAtomic(path, `${JSON.stringify(search, null, 2)}\n`);
  };
  if (isNew) await keep(search);
  // Trials are opened again: of those that are encrypted, what opens them is missed now, not when hours have gone.
  if (leads({ communicator })) await readBytes(path, "search");
  for (const [place, rung] of search.rungs.entries()) {
    const left = entering(search, place, rung)
      .map(({ number }) => search.trials.find((own) => own.number === number) as Trial)
      .filter(({ reached }) => reached.length <= place);
    const advanced = shareOut(communicator, left, (trial) =>
      advance(loaded, named, { ...options, search, trial, rung }),
    );
    for await (const { result } of advanced) {
      const { trial: done, monitor, better } = result;
      await keep({
        ...search,
        ...(monitor !== undefined && { monitor, better }),
        trials: search.trials.map((own) => (own.number === done.number ? done : own)),
      });
      options.onTrial?.(done, rung, search);
    }
  }
  const [best] = ranked(search).filter(
    ({ failed, reached }) => failed === undefined && Number.isFinite(reached.at(-1)),
  );
  if (!best) {
    const why = search.trials.find(({ failed }) => failed !== undefined)?.failed;
    throw new DataError(
      `no trial of ${search.trials.length} came to a result${why === undefined ? "" : `; the first says: ${why}`}; search other ranges`,
    );
  }
  await keep({ ...search, chosen: best.number });
  return search;
}

/** The trials that a rung takes: the best at the rung before, whatever some of them reached since. */
function entering({ trials, better }: SearchReport, place: number, rung: Rung): readonly Trial[] {
  const able = trials.filter(({ failed, reached }) => failed === undefined && reached.length >= place);
  const then = able.map((trial) => ({ ...trial, reached: trial.reached.slice(0, place) }));
  return ranked({ trials: then, better })
    .slice(0, rung.trials)
    .toSorted((a, b) => a.number - b.number);
}

/** The search in the folder, or a new one. */
async function begunSearch(recipe: Recipe, options: SearchOptions, path: string): Promise<SearchReport> {
  const { folder, resume, trials, plan } = options;
  const { given } = plan;
  if (resume && existsSync(path))
    return parseSearch(new TextDecoder().decode(await readBytes(path, "search")), shownPath(path));
  if (existsSync(path))
    throw new OptionError(`${shownPath(folder)} holds a search already; resume it (--resume), or name another folder`);
  const now = settingsNow(recipe, given);
  const space =
    options.space ??
    recipe.search ??
    usualSpace({ batchSize: now["batchSize"] as number, learningRate: now["learningRate"] as number });
  checkSpace(space, Object.keys(now));
  const seed = given.seed ?? recipe.defaults.seed;
  const drawn = drawTrials(space, now, trials, seed);
  const epochs = given.epochs ?? recipe.defaults.epochs;
  return {
    format: "sardonyx-search-1",
    ...{ recipe: recipe.name, seed, space, epochs, trials: drawn },
    rungs: rungsOf(drawn.length, epochs),
    ...{ monitor: "", better: "higher" },
  };
}

/** Settings with those of a trial in their place. */
export function withChosen(given: GivenSettings, chosen: Chosen): GivenSettings {
  const isSetting = ([name]: readonly [string, unknown]) => (searchedSettings as readonly string[]).includes(name);
  const entries = Object.entries(chosen);
  return {
    ...given,
    ...Object.fromEntries(entries.filter(isSetting)),
    options: { ...given.options, ...Object.fromEntries(entries.filter((entry) => !isSetting(entry))) },
  };
}

/** The result by which trials are chosen: what baselines are held against where it is measured, else the first measure, else the loss. */
function monitorOf(results: EpochResult, { measuredNames }: Run): string | undefined {
  const names = Object.keys(results).filter((name) => name.startsWith("validation_"));
  const compared = comparedMetrics.map((metric) => `validation_${comparedResult(metric)}`);
  return names.find((name) => compared.includes(name)) ?? measuredNames[0] ?? lossOf(results);
}

/** The name of the validation loss. */
const lossOf = (results: EpochResult): string | undefined =>
  Object.keys(results).find((name) => name.startsWith("validation_") && name.endsWith("loss"));

/** The folder of a trial. */
const folderOf = (folder: string, number: number): string => join(folder, "trials", String(number).padStart(2, "0"));

/** What all trials have beside what is searched: what is given, and what the first one was given. */
const givenOf = ({ folder, plan }: Pick<SearchOptions, "folder" | "plan">): Promise<GivenSettings> =>
  givenLike(folderOf(folder, 1), plan.given);

/** A trial that is to reach a rung. */
interface Advancing extends SearchOptions {
  readonly search: SearchReport;
  readonly trial: Trial;
  readonly rung: Rung;
}

/** Trains a trial up to a rung. A mistake that its settings make is kept with it. */
async function advance(loaded: Loaded<Recipe>, named: string, options: Advancing) {
  const { folder, plan, signal, observer, checkpointSeconds, search, trial, rung } = options;
  const began = performance.now();
  const out = folderOf(folder, trial.number);
  let monitor: string | undefined = search.monitor || undefined;
  let { better } = search;
  const stop = new AbortController();
  const abort = () => stop.abort(signal?.reason);
  if (signal?.aborted) throw new Interrupted("before the next trial", { cause: signal.reason });
  signal?.addEventListener("abort", abort);
  let history: readonly EpochResult[] = [];
  const watch: Callback = {
    name: "search",
    onEpoch(run, results) {
      history = [...run.history];
      monitor ??= monitorOf(results, run);
      if (monitor !== undefined) better = signOf(run, monitor) > 0 ? "higher" : "lower";
      if (run.epoch >= rung.epochs) stop.abort(rungEnd);
    },
  };
  let failed: string | undefined;
  try {
    const given = withChosen(await givenOf(options), trial.settings);
    const planned = await makePlan(loaded, named, {
      ...plan,
      given,
      out,
      resume: existsSync(join(out, runFiles.record)),
    });
    history = planned.progress?.history ?? [];
    if (history.length >= rung.epochs) planned.claimed.release();
    else {
      const result = await train(planned, {
        signal: stop.signal,
        observer: { ...observer, callbacks: () => [watch] },
        checkpointSeconds,
        isTrial: true,
      });
      history = result.history;
    }
  } catch (error) {
    const isReached = error instanceof Interrupted && stop.signal.reason === rungEnd;
    // What a trial's own settings make impossible is its result; what ends every trial ends the search.
    if (!isReached && !(error instanceof DataError && trial.number > 1)) throw error;
    if (!isReached) failed = error.message;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
  if (signal?.aborted) throw new Interrupted(`in trial ${trial.number}`, { cause: signal.reason });
  const curveOf = (name = "") => history.map((results) => results[name] ?? Number.NaN);
  const done: Trial = {
    ...trial,
    reached: [...trial.reached, bestOf(curveOf(monitor).slice(0, rung.epochs), better)],
    losses: [...trial.losses, bestOf(curveOf(lossOf(history[0] ?? {})).slice(0, rung.epochs), "lower")],
    curve: curveOf(monitor),
    seconds: trial.seconds + (performance.now() - began) / 1000,
    ...(failed !== undefined && { failed }),
  };
  return { trial: done, monitor, better };
}

/** The best of the finite values of a curve; NaN where there are none. */
function bestOf(curve: readonly number[], better: SearchReport["better"]): number {
  const values = curve.filter(Number.isFinite);
  if (values.length === 0) return Number.NaN;
  return better === "higher" ? greatest(values) : least(values);
}

/** The plan of the run with the settings that were found, which goes on where it has begun. Its folder keeps the search. */
export async function planOfBest(
  loaded: Loaded<Recipe>,
  named: string,
  search: SearchReport,
  { folder, plan, communicator }: Pick<SearchOptions, "folder" | "plan" | "communicator">,
): Promise<Plan> {
  const chosen = search.trials.find(({ number }) => number === search.chosen)?.settings ?? {};
  const out = join(resolve(folder), "best");
  const made = await makePlan(loaded, named, {
    ...plan,
    given: withChosen(await givenOf({ folder, plan }), chosen),
    out,
    resume: existsSync(join(out, runFiles.record)),
    communicator,
  });
  if (leads(made)) await writeFileAtomic(join(made.folder, runFiles.search), `${JSON.stringify(search, null, 2)}\n`);
  return made;
}

/**
 * How settings are searched: the options of `runRecipe`, whose folder is `runs/NAME-search` by default, and
 * - `trials`: how many settings are tried; default 9.
 * - `space`: what may be chosen, by the names of settings and of the recipe's own options; default what the recipe declares, else its rate up
 * to ten times less or more and half or twice its batch.
 */
export type SearchRecipeOptions = RunRecipeOptions & {
  /** How many settings are tried. */
  readonly trials?: number;
  /** What may be chosen. */
  readonly space?: SearchSpace;
};

const checkOptions = optionsOf<SearchRecipeOptions>("searchRecipe", {
  ...runRecipeTypes,
  trials: count(2),
  space: objectOf("ranges by the names of settings: { learningRate: { low: 1e-4, high: 1e-2, log: true } }"),
});

/**
 * Searches settings of a recipe by successive halving on validation data (Jamieson and Talwalkar 2016), then trains the recipe with the best
 * of them in full and tests it. Throws as `runRecipe` does, DataError where no trial comes to anything.
 * @param recipe a recipe, the name of a built-in one, or the path of your own
 * @param settings in place of the recipe's defaults; the first trial has them
 * @example
 * const { search, evaluation } = await searchRecipe("lenet-mnist", { limit: 5000 }, { trials: 9 });
 */
export async function searchRecipe(
  recipe: Recipe | string,
  settings: RecipeChoices = {},
  searchOptions: SearchRecipeOptions = {},
): Promise<RunResult & { readonly search: SearchReport }> {
  const { trials = 9, space, signal, observer = {}, device, threads, ...options } = checkOptions(searchOptions);
  const { out, resume = false, encryptTo: to, checkpointSeconds } = options;
  checkChoices(settings);
  const loaded = typeof recipe === "string" ? await loadRecipe(recipe) : { recipe };
  const named = typeof recipe === "string" ? recipe : recipe.name;
  const searching: SearchOptions = {
    folder: resolve(out ?? `runs/${loaded.recipe.name}-search`),
    plan: { given: { ...settings, device, threads } },
    checkpointSeconds: checkpointSeconds ?? 30,
    ...{ trials, space, resume, observer, signal },
  };
  if (to !== undefined) await encryptFolder(searching.folder, encryptTo(to));
  const search = await searchSettings(loaded, named, searching);
  const plan = await planOfBest(loaded, named, search, searching);
  return { ...(await trainPlan(plan, { signal, observer, checkpointSeconds })), search };
}
