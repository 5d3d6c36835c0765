/** Networks that forecast time series: several kinds side by side, each of members that can be trained on other windows. */
import { count, listOf, matching, share } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { activation, type Context, constantInit, dropout, Module } from "../../nn/index.ts";
import {
  add,
  concat,
  constant,
  cos,
  div,
  expand,
  flatten,
  floor,
  gather,
  mul,
  oneHot,
  reduceMean,
  reduceSum,
  reshape,
  sin,
  slice,
  softplus,
  split,
  sub,
  transpose,
} from "../../ops/index.ts";
import { MemberDense, MemberEmbedding } from "../shared/member-layers.ts";
import { categoryCount, categoryIds, standardized, type TableColumn } from "../tables/table-columns.ts";

/** What training data showed of a target of a series. */
export interface SeriesScale {
  readonly mean: number;
  /** Standard deviation of its values. */
  readonly deviation: number;
  /** Root of the mean squared difference between a value and those of the horizon after it: the error of the last value as a forecast. */
  readonly change: number;
}

/** Cycles of the calendar, with the sines that tell each: those of 7 days tell all weekdays apart. */
const cycles = { day: 4, week: 3, year: 3 } as const;
/** A cycle of the calendar that forecasts may follow. */
export type ForecastCycle = keyof typeof cycles;

/** Options of `Forecaster`. */
export interface ForecasterOptions {
  /** Steps that are read. */
  readonly window: number;
  /** Steps that are forecast. */
  readonly horizon: number;
  /** Of each series, of each target: where its values lie. */
  readonly scales: readonly (readonly SeriesScale[])[];
  /** What is read beside the targets of each step of the window; default nothing. */
  readonly covariates?: readonly TableColumn[];
  /** What is known of the steps to forecast, and of those before; default nothing. */
  readonly known?: readonly TableColumn[];
  /** Cycles of the calendar that are read; default none. */
  readonly cycles?: readonly ForecastCycle[];
  /** Members of each kind, an even number: the first half is for choosing, the others forecast; default 6. */
  readonly members?: number;
  /** Units of hidden layers; default 64. */
  readonly width?: number;
  /** Share of hidden units that training drops; default 0.3. */
  readonly dropout?: number;
}

const columns = listOf(
  matching<TableColumn>("a column", (value) => typeof value === "object"),
  "columns",
);

const checkOptions = optionsOf<ForecasterOptions>("Forecaster", {
  window: required(count()),
  horizon: required(count()),
  scales: required(
    listOf(
      matching<readonly SeriesScale[]>("a list of { mean, deviation, change }", (value) => Array.isArray(value)),
      "lists of scales, one for each series",
    ),
  ),
  covariates: columns,
  known: columns,
  cycles: listOf(
    matching<ForecastCycle>(Object.keys(cycles).join(", "), (value) => typeof value === "string" && value in cycles),
    "cycles",
  ),
  members: matching(
    "an even number from 2",
    (value) => Number.isInteger(value) && Number(value) >= 2 && Number(value) % 2 === 0,
  ),
  width: count(),
  dropout: share,
});

/** What a kind of network reads of windows and gives, and how deep it is. */
interface Kind {
  /** Values from the last one on, in changes that are usual; else in deviations from the mean. */
  readonly ofChanges: boolean;
  /** Hidden layers. */
  readonly layers: number;
}

/** The kinds of networks, by name: straight lines (Zeng et al. 2023, "Are Transformers Effective for Time Series Forecasting?") and perceptrons. */
const kinds = {
  linearOfChanges: { ofChanges: true, layers: 0 },
  linearOfLevels: { ofChanges: false, layers: 0 },
  networkOfChanges: { ofChanges: true, layers: 2 },
  networkOfLevels: { ofChanges: false, layers: 2 },
} as const satisfies Readonly<Record<string, Kind>>;

/** Names of the kinds of networks that a `Forecaster` has, in their order. */
const forecastCandidates = Object.keys(kinds) as readonly (keyof typeof kinds)[];

