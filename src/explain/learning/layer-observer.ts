/** Measures the layers of a model again and again: one compiled graph for batches of one kind, whose sums are taken in the graph. */
import { differentiate, orZeros } from "../../autodiff/gradients.ts";
import { keyOf } from "../../core/random.ts";
import { size } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import type { Value } from "../../graph/ir.ts";
import { compile, type Executable } from "../../jit/compile.ts";
import type { AnyModule } from "../../nn/module.ts";
import { ParameterInputs } from "../../nn/parameter-inputs.ts";
import { Structure } from "../../nn/structure.ts";
import {
  abs,
  add,
  cast,
  concat,
  div,
  equal,
  keyTensor,
  mul,
  reduceMax,
  reduceMean,
  reduceSum,
  reshape,
  sqrt,
  square,
  sub,
  where,
} from "../../ops/index.ts";
import { keyInput, signatureOf, traceBatch } from "../../train/engine/gradient-step.ts";
import { type BoundObjective, requireSamples, tensorsOf } from "../../train/engine/objective.ts";
import type { BatchStatistics, LayerStatistics, ObserveOptions, WeightStatistics } from "./layer-statistics.ts";
import { type ObservedLayer, observedLayers } from "./observed-layers.ts";

/** A graph that measures batches of one kind. */
interface CompiledObserver {
  readonly executable: Executable;
  run(batch: Batch, key: Tensor): Promise<BatchStatistics>;
}

/** Numbers of one output. */
const outputNumbers = 4;

/** Measures the layers of a model in batches; parameters are read anew each time. */
export class LayerObserver {
  readonly #model: AnyModule;
  readonly #objective: BoundObjective;
  readonly #options: ObserveOptions;
  #compiled: CompiledObserver | undefined;
  /** Of the batch and of the model as it was compiled. */
  #signature = "";
  #structure: Structure | undefined;

  constructor(model: AnyModule, objective: BoundObjective, options: ObserveOptions) {
    this.#model = model;
    this.#objective = objective;
    this.#options = options;
  }

