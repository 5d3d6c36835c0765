/** A search of settings in a report: a sentence, a table of its trials, a plot of their curves. */
import { greatest, least } from "../../core/lists.ts";
import { duration, plural, resultText, spoken } from "../../core/number-text.ts";
import { wholeTicks } from "../../draw/curves.ts";
import { linePlot, type PlotOptions, palette } from "../../draw/plot.ts";
import { ranked, type SearchReport } from "../search/search-report.ts";

/** What was done, in a sentence. */
export function searchText({ trials, rungs, monitor, epochs, chosen }: SearchReport): string {
  const steps = rungs.map((rung) => `${plural(rung.trials, "trial")} for ${plural(rung.epochs, "epoch")}`);
  const seconds = trials.reduce((sum, own) => sum + own.seconds, 0);
  return `Settings were chosen by ${spoken(monitor)}, by successive halving (Jamieson and Talwalkar 2016): ${steps.join(", the best ")}; trial ${chosen} is this run, of ${plural(epochs, "epoch")}. Trials took ${duration(seconds)}. The test was not looked at.`;
}

/** The trials from the best on, by rung. */
export function searchTable(search: SearchReport): {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const { space, rungs, monitor } = search;
  const names = Object.keys(space);
  return {
    head: ["Trial", ...names.map(spoken), ...rungs.map(({ epochs }) => plural(epochs, "epoch")), "Time"],
    rows: ranked(search).map(({ number, settings, reached, seconds, failed }) => [
      String(number),
      ...names.map((name) => String(settings[name] ?? "")),
      ...rungs.map((_, place) => {
        const value = reached[place];
        if (value === undefined) return "-";
        return failed !== undefined && place === reached.length - 1 ? "failed" : resultText(monitor, value);
      }),
      duration(seconds),
    ]),
  };
}

/** The monitored result by epoch, of as many of the best trials as colours tell apart. */
export function searchPlot(search: SearchReport, size: Pick<PlotOptions, "width" | "height">): string {
  const lines = ranked(search)
    .filter(({ curve }) => curve.some(Number.isFinite))
    .slice(0, palette.length)
    .map(({ number, curve }) => ({
      name: `trial ${number}`,
      points: curve.flatMap((value, i) => (Number.isFinite(value) ? [[i + 1, value] as const] : [])),
    }));
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  const [low, high] = [least(values), greatest(values)];
  const longest = greatest(
    lines.map(({ points }) => points.at(-1)?.[0] ?? 1),
    2,
  );
  if (lines.length === 0 || !(high > low)) return "";
  return linePlot(lines, {
    ...size,
    title: `${spoken(search.monitor)} by epoch`,
    x: { label: "epoch", domain: [1, longest], ticks: wholeTicks(longest) },
    y: { label: spoken(search.monitor), domain: [low, high] },
  });
}
