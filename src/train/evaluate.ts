/** Measuring a model on data. */
import { DataError } from "../core/errors.ts";
import { foldIn, keyOf } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Batch, Dataset } from "../data/pipeline/dataset.ts";
import type { Communicator } from "../distributed/communicator.ts";
import type { Value } from "../graph/ir.ts";
import { type CompileOptions, compile } from "../jit/compile.ts";
import { type Compiled, SessionCache, type SessionLimits } from "../jit/session-cache.ts";
import type { AnyModule } from "../nn/module.ts";
import { ParameterInputs } from "../nn/parameter-inputs.ts";
import { Structure } from "../nn/structure.ts";
import { keyTensor, reshape } from "../ops/index.ts";
import { keyInput, signatureOf, traceBatch } from "./engine/gradient-step.ts";
import { compileKept, cutStep, fieldsOf, inputsOf, type KeptPart, keptName, keptOf } from "./engine/kept-part.ts";
import { numberedBatches } from "./engine/numbered.ts";
import { type BoundObjective, requireSamples, samplesOf, tensorsOf } from "./engine/objective.ts";
import { type Alternating, type BoundStep, boundSteps, type Measured, modelOf } from "./engine/objectives.ts";
import { type CacheOptions, PrefixCache, readingEpochs } from "./engine/prefix-cache.ts";
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

interface CompiledEvaluation extends Compiled {
  /** The frozen part, where it was cut off. */
  readonly kept: KeptPart | undefined;
  /** Names of the batch that the rest reads. */
  readonly names: readonly string[];
  /**
   * @param fields the batch, or what is kept of it
   * @param key of what the objective draws
   */
  run(fields: Batch, key: Tensor): Promise<Measurement>;
}

/** What frozen layers give for the samples of a dataset. */
interface KeptSamples {
  readonly data: unknown;
  readonly cache: PrefixCache;
  /** Evaluations so far. */
  epochs: number;
}

/** How an `Evaluator` computes. */
export interface EvaluatorOptions extends SessionLimits {
  /** Device, threads, profiling. */
  readonly compile?: CompileOptions | undefined;
  /** Bounds of what is kept of frozen layers from one evaluation of a dataset to the next; default nothing. */
  readonly cache?: false | CacheOptions | undefined;
  /** The ranks that measure together: each takes its share of the batches. Default this process alone. */
  readonly communicator?: Communicator | undefined;
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
  readonly #options: EvaluatorOptions;
  readonly #graphs: SessionCache<CompiledEvaluation>;
  /** Signatures of those that keep what frozen layers give, by how many samples a batch has. */
  readonly #ofSize = new Map<number, string>();
  /** For the samples of the dataset that was measured last. */
  #kept: KeptSamples | undefined;
  /** Of the model as it was compiled. */
  #structure: Structure | undefined;
  #frozen: readonly boolean[] = [];

