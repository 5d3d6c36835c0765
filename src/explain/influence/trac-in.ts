/** TracIn: which training samples brought a model to what it says of a sample. */
import { reachableGradients } from "../../autodiff/gradients.ts";
import { GradientError, OptionError, ShapeError } from "../../core/errors.ts";
import { count, functionOf, listOf, objectOf, oneOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { showShape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Labelled } from "../../data/pipeline/dataset.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import type { Value } from "../../graph/ir.ts";
import { type CompileOptions, checkCompile } from "../../jit/compile.ts";
import { type Context, type Loss, Module, type Parameter } from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import { loadParameters } from "../../train/load-parameters.ts";
import { predictor } from "../../train/predict.ts";
import { tracesApart } from "../explained.ts";
import { layersFromTop } from "../parameter-layers.ts";

/** A model as it was while it was trained. */
export interface TracInCheckpoint {
  /** All parameters and buffers by path, as `decodeSafetensors` of a checkpoint gives them. */
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** The learning rate there; default 1. */
  readonly learningRate?: number;
}

/** Options of `tracIn`. */
export interface TracInOptions {
  /** What training minimized, of a sample by itself. */
  readonly loss: Loss;
  /** The model as it was in turn; default as it is, with a learning rate of 1. */
  readonly checkpoints?: readonly TracInCheckpoint[];
  /** The parameters whose gradients are compared: of the last layer, or all of them; default `"last"`. */
  readonly parameters?: "last" | "all";
  /** Training samples that are computed at once, which bounds the memory; default 16. One where the model mixes the samples of a batch. */
  readonly chunk?: number;
  /** Device, threads; default the processor. */
  readonly compile?: CompileOptions | undefined;
}

/** What training samples did to a sample. */
export interface TracInfluence {
  /**
   * For each training sample what a step on it does to the loss of the test samples, to the first order: above 0 it lowers their loss. In units of
   * the loss, times the learning rates.
   */
  readonly influences: readonly number[];
  /** Places of the training samples from the most helpful to the most harmful. */
  readonly order: readonly number[];
  /** Paths of the parameters whose gradients were compared. */
  readonly parameters: readonly string[];
  /** What the reader should know of this result, a sentence each. */
  readonly notes: readonly string[];
}

const checkOptions = optionsOf<TracInOptions>("tracIn", {
  loss: required(functionOf<Loss>("a loss, such as crossEntropy()")),
  checkpoints: listOf(
    objectOf<TracInCheckpoint>("a checkpoint: { parameters, learningRate }"),
    "checkpoints: { parameters, learningRate }",
  ),
  parameters: oneOf("last", "all"),
  chunk: count(),
  compile: checkCompile.type,
});

/** A model that takes one tensor and gives one. */
type Learned = Module<Value, Value>;
type Batch = Readonly<Record<"x" | "y" | "testX" | "testY", Value>>;

/** The loss of each sample, [N]. */
function lossOfEach(loss: Loss, output: Value, target: Value): Value {
  const samples = output.shape[0] ?? 1;
  const { terms, weights } = loss.terms?.(output, target) ?? { terms: loss(output, target), weights: undefined };
  if (terms.shape[0] !== samples && !(samples === 1 && terms.rank === 0))
    throw new OptionError(
      `tracIn: the loss gives ${terms} for ${samples} samples; return one term for each, [${samples}], or take one of a list of terms: defineLoss`,
    );
  const rest = terms.rank === 0 ? [] : terms.shape.slice(1);
  const sumOf = (own: Value) => ops.reduceSum(ops.reshape(own, [samples, size(rest)]), [1]);
  return ops.div(sumOf(terms), weights ? ops.maximum(sumOf(weights), 1e-12) : size(rest));
}

/** For each training sample the product of its gradient and that of the test samples' mean loss, [N]. */
class GradientProducts extends Module<Batch, Value> {
  override readonly inputs = { x: "required", y: "required", testX: "required", testY: "required" } as const;
  readonly model: Learned;
  readonly #loss: Loss;
  readonly #parameters: readonly Parameter[];
  readonly #together: boolean;

  constructor(model: Learned, { loss, parameters, together }: ProductsOf) {
    super();
    this.model = model;
    this.#loss = loss;
    this.#parameters = parameters;
    this.#together = together;
  }

  protected call({ x, y, testX, testY }: Batch, context: Context): Value {
    const test = ops.reduceMean(lossOfEach(this.#loss, this.model.apply(testX, context), testY));
    const each = lossOfEach(this.#loss, this.model.apply(x, context), y);
    const values = this.#parameters.flatMap((own) => context.values.get(own) ?? []);
    const gradientsOf = (loss: Value) => reachableGradients([loss], [ops.ones([], loss.dtype)], values);
    const along = gradientsOf(test);
    // The gradient of Σ s_i ℓ_i along v is Σ s_i (∇ℓ_i · v): its own by s are the products of all samples at once.
    const shares = ops.full([...each.shape], 1);
    const gradients = gradientsOf(ops.reduceSum(this.#together ? ops.mul(each, shares) : each));
    const products = values.flatMap((_, i) => {
      const [own, other] = [gradients[i], along[i]];
      return own && other ? [ops.reduceSum(ops.mul(own, ops.stopGradient(other)))] : [];
    });
    const all = products.reduce((sum, own) => ops.add(sum, own), ops.scalar(0, "float32"));
    if (!this.#together) return ops.reshape(all, [1]);
    const [found] = reachableGradients([all], [ops.ones([], "float32")], [shares]);
    return found ?? ops.full([...each.shape], 0);
  }
}

interface ProductsOf {
  readonly loss: Loss;
  readonly parameters: readonly Parameter[];
  /** Whether the samples of a batch are computed at once, by a gradient of a gradient. */
  readonly together: boolean;
}

/** Throws unless data are tensors with a label for each sample. */
function requireLabelled(what: string, { x, y }: Labelled): void {
  if (!(x instanceof Tensor) || !(y instanceof Tensor))
    throw new OptionError(`tracIn: ${what} are no { x, y } of tensors; pass samples and what they are to give`);
  if ((x.shape[0] ?? 0) === 0 || x.shape[0] !== y.shape[0])
    throw new ShapeError(
      `tracIn: of ${what}, x is ${showShape(x.shape)} and y ${showShape(y.shape)}; pass as many labels as samples, at least 1`,
    );
}

/** The parameters that are compared, by path. */
function chosenOf(model: Learned, x: Tensor, which: "last" | "all"): ReadonlyMap<string, Parameter> {
  const layers = layersFromTop("tracIn", model, x);
  const chosen = new Map(layers.slice(0, which === "last" ? 1 : undefined).flatMap(({ parameters }) => parameters));
  if (chosen.size === 0) throw new OptionError("tracIn: the model has no parameters, so that no sample changed it");
  return chosen;
}

/** Whether gradients of gradients exist, and samples are computed apart, so that a chunk is one run. */
function canBeTogether(model: Learned, module: GradientProducts, { train, test }: Data): boolean {
  if (!tracesApart(model, train.x)) return false;
  const typeOf = ({ dtype, shape }: Tensor, rows = shape[0] ?? 1) => ({ dtype, shape: [rows, ...shape.slice(1)] });
  try {
    module.trace({ x: typeOf(train.x, 2), y: typeOf(train.y, 2), testX: typeOf(test.x), testY: typeOf(test.y) });
    return true;
  } catch (error) {
    if (error instanceof GradientError || error instanceof OptionError) return false;
    throw error;
  }
}

interface Data {
  readonly train: Labelled;
  readonly test: Labelled;
}

/**
 * Which training samples brought a model to what it says of test samples: for each the sum over checkpoints of the learning rate times the product
 * of its loss's gradient and that of the test samples' mean loss (Pruthi et al. 2020, section 3.2, TracInCP), by the parameters of the last
 * layer or all of them. Products of a chunk of samples are one run, by a gradient of a gradient, so that no gradient of a sample is kept.
 * Samples of large losses, such as wrong labels, have large influences on everything. The model has its parameters back at the end, also after
 * an error. Throws ShapeError and OptionError for data and a loss that do not fit, UnsupportedError for packed parameters, FileError for
 * checkpoints of another model.
 * @example
 * const { order } = await explain.tracIn(model, { train: train.tensors, test: { x: image, y: label } }, { loss: crossEntropy() });
 */
export async function tracIn(model: Learned, data: Data, options: TracInOptions): Promise<TracInfluence> {
  const { loss, checkpoints, parameters: which = "last", chunk = 16, compile } = checkOptions(options);
  requireLabelled("training samples", data.train);
  requireLabelled("test samples", data.test);
  const { train, test } = data;
  const chosen = chosenOf(model, train.x, which);
  const parameters = [...chosen.values()];
  const several = new GradientProducts(model, { loss, parameters, together: true });
  const isTogether = chunk > 1 && canBeTogether(model, several, data);
  const module = isTogether ? several : new GradientProducts(model, { loss, parameters, together: false });
  const rowsEach = isTogether ? chunk : 1;
  const rows = train.x.shape[0] ?? 0;
  const influences = new Float64Array(rows);
  const kept = [...model.parameters().values()].map((own) => [own, own.value, own.packed] as const);
  const ask = predictor(module, { compile });
  try {
    for (const { parameters: tensors, learningRate = 1 } of checkpoints ?? [{ parameters: undefined }]) {
      if (tensors) loadParameters(model, tensors);
      for (let first = 0; first < rows; first += rowsEach) {
        const places = Array.from({ length: Math.min(rowsEach, rows - first) }, (_, i) => first + i);
        const x = gatherRows(train.x, places);
        const y = gatherRows(train.y, places);
        const { data: products } = await ask({ x, y, testX: test.x, testY: test.y });
        for (const [i, place] of places.entries())
          influences[place] = (influences[place] as number) + learningRate * Number(products[i]);
      }
    }
  } finally {
    for (const [own, value, packed] of kept)
      if (packed) own.packed = packed;
      else own.value = value;
    await ask.release();
  }
  const order = [...influences.keys()].sort((a, b) => (influences[b] as number) - (influences[a] as number));
  return {
    influences: [...influences],
    order,
    parameters: [...chosen.keys()],
    notes: notesOn(influences, checkpoints),
  };
}

function notesOn(influences: Float64Array, checkpoints: TracInOptions["checkpoints"]): readonly string[] {
  return [
    ...(checkpoints && checkpoints.length > 0
      ? []
      : [
          "the model as it is now stands for its whole training: samples that it has learned have small gradients; pass checkpoints for what they did before",
        ]),
    ...(influences.every((own) => own === 0)
      ? ["all influences are 0: the loss of the test samples has no gradient, or none that a training sample shares"]
      : []),
  ];
}
