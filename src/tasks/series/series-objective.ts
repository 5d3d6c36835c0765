/** What the networks of series are trained on: half of the members on the training part, by which kinds are chosen; the others on all before the test. */
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type Forecaster,
  type ForecasterInputs,
  forecastOutputs,
  forecastQuantiles,
} from "../../models/sequence/forecaster.ts";
import {
  add,
  and,
  cast,
  constant,
  div,
  equal,
  expand,
  greaterOrEqual,
  isNan,
  lessOrEqual,
  maximum,
  mul,
  not,
  reduceMean,
  reduceSum,
  reshape,
  slice,
  square,
  sub,
  transpose,
  where,
} from "../../ops/index.ts";
import type { Objective } from "../../train/engine/objective.ts";
import { type Metric, meanStatistics, ratio } from "../../train/metrics/metric.ts";
import { choiceLoss } from "../folds/folded-objective.ts";
import { windowParts } from "./window-batches.ts";

/** A batch of windows: inputs of a `Forecaster`, `y` [N, targets, horizon] with NaN where it is not known, and `part` int32 [N]. */
export type WindowBatch = {
  readonly past: Tensor;
  readonly time?: Tensor;
  readonly future?: Tensor;
  readonly series?: Tensor;
  readonly y: Tensor;
  readonly part: Tensor;
};

/** What metrics of forecasts read, each [N, targets, horizon]. */
interface ForecastOutputs {
  /** Of the mean and of the median: forecast less value, 0 where it is not known. */
  readonly meanErrors: Value;
  readonly medianErrors: Value;
  /** 1 where the value lies between the quantiles 0.1 and 0.9. */
  readonly covered: Value;
}

/**
 * The squared error of the mean and the pinball loss of the quantiles, in the usual change of each target, so that targets and series count
 * alike. Members of the first half learn of the training part alone and are measured on the validation part; those of the second half learn
 * of all before the test, and forecast it.
 * @param options `scaled`: errors in the usual changes rather than in the units of the targets
 */
export function seriesObjective(model: Forecaster, { scaled }: { readonly scaled: boolean }): Objective<WindowBatch> {
  const { members } = model;
  return (context, { y, part, ...inputs }) => {
    const window = model.window(inputs as ForecasterInputs);
    const [rows = 1, targets = 1, horizon = 1] = y.shape;
    const change = reshape(window.change, [-1, targets, 1]);
    const known = not(isNan(y));
    const actual = where(known, y, 0);
    const inChanges = div(sub(actual, reshape(window.last, [rows, targets, 1])), change); // [N, targets, horizon]
    const truth = reshape(transpose(inChanges, [1, 0, 2]), [targets, 1, rows, horizon, 1]);
    const counts = reshape(transpose(cast(known, "float32"), [1, 0, 2]), [targets, 1, rows, horizon, 1]);
    const scores = model.scores(window, context);
    const losses = scores.map((own) => errorsOf(own, truth, counts)); // [members, N]
    const chooses = isOfFirstHalf(members); // [members, 1]
    const ofPart = (name: keyof typeof windowParts) =>
      cast(equal(reshape(part, [1, rows]), partNumber(name)), "float32");
    const isTrain = ofPart("train");
    const isTest = ofPart("test");
    // Members of the first half learn of windows of the training part only.
    const learned = add(mul(chooses, isTrain), sub(1, expand(chooses, [members, rows])));
    // Windows before the test are measured by those who choose, those of the test by the others.
    const shares = div(add(mul(chooses, sub(1, isTest)), mul(sub(1, chooses), isTest)), members / 2);
    const predictions = model.predictions(scores, shares);
    const mixed = model.mixed(predictions, context);
    const outputs = outputsOf(model.inUnits(mixed, window), { actual, known, unit: scaled ? change : undefined });
    if (context.training)
      return { loss: losses.map((own) => reduceMean(mul(own, learned))).reduce((a, b) => add(a, b)), outputs };
    const lossOf = (own: Value) =>
      reduceMean(errorsOf(reshape(own, [targets, 1, ...own.shape.slice(1)]), truth, counts));
    const kinds = Object.keys(model.candidates);
    const figures = Object.entries(model.choices).map(([choice, names]) => {
      const chosen = predictions.filter((_, i) => names.includes(kinds[i] ?? ""));
      const mean = div(
        chosen.reduce((a, b) => add(a, b)),
        chosen.length,
      );
      return [choiceLoss(choice), lossOf(mean)] as const;
    });
    return { loss: lossOf(mixed), outputs, figures: Object.fromEntries(figures) };
  };
}