  constructor(
    model: AnyModule | Readonly<Record<string, AnyModule>>,
    choice: Measured<B> | Alternating<B>,
    options: EvaluatorOptions = {},
  ) {
    this.#model = modelOf(model);
    this.steps = boundSteps(this.#model, choice, "evaluation");
    this.#options = options;
    this.#graphs = new SessionCache(options);
  }

  /** Loss and figures over the first epoch of `data`. Throws DataError when it is empty. */
  async run(data: Dataset<B>): Promise<Evaluation> {
    const frozen = Array.from(this.#model.parameters().values(), (parameter) => parameter.frozen);
    if (!this.#structure?.isCurrent() || frozen.some((own, i) => own !== this.#frozen[i])) {
      await this.#releaseGraphs();
      this.#structure = new Structure(this.#model);
      this.#frozen = frozen;
    }
    const kept = this.#keptOf(data);
    const sums = new RunningSums(this.steps);
    let samples = 0;
    let batches = 0;
    const reads = (kept?.epochs ?? 0) < readingEpochs;
    const { communicator } = this.#options;
    const { rank, size } = communicator ?? { rank: 0, size: 1 };
    for await (const numbered of numberedBatches(data, 0, { skip: rank, stride: size, reads })) {
      // What an objective draws is the same in each evaluation.
      const key = keyTensor(foldIn(keyOf(0), "evaluation", rank + size * batches++));
      const known = kept && numbered.samples && this.#known(numbered.samples, kept.cache);
      const batch = known ? undefined : await numbered.read();
      if (batch) requireSamples(batch);
      for (const { name, objective } of this.steps) {
        const compiled = known?.compiled ?? (await this.#graphOf(name, objective, batch as B));
        if (!known && compiled.kept && numbered.samples)
          this.#ofSize.set(numbered.samples.length, graphName(name, batch as B));
        const fields = known?.fields ?? (await this.#fields(compiled, numbered.samples, batch as B, kept?.cache));
        sums.add(name, await compiled.run(fields, key));
      }
      samples += batch ? samplesOf(batch) : (numbered.samples?.length ?? 0);
    }
    if (kept) kept.epochs++;
    if (communicator) {
      if (batches === 0) await this.#learnFigures(data);
      samples = await sums.addTogether(communicator, samples);
    }
    if (samples === 0) throw new DataError("the dataset to evaluate on is empty; check its files and filters");
    return { results: sums.results(), statistics: sums.statistics(), samples };
  }

  /** Traces what is measured, whose figures only that tells, where other ranks have all batches. */
  async #learnFigures(data: Dataset<B>): Promise<void> {
    if (this.steps.every(({ objective }) => objective.isComplete)) return;
    for await (const batch of data.epoch(0)) {
      for (const { name, objective } of this.steps) await this.#graphOf(name, objective, batch);
      return;
    }
  }

  /** Lets go of compiled graphs and of what is kept; what is needed again is made anew. */
  async release(): Promise<void> {
    this.#kept?.cache.close();
    this.#kept = undefined;
    await this.#releaseGraphs();
  }

  async #releaseGraphs(): Promise<void> {
    this.#ofSize.clear();
    await this.#graphs.release();
  }

  /** What is kept for the samples of a dataset, from one evaluation of it to the next. */
  #keptOf(data: Dataset<B>): KeptSamples | undefined {
    const { cache = false } = this.#options;
    const { samples } = data.source;
    if (this.#kept?.data === data) return this.#kept;
    this.#kept?.cache.close();
    this.#kept = undefined;
    if (cache === false || typeof samples !== "object" || this.steps.length > 1) return undefined;
    this.#kept = { data, cache: new PrefixCache(cache, samples.bound), epochs: 0 };
    return this.#kept;
  }

  /** What is kept of a batch that need not be read, and the graph that takes it. */
  #known(samples: readonly number[], cache: PrefixCache) {
    const compiled = this.#graphs.known(this.#ofSize.get(samples.length) ?? "");
    if (!compiled?.kept || !cache.isComplete(samples, compiled.kept.frozen())) return undefined;
    return { compiled, fields: cache.take(samples) };
  }

  async #graphOf(name: string, objective: BoundObjective, batch: Batch): Promise<CompiledEvaluation> {
    const { compile } = this.#options;
    return this.#graphs.get(graphName(name, batch), () =>
      compileEvaluation(this.#model, objective, batch, { compile, cuts: this.#kept !== undefined }),
    );
  }

  async #fields(
    compiled: CompiledEvaluation,
    samples: readonly number[] | undefined,
    batch: Batch,
    cache: PrefixCache | undefined,
  ): Promise<Batch> {
    if (!compiled.kept || !samples || !cache || samples.length !== samplesOf(batch)) return batch;
    return fieldsOf(compiled.kept, compiled.names, { samples, batch }, cache);
  }
}

/** Under which a graph is kept for batches like this one. */
const graphName = (step: string, batch: Batch): string => `${step}/${signatureOf(batch)}`;

async function compileEvaluation(
  model: AnyModule,
  objective: BoundObjective,
  batch: Batch,
  { compile: options, cuts }: { readonly compile: CompileOptions | undefined; readonly cuts: boolean },
): Promise<CompiledEvaluation> {
  const inputs = new ParameterInputs();
  const key = keyInput();
  const traced = traceBatch(model, objective, batch, { training: false, key, bind: inputs.bind });
  const { batch: values, loss, weight, statistics } = traced;
  const weights = typeof weight === "number" ? [] : [reshape(weight, [])];
  const whole = [loss, ...weights, ...statistics];
  const cut = cuts ? cutStep(whole, { ...traced, key, inputs }) : "nothing is kept";
  const isCut = typeof cut !== "string";
  const kept = isCut ? await compileKept(cut, { ...traced, key, inputs }, options) : undefined;
  const outputs = isCut ? cut.outputs : whole;
  const used = isCut ? inputsOf(outputs) : undefined;
  const names = Object.keys(batch).filter((name) => used?.has(values[name] as Value) ?? true);
  const parameters = used ? inputs.among(used) : { values: inputs.values, tensors: () => inputs.tensors() };
  const entering = isCut ? cut.entering : [];
  const executable = await compile(
    [...names.map((name) => values[name] as Value), ...entering, key, ...parameters.values],
    [...outputs],
    options,
  );
  return {
    executables: kept ? [executable, kept.executable] : [executable],
    kept,
    names,
    async run(fields, keyValue) {
      const isKept = kept && Object.hasOwn(fields, keptName(0));
      const before = !kept ? [] : isKept ? keptOf(kept, fields) : await kept.compute(fields);
      const given = [...tensorsOf(fields, names), ...before, keyValue, ...parameters.tensors()];
      const [mean, ...rest] = await executable.run(given);
      return {
        loss: mean?.item() ?? Number.NaN,
        weight: typeof weight === "number" ? weight : (rest[0]?.item() ?? Number.NaN),
        statistics: rest.slice(weights.length).map(({ data }) => data as Float32Array),
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
  const evaluator = new Evaluator(model, options, { compile: options.compile ?? options.training?.compile });
  try {
    return await evaluator.run(data);
  } finally {
    await evaluator.release();
  }
}
