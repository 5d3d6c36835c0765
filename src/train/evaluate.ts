/** Measuring a model on data, and asking it for outputs. */
import { DataError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Batch, Dataset } from "../data/pipeline/dataset.ts";
import type { TensorType } from "../graph/ir.ts";
import { type CompileOptions, compile, type Executable } from "../jit/compile.ts";
import type { ContextOptions } from "../nn/context.ts";
import type { Loss } from "../nn/losses/losses.ts";
import type { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { constant } from "../ops/index.ts";
import { signatureOf, type TracedLoss, traceLoss } from "./gradient-step.ts";
import type { Metric } from "./metrics/metrics.ts";
import { type EpochResult, RunningSums } from "./running-sums.ts";

export interface Evaluation {
  /** Mean loss and every metric. */
  readonly results: EpochResult;
  /** Each metric's summed statistics, such as a confusion matrix. */
  readonly statistics: readonly Float64Array[];
  readonly samples: number;
}

interface CompiledEvaluation {
  readonly executable: Executable;
  readonly parameters: readonly Parameter[];
  readonly feed: TracedLoss["feed"];
}

/** Evaluates one model again and again; compiled once for each batch shape, the parameters read anew each time. */
export class Evaluator {
  readonly #model: Module;
  readonly #loss: Loss;
  readonly #metrics: readonly Metric[];
  readonly #options: CompileOptions | undefined;
  readonly #graphs = new Map<string, Promise<CompiledEvaluation>>();

  constructor(model: Module, loss: Loss, metrics: readonly Metric[], options?: CompileOptions) {
    this.#model = model;
    this.#loss = loss;
    this.#metrics = metrics;
    this.#options = options;
  }

  /** Loss and metrics over the first epoch of `data`. Throws DataError when it is empty. */
  async run(data: Dataset<Batch>): Promise<Evaluation> {
    const sums = new RunningSums(this.#metrics);
    for await (const batch of data.epoch(0)) {
      const signature = signatureOf(batch);
      const compiled = this.#graphs.get(signature) ?? this.#compile(batch);
      this.#graphs.set(signature, compiled);
      const { executable, parameters, feed } = await compiled;
      const [loss, ...statistics] = await executable.run([...feed(batch), ...parameters.map(knownValue)]);
      sums.add(
        loss?.item() ?? Number.NaN,
        batch.x.shape[0] ?? 0,
        statistics.map(({ data }) => data as Float32Array),
      );
    }
    if (sums.samples === 0) throw new DataError("the dataset to evaluate on is empty; check its files and filters");
    return { results: sums.results(), statistics: sums.statistics, samples: sums.samples };
  }

  async #compile(batch: Batch) {
    const { context, inputs, target, output, loss, feed } = traceLoss(this.#model, this.#loss, batch, {
      training: false,
    });
    const outputs = [loss, ...this.#metrics.map((metric) => metric.update(output, target))];
    const executable = await compile([...inputs, ...context.values.values()], outputs, this.#options);
    return { executable, parameters: [...context.values.keys()], feed };
  }
}

/** A parameter's value. Throws DataError when it has none. */
export function knownValue({ name, value }: Parameter): Tensor {
  if (!value)
    throw new DataError(`parameter "${name}" has no value; train the model, load a checkpoint or initialize it`);
  return value;
}

/** Loss and metrics of a model on data. */
export const evaluate = (
  model: Module,
  data: Dataset<Batch>,
  { loss, metrics = [], compile }: { loss: Loss; metrics?: readonly Metric[]; compile?: CompileOptions },
): Promise<Evaluation> => new Evaluator(model, loss, metrics, compile).run(data);

/** A trace with the parameters as they are now built in. */
export const boundParameters: Pick<ContextOptions, "bind"> = {
  bind: (parameter) => constant(knownValue(parameter)),
};

/**
 * A function from inputs of one type to the model's outputs, with the parameters as they are now built in, which
 * lets the engine prepare them once.
 */
export async function predictor(
  model: Module,
  type: TensorType,
  options?: CompileOptions,
): Promise<(x: Tensor) => Promise<Tensor>> {
  model.trace(type);
  const { x, y } = model.trace(type, boundParameters);
  const executable = await compile([x], [y], options);
  return async (input) => (await executable.run([input]))[0] as Tensor;
}

/** The model's outputs with its parameters as they are, or with `weights` in their places. */
export type LivePredictor = (x: Tensor, weights?: ReadonlyMap<Parameter, Tensor>) => Promise<Tensor>;

/**
 * As `predictor`, with the parameters read anew at each run: for a model that is asked while it is trained, and for copies
 * of its weights.
 */
export async function livePredictor(model: Module, type: TensorType, options?: CompileOptions): Promise<LivePredictor> {
  const { x, y, context } = model.trace(type);
  const executable = await compile([x, ...context.values.values()], [y], options);
  const parameters = [...context.values.keys()];
  return async (input, weights) => {
    const values = weights
      ? parameters.map((parameter) => weights.get(parameter) as Tensor)
      : parameters.map(knownValue);
    return (await executable.run([input, ...values]))[0] as Tensor;
  };
}

/** The model's outputs for a batch x [N, …]. */
export const predict = async (model: Module, x: Tensor, options?: CompileOptions): Promise<Tensor> =>
  (await predictor(model, x, options))(x);