  /** Traces and compiles for a batch's shapes, unless that is done, which makes the parameters. Throws what tracing throws. */
  async prepare(batch: Batch): Promise<CompiledObserver> {
    const trained = () => Array.from(this.#model.parameters().values(), (own) => Number(own.trainable)).join("");
    const signature = `${signatureOf(batch)}/${trained()}`;
    if (this.#compiled && signature === this.#signature && this.#structure?.isCurrent()) return this.#compiled;
    requireSamples(batch);
    await this.release();
    this.#compiled = await compileObserver(this.#model, this.#objective, batch, this.#options);
    this.#signature = `${signatureOf(batch)}/${trained()}`;
    this.#structure = new Structure(this.#model);
    return this.#compiled;
  }

  /** The statistics of a batch. Throws DataError where a parameter has no value. */
  async measure(batch: Batch): Promise<BatchStatistics> {
    const { run } = await this.prepare(batch);
    return run(batch, keyTensor(this.#options.key ?? keyOf(0)));
  }

  /** Lets go of the compiled graph; what is needed again is compiled anew. */
  async release(): Promise<void> {
    const compiled = this.#compiled;
    this.#compiled = undefined;
    await compiled?.executable.session.release();
  }
}

async function compileObserver(
  model: AnyModule,
  objective: BoundObjective,
  batch: Batch,
  { layers: wanted, mode = "training", compile: options }: ObserveOptions,
): Promise<CompiledObserver> {
  const inputs = new ParameterInputs();
  const key = keyInput();
  const traced = traceBatch(model, objective, batch, { training: mode === "training", key, bind: inputs.bind });
  const layers = observedLayers(traced.context, { data: Object.values(traced.batch), layers: wanted });
  const weighted = layers.filter(({ parameters }) => parameters.length > 0);
  const trained = weighted.map(({ parameters }) => parameters.filter(([{ trainable }]) => trainable));
  const wrt = trained.flat().map(([, value]) => value);
  const norms = weighted.map(({ parameters }) => normOf(parameters.map(([, value]) => value)));
  const { loss, others, gradients } = differentiate(traced.loss, {
    wrt,
    others: [...layers.map(outputStatistics), ...norms],
  });
  let next = 0;
  const gradientNorms = trained.flatMap((own) => {
    const found = own.map(([, value]) => orZeros(gradients[next++], value));
    return found.length === 0 ? [] : [normOf(found)];
  });
  const numbers = concat([reshape(cast(loss, "float32"), [1]), ...others, ...gradientNorms]);
  const names = Object.keys(batch);
  const executable = await compile(
    [...names.map((name) => traced.batch[name] as Value), key, ...inputs.values],
    [numbers],
    options,
  );
  return {
    executable,
    async run(fields, keyValue) {
      const [result] = await executable.run([...tensorsOf(fields, names), keyValue, ...inputs.tensors()]);
      const read = reader(result as Tensor);
      const [lossValue = Number.NaN] = read(1);
      const outputs = layers.map(() => read(outputNumbers));
      const normOfWeights = new Map(weighted.map((layer) => [layer, read(1)[0] ?? Number.NaN]));
      const gradientOf = new Map(
        weighted.map((layer, i) => [layer, trained[i]?.length === 0 ? undefined : read(1)[0]] as const),
      );
      return {
        loss: lossValue,
        layers: layers.map((layer, i): LayerStatistics => {
          const [mean = 0, deviation = 0, zeros = 0, dead = 0] = outputs[i] ?? [];
          const { path, type, output } = layer;
          const norm = normOfWeights.get(layer);
          const own = norm === undefined ? undefined : weightStatistics(layer, norm, gradientOf.get(layer));
          return { path, type, shape: output.shape, mean, deviation, zeros, dead, ...(own && { weights: own }) };
        }),
      };
    },
  };
}

/** Takes the next so many numbers of a vector. */
function reader({ data }: Tensor): (count: number) => readonly number[] {
  let next = 0;
  return (count) => {
    next += count;
    return Array.from(data.slice(next - count, next), Number);
  };
}

function weightStatistics({ parameters }: ObservedLayer, norm: number, gradient: number | undefined): WeightStatistics {
  const count = parameters.reduce((sum, [{ shape }]) => sum + size(shape), 0);
  if (gradient === undefined) return { parameters: count, norm };
  return { parameters: count, norm, gradient, ...(norm !== 0 && { ratio: gradient / norm }) };
}

/** Mean, deviation, share of zeros and share of dead units, float32 [4]. */
function outputStatistics({ output, unitAxis }: ObservedLayer): Value {
  const y = cast(output, "float32");
  const isZero = equal(y, 0);
  const mean = reduceMean(y);
  const deviation = sqrt(reduceMean(square(sub(y, mean))));
  // A unit is dead where none of its elements differs from 0.
  const others = [...y.shape.keys()].filter((axis) => axis !== unitAxis || y.rank === 1);
  const lives = reduceMax(where(isZero, 0, 1), others);
  const numbers = [mean, deviation, reduceMean(cast(isZero, "float32")), sub(1, reduceMean(lives))];
  return concat(numbers.map((one) => reshape(one, [1])));
}

/** The Euclidean norm of tensors, float32 [1], scaled so that squares of very small and very large numbers are numbers too. */
function normOf(tensors: readonly Value[]): Value {
  const all = tensors.map((one) => cast(one, "float32"));
  const largest = reduceMax(concat(all.map((one) => reshape(reduceMax(abs(one)), [1]))), [0], { keepDims: true });
  const scale = where(equal(largest, 0), 1, largest);
  const squares = all.map((one) => reshape(reduceSum(square(div(one, scale))), [1]));
  return mul(scale, sqrt(squares.reduce((sum, one) => add(sum, one))));
}
