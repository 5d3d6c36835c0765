/** Runs put together: by what they have in common, with the means of those that differ in their seed alone. */
import { confidenceInterval } from "../../src/train/metrics/interval.ts";
import type { RunSummary } from "../shared/api.ts";

/** By what runs are put together. */
export const groupings = ["none", "recipe", "group", "seeds"] as const;
export type Grouping = (typeof groupings)[number];

/** Runs that belong together. */
export interface RunGroup {
  readonly key: string;
  readonly runs: readonly RunSummary[];
}

/** What runs of other seeds have in common. */
function settingsKey({ recipe, settings }: RunSummary): string {
  const { seed: _, ...others } = settings;
  return JSON.stringify([recipe, Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Runs by groups, in the order of the first of each. */
export function grouped(runs: readonly RunSummary[], by: Grouping): RunGroup[] {
  const groups = new Map<string, RunSummary[]>();
  const keyOf = (run: RunSummary): string => {
    if (by === "recipe") return run.recipe ?? "";
    if (by === "group") return run.group;
    return by === "seeds" ? settingsKey(run) : run.id;
  };
  for (const run of runs) {
    const key = keyOf(run);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return Array.from(groups, ([key, own]) => ({ key, runs: own }));
}

/** Names of settings that are not the same in all runs, in the order in which they first appear. */
export function differingSettings(runs: readonly RunSummary[]): string[] {
  const names = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))];
  return names.filter((name) => new Set(runs.map(({ settings }) => settings[name])).size > 1);
}

/** A mean over runs, and half of its 95 % interval (Student's t), where there are several. */
export interface Summed {
  readonly mean: number;
  readonly half?: number;
  readonly count: number;
}

/** The mean of a number of several runs; nothing where none has it. */
export function meanOf(
  runs: readonly RunSummary[],
  number: (run: RunSummary) => number | undefined,
): Summed | undefined {
  const values = runs.map(number).filter((value): value is number => value !== undefined && Number.isFinite(value));
  const [only] = values;
  if (only === undefined) return undefined;
  if (values.length === 1) return { mean: only, count: 1 };
  const { mean, high } = confidenceInterval(values);
  return { mean, half: high - mean, count: values.length };
}