/** What may be chosen of the kinds of networks: those of one form, or all. The mean of several errs less than the one that wins on a short validation part. */
const forecastChoices: Readonly<Record<string, readonly string[]>> = {
  lines: ["linearOfChanges", "linearOfLevels"],
  networks: ["networkOfChanges", "networkOfLevels"],
  changes: ["linearOfChanges", "networkOfChanges"],
  levels: ["linearOfLevels", "networkOfLevels"],
  together: forecastCandidates,
};

/** What is forecast of a step: its mean, and three of its quantiles. */
export const forecastOutputs = ["mean", "q10", "q50", "q90"] as const;
/** The quantiles among the outputs, after the mean. */
export const forecastQuantiles = [0.1, 0.5, 0.9] as const;

/** Width of the vectors of series. */
const seriesWidth = 4;

/** What a `Forecaster` takes. */
export type ForecasterInputs = {
  /** The window, [N, window, targets + covariates + known]: targets as they are, each other column as its `TableColumn` says. */
  readonly past: Value;
  /** The first step to forecast, [N, 2]: whole days since 1970 and the share of the day; only with cycles. */
  readonly time?: Value | undefined;
  /** What is known of the steps to forecast, [N, horizon, known]; only with known columns. */
  readonly future?: Value | undefined;
  /** Which series, int32 [N]; only where there are several. */
  readonly series?: Value | undefined;
};

/** A window as both forms of networks read it. */
interface Window {
  /** [N, targets]: the last values, and of each series its mean, deviation and change. */
  readonly last: Value;
  readonly mean: Value;
  readonly deviation: Value;
  readonly change: Value;
  /** [N, window, targets] */
  readonly values: Value;
  /** What all targets share, [N, features]; nothing without other columns. */
  readonly shared: Value | undefined;
  readonly series: Value | undefined;
}

/** One kind of network in several members: a window → [targets, members, N, horizon, 4] in changes from the last value. */
class Candidate extends Module<Window> {
  override readonly inputs = "tree" as const;
  readonly embedding: MemberEmbedding | undefined;
  readonly hidden: readonly MemberDense[];
  readonly activation = activation("relu");
  readonly dropout: Module;
  readonly head: MemberDense;
  readonly #ofChanges: boolean;
  readonly #horizon: number;

  constructor({ ofChanges, layers }: Kind, options: ForecasterOptions) {
    super();
    const { horizon, scales, members = 6, width = 64, dropout: rate = 0.3 } = options;
    const all = members * (scales[0]?.length ?? 1);
    this.#ofChanges = ofChanges;
    this.#horizon = horizon;
    if (scales.length > 1) this.embedding = new MemberEmbedding(all, scales.length, seriesWidth);
    this.hidden = Array.from({ length: layers }, () => new MemberDense(all, width, Math.SQRT2));
    this.dropout = dropout(rate);
    this.head = new MemberDense(all, horizon * forecastOutputs.length, 0);
  }

