/** Gradients of a loss with respect to all parameters of a model, batch by batch, for scores by Taylor expansion. */
import { gradients } from "../../autodiff/gradients.ts";
import { DataError, OptionError } from "../../core/errors.ts";
import { matching } from "../../core/option-types.ts";
import type { OptionType } from "../../core/options.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { compile } from "../../jit/compile.ts";
import { type Compiled, SessionCache } from "../../jit/session-cache.ts";
import { type AnyModule, Context } from "../../nn/index.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { ParameterInputs } from "../../nn/parameter-inputs.ts";
import { scalar } from "../../ops/index.ts";
import { signatureOf, valuesOfBatch } from "../../train/engine/gradient-step.ts";
import {
  type BoundObjective,
  type LossSpec,
  lossObjective,
  requireSamples,
  tensorsOf,
} from "../../train/engine/objective.ts";

/** What a score by Taylor expansion is computed of. */
export interface GradientData {
  readonly data: Dataset<Batch>;
  readonly loss: LossSpec;
}

/** A dataset as an option. */
export const dataType: OptionType<Dataset<Batch>> = matching<Dataset<Batch>>(
  "a dataset of batches, such as train.take(512).batch(32)",
  (value) => typeof value === "object" && value !== null && "epoch" in value,
);

/** A loss as an option. */
export const lossType: OptionType<LossSpec> = matching<LossSpec>(
  "a loss such as crossEntropy()",
  (value) => typeof value === "function" || (typeof value === "object" && value !== null),
);

interface GivenScore {
  readonly score: string;
  readonly data?: GradientData["data"] | undefined;
  readonly loss?: LossSpec | undefined;
}

/**
 * The data and the loss of a score that needs them, `undefined` for one that does not. Throws OptionError where they are missing, and
 * where they are given to a score that does not read them.
 */
export function gradientData(where: string, { score, data, loss }: GivenScore): GradientData | undefined {
  if (score !== "taylor") {
    if (data === undefined && loss === undefined) return undefined;
    throw new OptionError(
      `${where}: the score "${score}" reads no data and no loss; leave them out, or pass score: "taylor"`,
    );
  }
  if (data && loss) return { data, loss };
  throw new OptionError(
    `${where}: the score "taylor" needs ${data ? "a loss: loss: crossEntropy()" : "data: data: train.take(512).batch(32)"}`,
  );
}

interface CompiledGradients extends Compiled {
  run(batch: Batch): Promise<readonly Tensor[]>;
}

/**
 * Calls `visit` for each batch with the gradients of its mean loss, by path, as in evaluation. Throws DataError for an empty dataset, and
 * what tracing and compiling throw.
 */
export async function eachGradient(
  model: AnyModule,
  { data, loss }: GradientData,
  visit: (gradients: ReadonlyMap<string, Float32Array>) => void,
): Promise<void> {
  const objective = lossObjective(model, loss, [], { isShared: false });
  const graphs = new SessionCache<CompiledGradients>();
  let batches = 0;
  try {
    for await (const batch of data.epoch(0)) {
      requireSamples(batch);
      const { run } = await graphs.get(signatureOf(batch), () => compileGradients(model, objective, batch));
      const results = await run(batch);
      visit(new Map(learnedOf(model).map(([path], i) => [path, results[i]?.data as Float32Array])));
      batches++;
    }
  } finally {
    await graphs.release();
  }
  if (batches === 0) throw new DataError("the dataset for the gradients is empty; pass one with batches");
}

const learnedOf = (model: AnyModule): readonly (readonly [string, Parameter])[] =>
  [...model.parameters()].filter(([, { isBuffer }]) => !isBuffer);

async function compileGradients(model: AnyModule, objective: BoundObjective, batch: Batch): Promise<CompiledGradients> {
  objective.checkNames(Object.keys(batch));
  const inputs = new ParameterInputs();
  const bind = (parameter: Parameter, path: string) => inputs.valueOf(parameter) ?? inputs.bind(parameter, path);
  const values = valuesOfBatch(batch);
  const { mean } = objective.trace(new Context(model, { training: false, bind }), values).loss;
  const wrt = learnedOf(model).map(([path, parameter]) => bind(parameter, path));
  const results = gradients([mean], [scalar(1)], wrt);
  const names = Object.keys(batch);
  const executable = await compile(
    [...names.map((name) => values[name] as (typeof wrt)[number]), ...inputs.values],
    [...results],
  );
  return {
    executables: [executable],
    run: (given) => executable.run([...tensorsOf(given, names), ...inputs.tensors()]),
  };
}
