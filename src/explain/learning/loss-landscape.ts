/** The loss around a model's parameters, along two directions. */
import { DataError, UnsupportedError } from "../../core/errors.ts";
import { matching, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { nodesOf, type Value } from "../../graph/ir.ts";
import { type CompileOptions, checkCompile } from "../../jit/compile.ts";
import { Context } from "../../nn/context.ts";
import type { AnyModule } from "../../nn/module.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { ParameterInputs } from "../../nn/parameter-inputs.ts";
import { ConvTranspose, Gemm, MatMul } from "../../ops/index.ts";
import { valuesOfBatch } from "../../train/engine/gradient-step.ts";
import {
  boundSteps,
  type LossChoice,
  type Measured,
  modelOf,
  type ObjectiveChoice,
  type TrainedOptions,
  trainedTypes,
} from "../../train/engine/objectives.ts";
import { Evaluator } from "../../train/evaluate.ts";

/** Where and how finely the loss is measured. */
export interface LandscapeOptions {
  /** Of the two random directions; default that of seed 0. */
  readonly key?: Key;
  /** Points along each direction, an odd number so that the parameters themselves are one; default 11. */
  readonly steps?: number;
  /** How far it goes: 1, the default, moves each filter by as much as its own norm. */
  readonly radius?: number;
  /** Device, threads. */
  readonly compile?: CompileOptions;
}

/** Options of `lossLandscape`: a loss or an objective, as `fit` takes them, and where it is measured. */
export type LossLandscapeOptions<B extends Batch = Batch> = (LossChoice | ObjectiveChoice<B>) & LandscapeOptions;

/** The loss on a grid around the parameters. */
export interface LossLandscape {
  /** How far along the second direction the rows are, and along the first the columns, from -radius to radius. */
  readonly offsets: readonly number[];
  /** Mean loss over the data, row after row, [steps · steps]; not finite where it is none. */
  readonly losses: Float64Array;
  /** At the parameters themselves. */
  readonly loss: number;
  /**
   * Share of the inner points at which the loss bends down along a direction, where a convex one never does: the second difference is below 0.
   */
  readonly concave: number;
  /** How many numbers of the parameters move: those of two axes or more. */
  readonly moved: number;
}

const odd = matching<number>(
  "an odd whole number from 3",
  (value) => Number.isInteger(value) && Number(value) >= 3 && Number(value) % 2 === 1,
);
const checkOptions = optionsOf<Pick<TrainedOptions, "loss" | "objective"> & LandscapeOptions>("lossLandscape", {
  loss: trainedTypes.loss,
  objective: trainedTypes.objective,
  key: keyType,
  steps: odd,
  radius: positive,
  compile: checkCompile.type,
});

/** A parameter that moves: its own elements, and those of both directions. */
interface Moving {
  readonly parameter: Parameter;
  readonly own: Tensor;
  readonly directions: readonly [Float32Array, Float32Array];
}

/**
 * The mean loss over the data on a grid around a model's parameters, along two random directions whose filters have each the norm of the model's
 * own (Li et al. 2018, section 4, filter normalization), so that landscapes of different networks compare. As there, biases and what
 * normalizations own stay, and normalizations use their running statistics, which stay too. It measures steps² times, 121 by default: take
 * some hundred samples. Nothing else may use the model meanwhile; its parameters are back at the end, also after an error. Throws OptionError
 * for steps that have no middle, DataError for data without a batch and for parameters without values, UnsupportedError for packed ones.
 * @example
 * const { losses, concave } = await explain.lossLandscape(model, test.take(500).batch(500), { loss: crossEntropy(), steps: 9 });
 */
export async function lossLandscape<B extends Batch>(
  model: AnyModule | Readonly<Record<string, AnyModule>>,
  data: Dataset<B>,
  options: LossLandscapeOptions<B>,
): Promise<LossLandscape> {
  const { key = keyOf(0), steps = 11, radius = 1, compile } = checkOptions(options as LossLandscapeOptions);
  const whole = modelOf(model);
  const { loss, objective } = options;
  const choice = (loss === undefined ? { objective } : { loss, objective }) as Measured<B>;
  const [step] = boundSteps(whole, choice, "lossLandscape");
  const axes = await filterAxes(whole, data, (context, batch) => step?.objective.trace(context, batch).loss.mean);
  const moving = [...axes].flatMap(([path, { parameter, axis }]): Moving[] => {
    if (parameter.packed)
      throw new UnsupportedError(
        `lossLandscape: parameter "${path}" is packed in fewer bits; look at the model before it is quantized`,
      );
    const { value: own } = parameter;
    if (!own)
      throw new DataError(`lossLandscape: parameter "${path}" has no value; train the model, load it or initialize it`);
    const along = (name: string) => filterDirection(own, axis, new Random(foldIn(key, name, path)));
    return parameter.shape.length < 2 ? [] : [{ parameter, own, directions: [along("first"), along("second")] }];
  });
  const offsets = Array.from({ length: steps }, (_, i) => (radius * (2 * i - (steps - 1))) / (steps - 1));
  const losses = new Float64Array(steps * steps);
  const evaluator = new Evaluator<B>(whole, choice, { compile });
  try {
    for (const [row, b] of offsets.entries())
      for (const [column, a] of offsets.entries()) {
        for (const { parameter, own, directions } of moving) parameter.value = moved(own, directions, a, b);
        losses[row * steps + column] = (await evaluator.run(data)).results["loss"] ?? Number.NaN;
      }
  } finally {
    for (const { parameter, own } of moving) parameter.value = own;
    await evaluator.release();
  }
  return {
    offsets,
    losses,
    loss: losses[(losses.length - 1) / 2] ?? Number.NaN,
    concave: concaveShare(losses, steps),
    moved: moving.reduce((sum, { own }) => sum + own.data.length, 0),
  };
}

/** w + a d + b e; the parameters themselves where both are 0. */
function moved(own: Tensor, [d, e]: Moving["directions"], a: number, b: number): Tensor {
  if (a === 0 && b === 0) return own;
  const data = Float32Array.from(own.data as Float32Array, (w, i) => w + a * (d[i] ?? 0) + b * (e[i] ?? 0));
  return new Tensor("float32", own.shape, data);
}

/** Parameters without buffers, by path, with the axis that counts their filters: that of the outputs which they compute. */
async function filterAxes<B extends Batch>(
  model: AnyModule,
  data: Dataset<B>,
  trace: (context: Context, batch: ReturnType<typeof valuesOfBatch>) => Value | undefined,
): Promise<ReadonlyMap<string, { readonly parameter: Parameter; readonly axis: number }>> {
  for await (const batch of data.epoch(0)) {
    const inputs = new ParameterInputs();
    const loss = trace(new Context(model, { bind: inputs.bind }), valuesOfBatch(batch));
    const axisOf = new Map<Value, number>();
    for (const { op, inputs: given, attributes } of nodesOf(loss ? [loss] : [])) {
      const [, weight] = given;
      if (!weight) continue;
      if (op === MatMul || (op === Gemm && attributes["transB"] !== 1)) axisOf.set(weight, weight.rank - 1);
      if (op === ConvTranspose) axisOf.set(weight, 1);
    }
    return new Map(
      [...model.parameters()].flatMap(([path, parameter]) => {
        const value = inputs.valueOf(parameter);
        return value && !parameter.isBuffer ? [[path, { parameter, axis: axisOf.get(value) ?? 0 }] as const] : [];
      }),
    );
  }
  throw new DataError("lossLandscape: the dataset gave no batch; check its files and filters");
}

/** A normal direction whose filters, the slices along an axis, have each the norm of the parameter's own. */
export function filterDirection({ data, shape }: Tensor, axis: number, random: Random): Float32Array {
  const drawn = random.normals(data.length);
  const filters = shape[axis] ?? 1;
  const inner = shape.slice(axis + 1).reduce((product, extent) => product * extent, 1);
  const filterOf = (i: number) => Math.floor(i / inner) % filters;
  const [own, found] = [new Float64Array(filters), new Float64Array(filters)];
  for (const [i, d] of drawn.entries()) {
    const filter = filterOf(i);
    own[filter] = (own[filter] ?? 0) + Number(data[i]) ** 2;
    found[filter] = (found[filter] ?? 0) + d ** 2;
  }
  return Float32Array.from(drawn, (d, i) => {
    const filter = filterOf(i);
    return d * Math.sqrt((own[filter] ?? 0) / (found[filter] || 1));
  });
}

/** Of second differences along rows and columns, the share that is below 0 by more than rounding; what is not finite does not count. */
function concaveShare(losses: Float64Array, steps: number): number {
  const bends = [...losses.keys()].flatMap((i) => {
    const [row, column] = [Math.floor(i / steps), i % steps];
    const along = (step: number) => {
      const [before = 0, here = 0, after = 0] = [losses[i - step], losses[i], losses[i + step]];
      const bend = before - 2 * here + after;
      return Number.isFinite(bend) ? [bend < -1e-6 * (Math.abs(before) + 2 * Math.abs(here) + Math.abs(after))] : [];
    };
    const isInner = (at: number) => at > 0 && at < steps - 1;
    return [...(isInner(column) ? along(1) : []), ...(isInner(row) ? along(steps) : [])];
  });
  return bends.length === 0 ? Number.NaN : bends.filter(Boolean).length / bends.length;
}
