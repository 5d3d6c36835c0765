/** Figures of what layers learned, as SVG text. */
import { greatest, spaced } from "../../core/lists.ts";
import { heatmap } from "../../draw/heatmap.ts";
import { linePlot, type PlotOptions } from "../../draw/plot.ts";
import type { LayerRank } from "./feature-rank.ts";
import type { LayerMoment } from "./layer-history.ts";
import type { LayerSimilarity } from "./layer-similarity.ts";
import type { LayerStatistics } from "./layer-statistics.ts";
import type { LossLandscape } from "./loss-landscape.ts";

/** Moments that a figure shows. */
const mostMoments = 40;
/** Layers that are told apart as lines. */
const mostLines = 6;
/** Pixels of a square: smaller where there are many rows. */
const cellOf = (rows: number): number => (rows > 60 ? 10 : rows > 24 ? 14 : 20);

/** A number of a layer that is shown over time. */
interface Shown {
  readonly name: string;
  readonly title: string;
  /** What the number is. */
  readonly label: string;
  readonly scale: "linear" | "log";
  readonly domain?: readonly [number, number];
  readonly of: (layer: LayerStatistics) => number | undefined;
}

const shares = { scale: "linear", domain: [0, 1] } as const;
const shown: readonly Shown[] = [
  {
    name: "gradients",
    title: "Gradients of the weights, by layer",
    label: "norm of the gradient",
    scale: "log",
    of: ({ weights }) => weights?.gradient,
  },
  {
    name: "ratios",
    title: "Gradients beside weights, by layer",
    label: "norm of the gradient / norm of the weights",
    scale: "log",
    of: ({ weights }) => weights?.ratio,
  },
  {
    name: "deviations",
    title: "Outputs, by layer",
    label: "standard deviation",
    scale: "log",
    of: ({ deviation }) => deviation,
  },
  {
    name: "dead",
    title: "Dead units, by layer",
    label: "share of units that are 0",
    ...shares,
    of: ({ dead }) => dead,
  },
  {
    name: "zeros",
    title: "Zeros, by layer",
    label: "share of outputs that are 0",
    ...shares,
    of: ({ zeros }) => zeros,
  },
];

/** The layers of all moments that have a number, in the order in which they came. */
function pathsOf(history: readonly LayerMoment[], of: Shown["of"]): readonly string[] {
  const known = history.flatMap(({ layers }) => layers.filter((layer) => (of(layer) ?? 0) !== 0));
  return [...new Set(known.map(({ path }) => path))];
}

/**
 * Layers over time, a figure for each number that is not 0 everywhere: lines of few layers, heat maps of more. None of fewer than two moments.
 * @param size of the lines in pixels; default that of `linePlot`
 */
export function historyFigures(
  history: readonly LayerMoment[],
  size: Pick<PlotOptions, "width" | "height"> = {},
): Readonly<Record<string, string>> {
  if (history.length < 2) return {};
  const moments = spaced(history, mostMoments).map(([, moment]) => moment);
  const figures = shown.flatMap(({ name, title, label, scale, domain, of }) => {
    const paths = pathsOf(moments, of);
    if (paths.length === 0) return [];
    const rows = paths.map((path) =>
      moments.map(({ layers }) => {
        const found = layers.find((own) => own.path === path);
        return (found && of(found)) ?? Number.NaN;
      }),
    );
    if (paths.length > mostLines) {
      const columns = moments.map(({ epoch }) => String(epoch));
      const colours = { label, scale, ...(domain && { domain }) };
      const all = { title: `${title} and epoch`, rows: paths, columns, values: rows.flat(), colours };
      return [[name, heatmap({ ...all, cell: cellOf(paths.length) })] as const];
    }
    const series = paths.map((path, i) => ({
      name: path,
      points: moments.flatMap(({ epoch }, at): (readonly [number, number])[] => {
        const value = rows[i]?.[at] ?? Number.NaN;
        return Number.isFinite(value) && (scale !== "log" || value > 0) ? [[epoch, value]] : [];
      }),
    }));
    const plot = { ...size, title, x: { label: "epoch" }, y: { label, scale, ...(domain && { domain }) } };
    return [[name, linePlot(series, plot)] as const];
  });
  return Object.fromEntries(figures);
}

/** A number of each layer from the first to the last, for several models or moments: their names, and the numbers in the order of the layers. */
function layerProfile(
  series: readonly { readonly name: string; readonly values: readonly number[] }[],
  {
    title,
    label,
    scale = "log",
  }: { readonly title: string; readonly label: string; readonly scale?: "linear" | "log" },
): string {
  const lines = series.map(({ name, values }) => ({
    name,
    points: values.flatMap((value, i): (readonly [number, number])[] =>
      Number.isFinite(value) && (scale !== "log" || value > 0) ? [[i + 1, value]] : [],
    ),
  }));
  const layers = greatest(
    series.map(({ values }) => values.length),
    2,
  );
  return linePlot(lines, {
    title,
    x: { label: "layer, from the input to the output", domain: [1, layers] },
    y: { label, scale },
  });
}

/** Effective ranks beside what they can be at the most. */
export const rankFigure = (ranks: readonly LayerRank[]): string =>
  layerProfile(
    [
      { name: "effective", values: ranks.map(({ effective }) => effective) },
      { name: "stable", values: ranks.map(({ stable }) => stable) },
      { name: "at most", values: ranks.map(({ most }) => most) },
    ],
    { title: "Rank of features, by layer", label: "dimensions" },
  );

/** Similarities of layers with layers, from 0 to 1. */
export const similarityFigure = ({ rows, columns, values }: LayerSimilarity): string =>
  heatmap({
    title: "Similarity of layers",
    rows: rows.map(({ path }) => path),
    columns: columns.map(({ path }) => path),
    values,
    colours: { label: "linear CKA", domain: [0, 1] },
    cell: cellOf(Math.max(rows.length, columns.length)),
  });

/** The loss around the parameters, which stand in the middle; on a logarithmic scale where it is above 0. */
export function landscapeFigure({ offsets, losses }: LossLandscape): string {
  const names = offsets.map((offset) => String(Number(offset.toFixed(2))));
  const scale = losses.every((loss) => !(loss <= 0)) ? "log" : "linear";
  const colours = { label: "loss", scale } as const;
  return heatmap({
    title: "Loss around the parameters",
    rows: names,
    columns: names,
    values: losses,
    colours,
    cell: 18,
  });
}
