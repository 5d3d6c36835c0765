/** A model, a sample and a target, ready to be asked: scores and gradients of many copies of the sample, a chunk at a time. */
import { reachableGradients } from "../autodiff/gradients.ts";
import { type ArrayOf, allocate, isFloat } from "../core/dtype.ts";
import { DataError, DTypeError, GradientError, InternalError, reword, SardonyxError } from "../core/errors.ts";
import { size } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import type { TensorType, Value } from "../graph/ir.ts";
import type { CompileOptions } from "../jit/compile.ts";
import { type Context, Module } from "../nn/index.ts";
import { expand } from "../ops/index.ts";
import { type Predictor, predictor } from "../train/predict.ts";
import { type ExplainOptions, requireSample } from "./attribution.ts";
import { samplesApart } from "./samples-apart.ts";
import { classIn, type ScoreFunction, scoresIn } from "./target.ts";

/** A model that takes one tensor, for the calls of its wrappers. */
export type Explainable = Module<Value, unknown>;

/** A sample, and the weight of each class in the score: 1 for that which is explained. */
export type Seeded = { readonly x: Value; readonly seed: Value };

/** Scores [samples, classes]. */
class Scores extends Module<Value, Value> {
  readonly model: Explainable;
  readonly target: ScoreFunction | undefined;

  constructor(model: Explainable, target: ScoreFunction | undefined) {
    super();
    this.model = model;
    this.target = target;
  }

  protected call(x: Value, context: Context): Value {
    return scoresIn(this.model.apply(x, context), this.target, x.shape[0] ?? 1);
  }
}

/** Gradients of each sample's score, of the shape of x. */
class ScoreGradients extends Module<Seeded, Value> {
  override readonly inputs = { x: "required", seed: "required" } as const;
  readonly scores: Scores;

  constructor(scores: Scores) {
    super();
    this.scores = scores;
  }

  protected call({ x, seed }: Seeded, context: Context): Value {
    return scoreGradient(this.scores.apply(x, context), seed, x);
  }
}

const otherWays = "occlusion and kernelShap need no gradient";

/** The gradient of scores with regard to a value on their way. Throws GradientError where none arrives. */
export function scoreGradient(scores: Value, seed: Value, value: Value): Value {
  const [gradient] = orOtherWays(() => reachableGradients([scores], [expand(seed, scores.shape)], [value]));
  if (gradient) return gradient;
  throw noGradient();
}

/** The error where no gradient arrives. */
export const noGradient = (): GradientError =>
  new GradientError(
    `the gradient of the score stops before it reaches the input: what lies between is rounded, an index or stopped; ${otherWays}`,
  );

/** Adds the mend to the error of an operator without a gradient. */
export function orOtherWays<T>(compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (error instanceof GradientError) reword(error, `${error.message.replace(/; freeze .*$/, "")}; ${otherWays}`);
    throw error;
  }
}

/** What is compiled of a model for a target. */
interface Asked {
  readonly scores: Predictor<Value, Value>;
  readonly gradients: Predictor<Seeded, Value>;
  readonly module: Scores;
  readonly compile: CompileOptions | undefined;
  /** Whether several copies give what each alone does, by the shape of the sample. */
  readonly apart: Map<string, boolean>;
}

/** Samples of the trace that shows whether they are mixed: a number that few other axes have. */
const traced = 7;

/** Whether the model computes copies of a sample each by itself, and takes several. */
function isApart({ module, apart }: Asked, { dtype, shape }: Tensor): boolean {
  const signature = `${dtype}[${shape}]`;
  const found = apart.get(signature) ?? tracesApart(module, { dtype, shape });
  apart.set(signature, found);
  return found;
}

/** Whether a model computes each sample like one of a type by itself, whatever stands beside it in a batch, and takes several. */
export function tracesApart(module: Module<Value, Value>, { dtype, shape }: TensorType): boolean {
  try {
    const { inputs, output } = module.trace({ dtype, shape: [traced, ...shape.slice(1)] });
    return samplesApart(inputs[0] as Value, output);
  } catch (error) {
    // A file that is written for one sample refuses others.
    if (error instanceof SardonyxError && !(error instanceof InternalError)) return false;
    throw error;
  }
}

/** What is compiled of models, the target that was asked for last at the end: another sample compiles nothing. */
const known = new WeakMap<object, Asked[]>();

/** Targets of a model whose graphs are kept: functions that are written where they are passed are new each time. */
const mostTargets = 4;

const sameOptions = (a: CompileOptions = {}, b: CompileOptions = {}): boolean =>
  ([...Object.keys(a), ...Object.keys(b)] as (keyof CompileOptions)[]).every((name) => a[name] === b[name]);

async function askedOf(
  model: Explainable,
  target: ScoreFunction | undefined,
  compile: CompileOptions | undefined,
): Promise<Asked> {
  const all = known.get(model) ?? [];
  known.set(model, all);
  const at = all.findIndex(({ module, compile: own }) => module.target === target && sameOptions(own, compile));
  const [found] = at >= 0 ? all.splice(at, 1) : [];
  const module = found?.module ?? new Scores(model, target);
  const asked = found ?? {
    module,
    compile,
    scores: predictor(module, { compile }),
    gradients: predictor(new ScoreGradients(module), { compile }),
    apart: new Map<string, boolean>(),
  };
  all.push(asked);
  for (const old of all.splice(0, Math.max(0, all.length - mostTargets))) await letGo(old);
  return asked;
}

async function letGo({ scores, gradients }: Asked): Promise<void> {
  await scores.release();
  await gradients.release();
}

/**
 * Lets go of what explanations have compiled of a model: graphs of its scores and their gradients, for the last four targets. They go with the
 * model otherwise; what is asked for again is compiled anew.
 */
