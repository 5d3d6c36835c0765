/** A recipe trained from several seeds: each run in a folder of its own, and the mean of their tests with its interval. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Communicator } from "../../distributed/communicator.ts";
import { shareOut } from "../../distributed/shared-work.ts";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import { advantageOf, type ComparedMetric, comparedResult } from "../../train/baselines/compared-metric.ts";
import { confidenceInterval, type Interval } from "../../train/metrics/interval.ts";
import type { Recipe } from "../recipes/recipe.ts";
import type { Loaded } from "../recipes/recipes.node.ts";
import type { EvaluationReport } from "./evaluation.ts";
import type { RunObserver } from "./observer.ts";
import { givenLike, makePlan, type PlanOptions } from "./plan.node.ts";
import { leads } from "./ranks.node.ts";
import { type TrainOptions, train } from "./run.node.ts";

/** What one seed came to. */
export interface SeedResult {
  readonly seed: number;
  /** The folder of its run. */
  readonly folder: string;
  readonly evaluation: EvaluationReport;
  /** Seconds that it took, of a run that was done before those of reading it. */
  readonly seconds: number;
}

/** A figure over seeds: its mean with the 95 % confidence interval, and the value of each. */
export interface FigureOfSeeds extends Interval {
  readonly name: string;
  readonly values: readonly number[];
}

/** A baseline over seeds, and how much better the model is, by pairs of the same rows: above 0 it is. */
export interface BaselineOfSeeds extends FigureOfSeeds {
  readonly metric: ComparedMetric;
  readonly advantage: Interval;
}

/** What several seeds came to. */
export interface SeedsReport {
  readonly seeds: readonly number[];
  readonly figures: readonly FigureOfSeeds[];
  readonly baselines: readonly BaselineOfSeeds[];
}

const figureOf = (name: string, values: readonly number[]): FigureOfSeeds => ({
  name,
  values,
  ...confidenceInterval(values),
});

/** Means over seeds of everything that each test measured. Throws DataError for fewer than two. */
export function summarizeSeeds(results: readonly SeedResult[]): SeedsReport {
  const tests = results.map(({ evaluation }) => evaluation);
  const valuesOf = (pick: (test: EvaluationReport) => number | undefined): readonly number[] | undefined => {
    const values = tests.map(pick);
    return values.every((value) => value !== undefined && Number.isFinite(value)) ? (values as number[]) : undefined;
  };
  const names = Object.keys(tests[0]?.results ?? {}).filter((name) => !name.endsWith("confusionMatrix"));
  const figures = names.flatMap((name) => {
    const values = valuesOf(({ results: own }) => own[name]);
    return values ? [figureOf(name, values)] : [];
  });
  const baselines = (tests[0]?.baselines ?? []).flatMap(({ name, metric }) => {
    const values = valuesOf((test) => test.baselines?.find((own) => own.name === name && own.metric === metric)?.test);
    const model = valuesOf(({ results: own }) => own[comparedResult(metric)]);
    if (!values || !model) return [];
    const advantage = confidenceInterval(values.map((value, i) => advantageOf(metric, model[i] as number, value)));
    return [{ ...figureOf(name, values), metric, advantage }];
  });
  return { seeds: results.map(({ seed }) => seed), figures, baselines };
}

/** What is trained from several seeds, and how it is watched. */
export interface SeedsOptions extends Pick<TrainOptions, "signal" | "checkpointSeconds"> {
  /** The folder of their folders. */
  readonly folder: string;
  /** The first seed. */
  readonly first: number;
  /** How many. */
  readonly count: number;
  /** Go on with the runs that are there. */
  readonly resume: boolean;
  /** The processes, each of which trains from whole seeds. */
  readonly communicator?: Communicator | undefined;
  /** What is chosen beside the seed. */
  readonly plan: Omit<PlanOptions, "out" | "resume">;
  readonly observer: RunObserver;
  /** Told of each seed that is done. */
  onSeed?(result: SeedResult): void;
}

/** Trains from each seed that is left, and keeps what they came to in `seeds.json`. Throws as training does. */
export async function runSeeds(loaded: Loaded<Recipe>, named: string, options: SeedsOptions): Promise<SeedsReport> {
  const { folder, first, count, resume, observer, signal, checkpointSeconds, communicator } = options;
  const results: SeedResult[] = [];
  const given = resume ? await givenLike(join(folder, `seed-${first}`), options.plan.given) : options.plan.given;
  const seeds = Array.from({ length: count }, (_, i) => first + i);
  const trained = shareOut(communicator, seeds, async (seed): Promise<SeedResult> => {
    const began = performance.now();
    const out = join(folder, `seed-${seed}`);
    const plan = await makePlan(loaded, named, {
      ...options.plan,
      given: { ...given, seed },
      out,
      resume: resume && existsSync(out),
    });
    const { evaluation } = await train(plan, { signal, observer, checkpointSeconds });
    return {
      seed,
      folder: plan.folder,
      evaluation: evaluation as EvaluationReport,
      seconds: (performance.now() - began) / 1000,
    };
  });
  for await (const { result } of trained) {
    results.push(result);
    options.onSeed?.(result);
    if (results.length > 1 && leads({ communicator }))
      await writeFileAtomic(join(folder, "seeds.json"), `${JSON.stringify(summarizeSeeds(results), null, 2)}\n`);
  }
  return summarizeSeeds(results);
}