  protected call(window: Window, context: Context): Value {
    const { last, mean, deviation, change, values, series } = window;
    const [rows = 1, , targets = 1] = values.shape;
    const eachStep = (own: Value) => reshape(own, [own.shape[0] ?? 1, 1, targets]);
    const scaled = this.#ofChanges
      ? div(sub(values, eachStep(last)), eachStep(change))
      : div(sub(values, eachStep(mean)), eachStep(deviation));
    // What is read of each target: its own window, and the last step of all.
    const parts = [transpose(scaled, [2, 0, 1])];
    const toAll = (own: Value) => {
      const width = own.shape.slice(1).reduce((product, extent) => product * extent, 1);
      return expand(reshape(own, [1, rows, width]), [targets, rows, width]);
    };
    if (targets > 1) parts.push(toAll(slice(scaled, { axis: 1, start: -1 })));
    if (window.shared) parts.push(toAll(window.shared));
    const vectors = series && this.embedding?.apply(reshape(series, [rows, 1]), context); // [all, N, 1, width]
    let hidden = this.#toMembers(concat(parts, 2), vectors);
    for (const layer of this.hidden)
      hidden = this.dropout.apply(this.activation.apply(layer.apply(hidden, context), context), context);
    const scores = this.head.apply(hidden, context); // [all, N, horizon · 4]
    const members = (scores.shape[0] ?? 1) / targets;
    const shape = [targets, members, rows, this.#horizon, 1];
    const [centre, middle, below, above] = split(
      reshape(scores, [...shape.slice(0, 4), forecastOutputs.length]),
      [1, 1, 1, 1],
      4,
    );
    const eachRow = (own: Value) => reshape(transpose(own), [targets, 1, own.shape[0] ?? 1, 1, 1]);
    const factor = this.#ofChanges ? undefined : eachRow(div(deviation, change));
    const shift = this.#ofChanges ? undefined : eachRow(div(sub(mean, last), change));
    const times = (own: Value) => (factor ? mul(own, factor) : own);
    const placed = (own: Value) => (shift ? add(times(own), shift) : times(own));
    const median = placed(middle);
    // Quantiles do not cross.
    return concat(
      [placed(centre), sub(median, times(softplus(below))), median, add(median, times(softplus(above)))],
      4,
    );
  }

  /** Features [targets, N, F] of all members, [targets · members, N, F + vectors]. */
  #toMembers(features: Value, vectors: Value | undefined): Value {
    const [targets = 1, rows = 1, width = 1] = features.shape;
    const all = this.head.members;
    const own = reshape(expand(reshape(features, [targets, 1, rows, width]), [targets, all / targets, rows, width]), [
      all,
      rows,
      width,
    ]);
    return vectors ? concat([own, reshape(vectors, [all, rows, seriesWidth])], 2) : own;
  }
}

/** Numbers standardized and categories one-hot, [N, features]. */
function featuresOf(x: Value, columns: readonly TableColumn[]): Value {
  const ids = categoryIds(x, columns);
  const parts = [standardized(x, columns), ids && reduceSum(oneHot(ids, categoryCount(columns)), 1)];
  const read = parts.filter((part) => part !== undefined);
  return read.length > 1 ? concat(read, 1) : (read[0] as Value);
}

/** As `featuresOf` for each step, [N, steps, features]. */
function stepFeatures(x: Value, columns: readonly TableColumn[]): Value {
  const [rows = 1, steps = 1, width = 1] = x.shape;
  const features = featuresOf(reshape(x, [rows * steps, width]), columns);
  return reshape(features, [rows, steps, features.shape[1] ?? 1]);
}

const yearDays = 365.2425;

/** Sines and cosines of a moment's places in cycles of the calendar, [N, features]. */
function calendar(time: Value, named: readonly ForecastCycle[]): Value {
  const [days, part] = split(time, [1, 1], 1);
  // Of days since 1970 a float32 has the place in a cycle only after whole cycles are taken away.
  const within = (length: number) => sub(days, mul(floor(div(days, length)), length));
  const phases = {
    day: part,
    week: div(add(within(7), part), 7),
    year: div(add(within(yearDays), part), yearDays),
  } as const;
  const waves = named.flatMap((cycle) =>
    Array.from({ length: cycles[cycle] }, (_, i) => mul(phases[cycle], 2 * Math.PI * (i + 1))),
  );
  return concat(
    waves.flatMap((wave) => [sin(wave), cos(wave)]),
    1,
  );
}

/**
 * Several kinds of networks that forecast windows of series side by side: straight lines and perceptrons, of values from the last one on
 * (as a level that wanders asks for) or of deviations from the mean (as a level to which values return). All normalization is inside. It
 * gives the mean and the quantiles 0.1, 0.5 and 0.9 of each step, [N, targets, horizon, 4], in the units of the targets: the mean over the
 * members that forecast, and over the kinds by their shares, the buffer `mix`. Quantiles are learned by the pinball loss (Koenker and
 * Bassett 1978), and averaged as such.
 * @example
 * const model = new Forecaster({ window: 42, horizon: 14, scales: [[{ mean: 16, deviation: 7, change: 5 }]], cycles: ["year"] });
 */
