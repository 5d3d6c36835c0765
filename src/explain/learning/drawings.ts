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

/** Numbers of a layer that are shown over time. */
export const layerQuantities = ["gradients", "weights", "ratios", "deviations", "dead", "zeros"] as const;
/** The name of such a number. */
export type LayerQuantity = (typeof layerQuantities)[number];

/** How a number of layers is shown. */
interface Shown {
  readonly title: string;
  /** What the number is. */
  readonly label: string;
  readonly scale: "linear" | "log";
  readonly domain?: readonly [number, number];
  readonly of: (layer: LayerStatistics) => number | undefined;
}

const shares = { scale: "linear", domain: [0, 1] } as const;
const shown: Readonly<Record<LayerQuantity, Shown>> = {
  gradients: {
    title: "Gradients of the weights, by layer",
    label: "norm of the gradient",
    scale: "log",
    of: ({ weights }) => weights?.gradient,
  },
  weights: {
    title: "Weights, by layer",
    label: "norm of the weights",
    scale: "log",
    of: ({ weights }) => weights?.norm,
  },
  ratios: {
    title: "Gradients beside weights, by layer",
    label: "norm of the gradient / norm of the weights",
    scale: "log",
    of: ({ weights }) => weights?.ratio,
  },
  deviations: {
    title: "Outputs, by layer",
    label: "standard deviation",
    scale: "log",
    of: ({ deviation }) => deviation,
  },
  dead: {
    title: "Dead units, by layer",
    label: "share of units that are 0",
    ...shares,
    of: ({ dead }) => dead,
  },
  zeros: {
    title: "Zeros, by layer",
    label: "share of outputs that are 0",
    ...shares,
    of: ({ zeros }) => zeros,
  },
};

/** A number of a layer; nothing where the layer does not have it. */
export const quantityOf = (layer: LayerStatistics, quantity: LayerQuantity): number | undefined =>
  shown[quantity].of(layer);

/** One number of all layers over time, as plain data. */
export interface LayersOverTime {
  readonly scale: "linear" | "log";
  /** What a share spans; other numbers what they are. */
  readonly domain?: readonly [number, number];
  /** The layers of all moments that have a number other than 0, in the order in which they came. */
  readonly paths: readonly string[];
  /** Of each moment the epochs completed, and the batches. */
  readonly epochs: readonly number[];
  readonly batches: readonly number[];
  /** Of each layer the number at each moment; NaN where there is none. */
  readonly rows: readonly (readonly number[])[];
}

/** One number of all layers over time; without layers where it is 0 everywhere. */
export function layersOverTime(history: readonly LayerMoment[], quantity: LayerQuantity): LayersOverTime {
  const { scale, domain, of } = shown[quantity];
  const known = history.flatMap(({ layers }) => layers.filter((layer) => (of(layer) ?? 0) !== 0));
  const paths = [...new Set(known.map(({ path }) => path))];
  const byPath = history.map(({ layers }) => new Map(layers.map((layer) => [layer.path, layer])));
  return {
    ...{ scale, paths },
    ...(domain && { domain }),
    epochs: history.map(({ epoch }) => epoch),
    batches: history.map(({ batch }) => batch),
    rows: paths.map((path) =>
      byPath.map((layers) => {
        const layer = layers.get(path);
        return (layer && of(layer)) ?? Number.NaN;
      }),
    ),
  };
}

/** A heat map of layers and moments, 40 moments at most, under a title and with what the number is. */
export function layersHeatmap(
  { scale, domain, paths, epochs, rows }: LayersOverTime,
  { title, label }: { readonly title: string; readonly label: string },
): string {
  const moments = spaced(epochs, mostMoments);
  return heatmap({
    title,
    rows: paths,
    columns: moments.map(([, epoch]) => String(epoch)),
    values: rows.flatMap((row) => moments.map(([place]) => row[place] ?? Number.NaN)),
    colours: { label, scale, ...(domain && { domain }) },
    cell: cellOf(paths.length),
  });
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
  const figures = layerQuantities.flatMap((name) => {
    const { title, label, scale, domain } = shown[name];
    const layers = layersOverTime(moments, name);
    const { paths, rows, epochs } = layers;
    if (paths.length === 0) return [];
    if (paths.length > mostLines)
      return [[name, layersHeatmap(layers, { title: `${title} and epoch`, label })] as const];
    const series = paths.map((path, i) => ({
      name: path,
      points: epochs.flatMap((epoch, at): (readonly [number, number])[] => {
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
