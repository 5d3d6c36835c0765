/** Measuring a model on data. */
import { DataError } from "../core/errors.ts";
import { foldIn, keyOf } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Batch, Dataset } from "../data/pipeline/dataset.ts";
import type { Value } from "../graph/ir.ts";
import { type CompileOptions, compile, type Executable } from "../jit/compile.ts";
import type { AnyModule } from "../nn/module.ts";
import { ParameterInputs } from "../nn/parameter-inputs.ts";
import { sameStructure, structureOf } from "../nn/structure.ts";
import { keyTensor, reshape } from "../ops/index.ts";
import { keyInput, signatureOf, traceBatch } from "./engine/gradient-step.ts";
import { type BoundObjective, samplesOf, tensorsOf } from "./engine/objective.ts";
import { type Alternating, type BoundStep, boundSteps, type Measured, modelOf } from "./engine/objectives.ts";
import { type EpochResult, type Measurement, RunningSums } from "./engine/running-sums.ts";
import { checkEvaluate } from "./fit-options.ts";

/** The results of `evaluate`. */
export interface Evaluation {
  /** Mean loss and every figure. */
  readonly results: EpochResult;
  /** Each figure's summed statistics, such as a confusion matrix, by its name in the results. */
  readonly statistics: Readonly<Record<string, Float64Array>>;
  /** How many samples were measured. */
  readonly samples: number;
}

interface CompiledEvaluation {
  readonly executable: Executable;
  /** @param key of what the objective draws */
  run(batch: Batch, key: Tensor): Promise<Measurement>;
}

/**
 * Evaluates one model again and again. Each batch shape is compiled once, and the parameters are read anew each time.
 * `evaluate` is the same for a single time.
 * @example
 * const evaluator = new Evaluator(model, { loss: crossEntropy(), metrics: [accuracy()] });
 * const { results } = await evaluator.run(test);
 * await evaluator.release();
 */
export class Evaluator<B extends Batch = Batch> {
  readonly steps: readonly BoundStep[];
  readonly #model: AnyModule;
  readonly #options: CompileOptions | undefined;
  readonly #graphs = new Map<string, Promise<CompiledEvaluation>>();
  /** Of the model as it was compiled. */
  #structure: readonly unknown[] = [];

  constructor(
    model: AnyModule | Readonly<Record<string, AnyModule>>,
    choice: Measured<B> | Alternating<B>,
    options?: CompileOptions,
  ) {
    this.#model = modelOf(model);
    this.steps = boundSteps(this.#model, choice, "evaluation");
    this.#options = options;
  }

  /** Loss and figures over the first epoch of `data`. Throws DataError when it is empty. */
  async run(data: Dataset<B>): Promise<Evaluation> {
    const structure = structureOf(this.#model);
    if (!sameStructure(structure, this.#structure)) {
      await this.release();
      this.#structure = structure;
    }
    const sums = new RunningSums(this.steps);
    let samples = 0;
    let batches = 0;
    for await (const batch of data.epoch(0)) {
      // What an objective draws is the same in each evaluation.
      const key = keyTensor(foldIn(keyOf(0), "evaluation", batches++));
      for (const { name, objective } of this.steps) {
        const signature = `${name}/${signatureOf(batch)}`;
        const compiled = this.#graphs.get(signature) ?? compileEvaluation(this.#model, objective, batch, this.#options);
        this.#graphs.set(signature, compiled);
        sums.add(name, await (await compiled).run(batch, key));
      }
      samples += samplesOf(batch);
    }
    if (samples === 0) throw new DataError("the dataset to evaluate on is empty; check its files and filters");
    return { results: sums.results(), statistics: sums.statistics(), samples };
  }

  /** Lets go of compiled graphs; what is needed again is compiled anew. */
  async release(): Promise<void> {
    const graphs = await Promise.allSettled(this.#graphs.values());
    this.#graphs.clear();
    for (const graph of graphs) if (graph.status === "fulfilled") await graph.value.executable.session.release();
  }
}

async function compileEvaluation(
  model: AnyModule,
  objective: BoundObjective,
  batch: Batch,
  options: CompileOptions | undefined,
): Promise<CompiledEvaluation> {
  const inputs = new ParameterInputs();
  const key = keyInput();
  const {
    batch: values,
    loss,
    weight,
    statistics,
  } = traceBatch(model, objective, batch, { training: false, key, bind: inputs.bind });
  const names = Object.keys(batch);
  const traced = typeof weight === "number" ? [] : [reshape(weight, [])];
  const executable = await compile(
    [...names.map((name) => values[name] as Value), key, ...inputs.values],
    [loss, ...traced, ...statistics],
    options,
  );
  return {
    executable,
    async run(fed, keyValue) {
      const [mean, ...rest] = await executable.run([...tensorsOf(fed, names), keyValue, ...inputs.tensors()]);
      return {
        loss: mean?.item() ?? Number.NaN,
        weight: typeof weight === "number" ? weight : (rest[0]?.item() ?? Number.NaN),
        statistics: rest.slice(traced.length).map(({ data }) => data as Float32Array),
      };
    },
  };
}

/** What to measure: a loss with metrics, an objective, or steps in turn; and with what it is computed. */
export type EvaluateOptions<B extends Batch = Batch> = (Measured<B> | Alternating<B>) & {
  /** Device, threads, profiling; default those of `training.compile`. */
  readonly compile?: CompileOptions | undefined;
  /** What training is compiled with holds here too, unless `compile` says otherwise. */
  readonly training?: { readonly compile?: CompileOptions | undefined } | undefined;
};

/**
 * Loss and figures of a model on the first epoch of a dataset, without dropout and with running statistics. Options
 * that `fit` takes beside are passed over, so that both can be given the same ones. Throws OptionError for one that
 * neither takes, DataError for an empty dataset.
 * @example
 * const { results } = await evaluate(model, test.batch(250), { loss: crossEntropy(), metrics: [accuracy()] });
 * console.log(results.loss, results.accuracy);
 */
export async function evaluate<B extends Batch>(
  model: AnyModule | Readonly<Record<string, AnyModule>>,
  data: Dataset<B>,
  options: EvaluateOptions<B>,
): Promise<Evaluation> {
  checkEvaluate(options);
  const evaluator = new Evaluator(model, options, options.compile ?? options.training?.compile);
  try {
    return await evaluator.run(data);
  } finally {
    await evaluator.release();
  }
}