export class Forecaster extends Module<ForecasterInputs> {
  override readonly inputs = { past: "required", time: "optional", future: "optional", series: "optional" } as const;
  readonly candidates: Readonly<Record<string, Candidate>>;
  readonly choices = forecastChoices;
  /** Members of each kind: the first half is for choosing, the others forecast. */
  readonly members: number;
  readonly #options: ForecasterOptions;

  constructor(options: ForecasterOptions) {
    super();
    const { members = 6 } = checkOptions(options);
    this.members = members;
    this.#options = options;
    this.candidates = Object.fromEntries(
      Object.entries(kinds).map(([name, kind]) => [name, new Candidate(kind, options)]),
    );
  }

  protected call(inputs: ForecasterInputs, context: Context): Value {
    const window = this.window(inputs);
    const shares = Float32Array.from({ length: this.members }, (_, i) => (i < this.members / 2 ? 0 : 2 / this.members));
    const predictions = this.predictions(
      this.scores(window, context),
      constant(new Tensor("float32", [this.members, 1], shares)),
    );
    return this.inUnits(this.mixed(predictions, context), window);
  }

  /** What all kinds read of the inputs. */
  window({ past, time, future, series }: ForecasterInputs): Window {
    const { scales, covariates = [], known = [], cycles: named = [] } = this.#options;
    const targets = scales[0]?.length ?? 1;
    const [rows = 1] = past.shape;
    const values = slice(past, { axis: 2, end: targets });
    const table = (pick: (scale: SeriesScale) => number) => {
      const data = Float32Array.from(scales.flatMap((own) => own.map(pick)));
      const all = constant(new Tensor("float32", [scales.length, targets], data));
      return series ? gather(all, series) : all;
    };
    const beside = [...covariates, ...known];
    const shared: Value[] = [];
    if (beside.length > 0) {
      const own = stepFeatures(slice(past, { axis: 2, start: targets }), beside);
      // Of each column the last step and the mean of the window.
      shared.push(flatten(slice(own, { axis: 1, start: -1 })), reduceMean(own, 1));
    }
    if (time && named.length > 0) shared.push(calendar(time, named));
    if (future) shared.push(flatten(stepFeatures(future, known)));
    return {
      values,
      last: reshape(slice(values, { axis: 1, start: -1 }), [rows, targets]),
      mean: table((scale) => scale.mean),
      deviation: table((scale) => scale.deviation),
      change: table((scale) => scale.change),
      shared: shared.length > 1 ? concat(shared, 1) : shared[0],
      series,
    };
  }

  /** What every member of each kind forecasts, [targets, members, N, horizon, 4] each, in changes from the last value. */
  scores(window: Window, context: Context): readonly Value[] {
    return Object.values(this.candidates).map((candidate) => candidate.apply(window, context));
  }

  /**
   * What each kind forecasts, [targets, N, horizon, 4].
   * @param shares how much each member counts for each window, [members, N], or [members, 1] for all alike
   */
  predictions(scores: readonly Value[], shares: Value): readonly Value[] {
    const weights = reshape(shares, [1, ...shares.shape, 1, 1]);
    return scores.map((own) => reduceSum(mul(own, weights), 1));
  }

  /** The forecast of all kinds by their shares, [targets, N, horizon, 4]. */
  mixed(predictions: readonly Value[], context: Context): Value {
    const kinds = predictions.length;
    const mix = context.buffer(this, "mix", { shape: [kinds], initializer: constantInit(1 / kinds) });
    const parts = predictions.map((own, i) => mul(own, slice(mix, { axis: 0, start: i, end: i + 1 })));
    return parts.reduce((a, b) => add(a, b));
  }

  /** A forecast in the units of the targets, [N, targets, horizon, 4]. */
  inUnits(prediction: Value, { last, change }: Pick<Window, "last" | "change">): Value {
    const each = (own: Value) => reshape(own, [own.shape[0] ?? 1, own.shape[1] ?? 1, 1, 1]);
    return add(mul(transpose(prediction, [1, 0, 2, 3]), each(change)), each(last));
  }
}