export async function release<O>(model: Module<Value, O>): Promise<void> {
  for (const asked of known.get(model)?.splice(0) ?? []) await letGo(asked);
}

/** Scores of rows [rows, …], float32 [rows, classes]; of a target that is a function [rows, 1]. Compiled once for a number of rows. */
export const scoresOfRows = async <O>(
  model: Module<Value, O>,
  target: ScoreFunction | undefined,
  compile: CompileOptions | undefined,
): Promise<Predictor<Value, Value>> => (await askedOf(model, target, compile)).scores;

/** Writes copy i of a sample, changed as a method changes it, into an array of its size. */
export type WriteCopy = (i: number, into: ArrayOf) => void;

/** A sample with what is explained of it. */
export class Explained {
  readonly x: Tensor;
  /** The class; `undefined` where the target is a function. */
  readonly target: number | undefined;
  /** Of the sample. */
  readonly score: number;
  /** What gives the scores. */
  readonly module: Module<Value, Value>;
  /** Where it computes. */
  readonly compile: CompileOptions | undefined;
  /** The weight of each class in the score, [classes]. */
  readonly seed: Tensor<"float32">;
  readonly #asked: Asked;
  readonly #place: number;
  readonly #chunk: number;

  constructor(x: Tensor, asked: Asked, scores: Float32Array, { place, isClass, chunk }: Found) {
    this.x = x;
    this.#asked = asked;
    this.module = asked.module;
    this.compile = asked.compile;
    this.#place = place;
    this.target = isClass ? place : undefined;
    this.score = scores[place] as number;
    this.seed = new Tensor(
      "float32",
      [scores.length],
      Float32Array.from(scores, (_, i) => Number(i === place)),
    );
    this.#chunk = chunk;
  }

  /** The score of each of so many copies. */
  async scores(count: number, write: WriteCopy): Promise<Float64Array> {
    const found = new Float64Array(count);
    await this.#chunks(count, write, async (rows, first, taken) => {
      const { data } = await this.#asked.scores(rows);
      const classes = data.length / (rows.shape[0] ?? 1);
      for (let i = 0; i < taken; i++) found[first + i] = Number(data[i * classes + this.#place]);
    });
    return found;
  }

  /** The score of one tensor like the sample. */
  async scoreAt(x: Tensor): Promise<number> {
    const [score = 0] = await this.scores(1, (_, into) => copyInto(into, x.data));
    return score;
  }

  /** Visits the gradient at each of so many copies, with the copy. Throws GradientError where there is none. */
  async gradients(
    count: number,
    write: WriteCopy,
    visit: (gradient: Float32Array, copy: Float32Array, i: number) => void,
  ): Promise<void> {
    requireGradients(this.x);
    const each = this.x.data.length;
    await this.#chunks(count, write, async (rows, first, taken) => {
      const gradients = (await this.#asked.gradients({ x: rows, seed: this.seed })).data as Float32Array;
      const copies = rows.data as Float32Array;
      for (let i = 0; i < taken; i++) {
        const [from, to] = [i * each, (i + 1) * each];
        visit(gradients.subarray(from, to), copies.subarray(from, to), first + i);
      }
    });
  }

  /** Makes copies a chunk at a time, all chunks of one size so that one graph suffices; the last repeats its last copy. */
  async #chunks(
    count: number,
    write: WriteCopy,
    work: (rows: Tensor, first: number, taken: number) => Promise<void>,
  ): Promise<void> {
    const runs = Math.ceil(count / this.#chunk);
    const rowsEach = Math.ceil(count / runs);
    const { dtype, shape } = this.x;
    const each = size(shape);
    for (let first = 0; first < count; first += rowsEach) {
      const taken = Math.min(rowsEach, count - first);
      const data = allocate(dtype, rowsEach * each);
      for (let i = 0; i < rowsEach; i++)
        write(first + Math.min(i, taken - 1), data.subarray(i * each, (i + 1) * each) as ArrayOf);
      await work(new Tensor(dtype, [rowsEach, ...shape.slice(1)], data), first, taken);
    }
  }
}

/** What a target turned out to be. */
interface Found {
  readonly place: number;
  readonly isClass: boolean;
  readonly chunk: number;
}

/** Copies elements of one dtype. */
export const copyInto = (into: ArrayOf, from: ArrayOf): void => (into as Float32Array).set(from as Float32Array);

/** Throws unless gradients with regard to the sample can be computed: its elements are float32. */
export function requireGradients({ dtype }: Tensor): void {
  if (dtype === "float32") return;
  if (isFloat(dtype)) throw new DTypeError(`the input is ${dtype}; pass float32: asFloat32 or tensor(numbers)`);
  throw new GradientError(
    `the input is ${dtype}, and only floats have gradients; ${otherWays}, or explain the model behind its embedding`,
  );
}

/**
 * A sample of a model, with the score that is explained. Throws ShapeError for more than one sample and for outputs that are no scores,
 * OptionError for a class that there is not, DataError for a score that is no finite number.
 */
export async function explainedOf<O>(
  model: Module<Value, O>,
  x: Tensor,
  { target = "largest", chunk = 16, compile }: ExplainOptions<O> = {},
): Promise<Explained> {
  requireSample(x);
  const isFunction = typeof target === "function";
  const asked = await askedOf(model, isFunction ? (target as ScoreFunction) : undefined, compile);
  const scores = (await asked.scores(x)).data as Float32Array;
  const place = isFunction ? 0 : classIn(scores, target);
  const score = scores[place] as number;
  if (!Number.isFinite(score))
    throw new DataError(`the score of the input is ${score}; look for what is not finite in the input and the model`);
  const together = chunk > 1 && isApart(asked, x) ? chunk : 1;
  return new Explained(x, asked, scores, { place, isClass: !isFunction, chunk: together });
}
