/** Averages weighted by Fisher information (Matena and Raffel 2022, "Merging models with Fisher-weighted averaging", sections 3 and 4). */

import { gradients } from "../../autodiff/gradients.ts";
import { DataError, DTypeError, OptionError, ShapeError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { listOf, matching, objectOf, positive } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import type { Value } from "../../graph/ir.ts";
import { type CompileOptions, checkCompile, compile } from "../../jit/compile.ts";
import { type Compiled, SessionCache } from "../../jit/session-cache.ts";
import { type AnyModule, Context } from "../../nn/index.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { ParameterInputs } from "../../nn/parameter-inputs.ts";
import { add, mul, scalar, slice } from "../../ops/index.ts";
import { signatureOf, valuesOfBatch } from "../../train/engine/gradient-step.ts";
import {
  type BoundObjective,
  type LossSpec,
  lossObjective,
  requireSamples,
  samplesOf,
  tensorsOf,
} from "../../train/engine/objective.ts";
import { type MergeMethod, requireCount, requireWeights, weightsType } from "./method.ts";
import type { TensorsByPath } from "./tensors.ts";

/** Options of `fisher`. */
export interface FisherOptions {
  /** The diagonal of each model's Fisher information, by path, as `fisherInformation` gives it. */
  readonly information: readonly TensorsByPath[];
  /** λ of each model; default all alike. */
  readonly weights?: readonly number[];
  /** The least information that an element has, above 0, so that nothing is divided by zero; default 1e-6. */
  readonly floor?: number;
}

const checkOptions = optionsOf<FisherOptions>("fisher", {
  information: required(listOf(objectOf<TensorsByPath>("tensors by path"), "tensors by path, one for each model")),
  weights: weightsType,
  floor: positive,
});

/**
 * Σ λ_i F_i θ_i / Σ λ_i F_i, element by element. A tensor of which no model has information, such as running statistics, is averaged by
 * the weights. Throws OptionError where the information is not one for each model.
 * @example
 * const information = [await fisherInformation(first, digits, { loss }), await fisherInformation(second, letters, { loss })];
 * mergeModules([first, second], fisher({ information }));
 */
export function fisher(options: FisherOptions): MergeMethod {
  const { information, weights, floor = 1e-6 } = checkOptions(options);
  const name = "fisher";
  return {
    name,
    settings: { weights, floor },
    needsBase: false,
    requireModels(count) {
      requireCount(name, count, 1);
      requireWeights(name, weights, count);
      if (weights?.some((weight) => weight < 0) || weights?.every((weight) => weight === 0))
        throw new OptionError(`fisher: the weights are ${weights.join(", ")}; pass numbers from 0, one of them above`);
      if (information.length !== count)
        throw new OptionError(
          `fisher: there is the information of ${plural(information.length, "model")} for ${count}; pass that of each`,
        );
    },
    combine({ path, values }) {
      const known = information.map((own) => informationOf(own, path, values[0]?.length ?? 0));
      if (known.some((own) => own === undefined) && known.some((own) => own !== undefined))
        throw new OptionError(
          `fisher: one model has information of "${path}", and another has not; compute it alike for all`,
        );
      return Float32Array.from({ length: values[0]?.length ?? 0 }, (_, i) => {
        let [sum, total] = [0, 0];
        for (const [model, own] of values.entries()) {
          const weight = (weights?.[model] ?? 1) * Math.max(known[model]?.[i] ?? 1, floor);
          sum += weight * (own[i] as number);
          total += weight;
        }
        return sum / total;
      });
    },
  };
}

/** The information of a tensor's elements; `undefined` where there is none. */
function informationOf(information: TensorsByPath, path: string, length: number): Float32Array | undefined {
  const tensor = Object.hasOwn(information, path) ? information[path] : undefined;
  if (!tensor) return undefined;
  if (tensor.dtype !== "float32")
    throw new DTypeError(`fisher: the information of "${path}" is ${tensor.dtype}, expected float32`);
  if (tensor.data.length !== length)
    throw new ShapeError(
      `fisher: there are ${plural(tensor.data.length, "element")} of information for the ${length} of "${path}"; compute it of this model`,
    );
  return tensor.data as Float32Array;
}

/** Options of `fisherInformation`. */
export interface FisherInformationOptions {
  /** The negative log-likelihood of a sample, such as `crossEntropy()`. */
  readonly loss: LossSpec;
  /** Device, threads, profiling. */
  readonly compile?: CompileOptions | undefined;
}

const checkInformation = optionsOf<FisherInformationOptions>("fisherInformation", {
  loss: required(
    matching<LossSpec>(
      "a loss such as crossEntropy()",
      (value) => typeof value === "function" || (typeof value === "object" && value !== null),
    ),
  ),
  compile: checkCompile.type,
});

interface CompiledSquares extends Compiled {
  run(batch: Batch): Promise<readonly Tensor[]>;
}

/**
 * The diagonal of a model's Fisher information: the mean over samples of the squared gradient of each sample's log-likelihood, by the
 * labels of the data (the empirical Fisher), without dropout. By path [shape of the parameter], of the parameters alone; frozen ones count
 * too. A graph holds the gradients of every sample of a batch: batches of 4 to 16 are compiled soonest. Throws DataError for an empty
 * dataset, and what tracing and compiling throw.
 * @example const information = await fisherInformation(model, train.take(512).batch(8), { loss: crossEntropy() });
 */
export async function fisherInformation(
  model: AnyModule,
  data: Dataset<Batch>,
  options: FisherInformationOptions,
): Promise<Record<string, Tensor<"float32">>> {
  const { loss, compile: how } = checkInformation(options);
  const objective = lossObjective(model, loss, [], { isShared: false });
  const graphs = new SessionCache<CompiledSquares>();
  let sums: { readonly path: string; readonly parameter: Parameter; readonly sum: Float64Array }[] = [];
  let samples = 0;
  try {
    for await (const batch of data.epoch(0)) {
      requireSamples(batch);
      const { run } = await graphs.get(signatureOf(batch), () => compileSquares(model, objective, batch, how));
      const squares = await run(batch);
      if (samples === 0)
        sums = learnedOf(model).map(([path, parameter], i) => ({
          path,
          parameter,
          sum: new Float64Array(squares[i]?.data.length ?? 0),
        }));
      for (const [i, { sum }] of sums.entries())
        for (let at = 0; at < sum.length; at++) (sum[at] as number) += Number(squares[i]?.data[at]);
      samples += samplesOf(batch);
    }
  } finally {
    await graphs.release();
  }
  if (samples === 0) throw new DataError("fisherInformation: the dataset is empty; pass one with batches");
  return Object.fromEntries(
    sums.map(({ path, parameter, sum }) => [
      path,
      new Tensor(
        "float32",
        parameter.shape,
        Float32Array.from(sum, (total) => total / samples),
      ),
    ]),
  );
}

const learnedOf = (model: AnyModule): readonly (readonly [string, Parameter])[] =>
  [...model.parameters()].filter(([, { isBuffer }]) => !isBuffer);

/** Of each parameter the sum over a batch's samples of the squared gradients. */
async function compileSquares(
  model: AnyModule,
  objective: BoundObjective,
  batch: Batch,
  how: CompileOptions | undefined,
): Promise<CompiledSquares> {
  objective.checkNames(Object.keys(batch));
  const inputs = new ParameterInputs();
  const bind = (parameter: Parameter, path: string) => inputs.valueOf(parameter) ?? inputs.bind(parameter, path);
  const values = valuesOfBatch(batch);
  let sums: readonly Value[] = [];
  for (let sample = 0; sample < samplesOf(batch); sample++) {
    const own = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, slice(value, { axis: 0, start: sample, end: sample + 1 })]),
    );
    const { mean, weight } = objective.trace(new Context(model, { training: false, bind }), own).loss;
    // The sum over what the sample is made of, such as the words of a text.
    const likelihood = mul(mean, typeof weight === "number" ? scalar(weight) : weight);
    const wrt = learnedOf(model).map(([path, parameter]) => bind(parameter, path));
    const squares = gradients([likelihood], [scalar(1)], wrt).map((gradient) => mul(gradient, gradient));
    sums = sample === 0 ? squares : squares.map((square, i) => add(sums[i] as Value, square));
  }
  const names = Object.keys(batch);
  const executable = await compile([...names.map((name) => values[name] as Value), ...inputs.values], [...sums], how);
  return {
    executables: [executable],
    run: (given) => executable.run([...tensorsOf(given, names), ...inputs.tensors()]),
  };
}