const partNumber = (name: keyof typeof windowParts): Value =>
  constant(new Tensor("int32", [1, 1], Int32Array.of(windowParts[name])));

/** 1 of members of the first half, else 0, [members, 1]. */
const isOfFirstHalf = (members: number): Value =>
  constant(
    new Tensor(
      "float32",
      [members, 1],
      Float32Array.from({ length: members }, (_, i) => Number(i < members / 2)),
    ),
  );

/** Losses of forecasts [targets, members, N, horizon, 4], [members, N]: means over what is known of each window. */
function errorsOf(scores: Value, truth: Value, counts: Value): Value {
  const output = (i: number) => slice(scores, { axis: 4, start: i, end: i + 1 });
  const quantiles = forecastQuantiles.map((share, i) => {
    const short = sub(truth, output(i + 1)); // Positive where too little is forecast.
    return maximum(mul(short, share), mul(short, share - 1));
  });
  const each = [square(sub(output(0), truth)), ...quantiles].reduce((a, b) => add(a, b));
  const axes = [0, 3, 4];
  return div(reduceSum(mul(each, counts), axes), maximum(reduceSum(counts, axes), 1));
}

function outputsOf(
  forecast: Value,
  { actual, known, unit }: { readonly actual: Value; readonly known: Value; readonly unit: Value | undefined },
): ForecastOutputs {
  const output = (name: (typeof forecastOutputs)[number]) => {
    const at = forecastOutputs.indexOf(name);
    return reshape(slice(forecast, { axis: 3, start: at, end: at + 1 }), actual.shape);
  };
  const errors = (name: (typeof forecastOutputs)[number]) => {
    const difference = where(known, sub(output(name), actual), 0);
    return unit ? div(difference, unit) : difference;
  };
  const covered = and(greaterOrEqual(actual, output("q10")), lessOrEqual(actual, output("q90")));
  return { meanErrors: errors("mean"), medianErrors: errors("q50"), covered: cast(covered, "float32") };
}

/** A mean over what is known of a penalty of an output, of all targets or of one. */
const overKnown = (
  name: string,
  output: keyof ForecastOutputs,
  {
    penalty,
    result = ratio,
    direction = "down",
    target,
  }: Pick<Partial<Metric>, "result" | "direction"> & {
    readonly penalty: (own: Value) => Value;
    readonly target?: number | undefined;
  },
): Metric => ({
  name,
  size: 2,
  reads: { output },
  update(own, y) {
    const part = (whole: Value) =>
      target === undefined ? whole : slice(whole, { axis: 1, start: target, end: target + 1 });
    return meanStatistics(penalty(part(own)), cast(not(isNan(part(y))), "float32"));
  },
  result,
  direction,
});

const root = (sums: Float64Array): number => Math.sqrt(ratio(sums));

/** Most targets whose errors are shown one by one. */
const mostShown = 8;

/**
 * Metrics of forecasts: the root of the mean squared error of the mean, the mean absolute error of the median, and the share of values
 * between the quantiles 0.1 and 0.9, of which four fifths is right; of several targets the errors of each.
 */
export function forecastMetrics(targets: readonly string[]): readonly Metric[] {
  const each = targets.length > 1 ? targets.slice(0, mostShown) : [];
  return [
    overKnown("rootMeanSquaredError", "meanErrors", { penalty: square, result: root }),
    overKnown("meanAbsoluteError", "medianErrors", { penalty: (own) => maximum(own, mul(own, -1)) }),
    overKnown("coverage", "covered", { penalty: (own) => own, direction: "up" }),
    ...each.map((name, target) =>
      overKnown(`rootMeanSquaredError.${name}`, "meanErrors", { penalty: square, result: root, target }),
    ),
  ];
}
