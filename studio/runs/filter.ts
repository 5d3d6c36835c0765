/** Runs that match what was typed: words of names, recipes, tags and states, and comparisons such as `learningRate>0.001`. */
import type { RunSummary, SettingValue } from "../shared/api.ts";

/** What a run is known by: its settings, its results, its latest numbers. */
export function numberOrSetting(run: RunSummary, name: string): SettingValue | undefined {
  if (name === "epoch") return run.epoch;
  return run.settings[name] ?? run.results[name] ?? run.latest[name];
}

const comparison = /^([\w./-]+)(<=|>=|!=|=|<|>)(.+)$/;

const holds = (left: SettingValue, sign: string, right: string): boolean => {
  const [a, b] = typeof left === "number" ? [left, Number(right)] : [String(left), right];
  if (sign === "=") return a === b;
  if (sign === "!=") return a !== b;
  if (sign === "<") return a < b;
  if (sign === ">") return a > b;
  return sign === "<=" ? a <= b : a >= b;
};

/** Whether a run matches every word; one that begins with "-" must not match. */
export function matches(run: RunSummary, filter: string): boolean {
  const text = [run.id, run.name, run.recipe ?? "", run.group, run.state, run.note, ...run.tags]
    .join("\n")
    .toLowerCase();
  return filter
    .trim()
    .split(/\s+/)
    .every((word) => {
      const isNot = word.startsWith("-") && word.length > 1;
      const own = isNot ? word.slice(1) : word;
      const [, name, sign, right] = comparison.exec(own) ?? [];
      const value = name === undefined ? undefined : numberOrSetting(run, name);
      const found =
        name === undefined || sign === undefined || right === undefined
          ? text.includes(own.toLowerCase())
          : value !== undefined && holds(value, sign, right);
      return found !== isNot;
    });
}
