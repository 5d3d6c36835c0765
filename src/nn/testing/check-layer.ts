/** The whole check of a layer in one call: shapes, parameters, formula, values, gradients, modes, freezing, messages. */
import { expect } from "vitest";
import { gradients as differentiate } from "../../autodiff/gradients.ts";
import { isFloat } from "../../core/dtype.ts";
import { keyOf, Random } from "../../core/random.ts";
import { type Shape, size } from "../../core/shape.ts";
import { sameTensor, Tensor, tensor } from "../../core/tensor.ts";
import { input, type TensorType, type Value } from "../../graph/ir.ts";
import { compile } from "../../jit/compile.ts";
import { constant, keyTensor } from "../../ops/index.ts";
import type { Module } from "../module.ts";
import type { Parameter } from "../parameter.ts";
import type { Recorded } from "./fixture.node.ts";

/** A module that gives one tensor; these checks give it one too. */
export type CheckedLayer = Module<never, Value>;

export interface LayerExpectation {
  readonly outputShape: Shape;
  /** How many parameters, buffers not counted. */
  readonly parameters: number;
  /** The layer's own formula, where its text matters. */
  readonly formula?: string;
  /** What PyTorch gave for the same input and parameters. */
  readonly recorded?: Recorded;
  /** Inputs that must be refused while tracing, with their messages. */
  readonly refuses?: readonly (readonly [TensorType, RegExp])[];
}

export interface LayerCheck {
  /** A tensor, or a type for which normal random numbers are drawn. Default: the recorded input. */
  readonly input?: TensorType | Tensor;
  readonly expected: LayerExpectation;
}

/** The number that a formula such as `3·3·32·64 + 64` states; 0 for an empty one. */
export const evaluateFormula = (formula: string): number =>
  formula
    .split(" + ")
    .map((term) => (term === "" ? 0 : term.split("·").reduce((product, factor) => product * Number(factor), 1)))
    .reduce((sum, term) => sum + term, 0);

/** Normal random numbers of a shape, the same for the same seed. */
export function randomTensor(shape: Shape, seed: number): Tensor<"float32"> {
  const random = new Random(keyOf(seed));
  return new Tensor(
    "float32",
    shape,
    Float32Array.from({ length: size(shape) }, () => random.normal()),
  );
}

/** Compares floats. A float32 sum of a few hundred terms errs by some 1e-6 of its largest term: 1e-5 leaves room. */
export function expectClose(actual: Tensor | undefined, expected: Tensor, what: string): void {
  expect(actual?.shape, `shape of ${what}`).toEqual(expected.shape);
  const numbers = (values: Tensor | undefined) => Array.from((values?.data ?? []) as ArrayLike<number>, Number);
  const wanted = numbers(expected);
  const tolerance = 1e-5 * Math.max(1, ...wanted.map(Math.abs));
  for (const [i, value] of numbers(actual).entries())
    expect(Math.abs(value - (wanted[i] ?? 0)), `${what}[${i}]: ${value}, expected ${wanted[i]}`).toBeLessThan(
      tolerance,
    );
}

export interface LayerRun {
  readonly output: Tensor;
  readonly inputGradient: Tensor | undefined;
  /** Of every trainable parameter, by path. */
  readonly gradients: ReadonlyMap<string, Tensor>;
  /** New values of buffers, by path. */
  readonly updates: ReadonlyMap<string, Tensor>;
}

export interface RunOptions {
  readonly training?: boolean;
  /** Weights of the output's elements in the sum that is differentiated; default random. */
  readonly direction?: Tensor;
  /** Seed of the call's randomness; default 1. */
  readonly seed?: number;
}

/** Runs an initialized model on an input, with the gradients of Σ direction · output. */
export async function runLayer(model: CheckedLayer, x: Tensor, options: RunOptions = {}): Promise<LayerRun> {
  const { training = false, seed = 1 } = options;
  const { inputs, output: y, context } = model.trace(x, { training, key: constant(keyTensor(keyOf(seed))) });
  const paths = new Map([...model.parameters()].map(([path, parameter]) => [parameter, path]));
  const pathOf = (parameter: Parameter) => paths.get(parameter) ?? "";
  const trainable = [...context.values].filter(([parameter]) => parameter.trainable);
  const direction = options.direction ?? randomTensor(y.shape, 7);
  const seedValue = input("float32", direction.shape, "direction");
  const points: Value[] = [...(isFloat(x.dtype) ? inputs : []), ...trainable.map(([, value]) => value)];
  const gradients = isFloat(y.dtype) ? differentiate([y], [seedValue], points) : [];
  const executable = await compile(
    [...inputs, seedValue, ...context.values.values()],
    [y, ...context.updates.values(), ...gradients],
  );
  const [output = x, ...rest] = await executable.run([
    x,
    direction,
    ...Array.from(context.values.keys(), ({ value, name }) => {
      if (!value) throw new Error(`${name} has no value; initialize the model`);
      return value;
    }),
  ]);
  await executable.session.release();
  const updated = [...context.updates.keys()].map((buffer) => [pathOf(buffer), rest.shift() as Tensor] as const);
  const inputGradient = isFloat(x.dtype) ? rest.shift() : undefined;
  return {
    output,
    inputGradient,
    gradients: new Map(trainable.map(([parameter], i) => [pathOf(parameter), rest[i] as Tensor])),
    updates: new Map(updated),
  };
}

/** Gives a model the values of a record; every parameter of both must have its partner. */
export function loadRecorded(model: CheckedLayer, values: Readonly<Record<string, Tensor>>): void {
  const parameters = model.parameters();
  expect([...parameters.keys()].sort(), "paths of parameters").toEqual(Object.keys(values).sort());
  for (const [path, parameter] of parameters) {
    expect(parameter.shape, `shape of ${path}`).toEqual(values[path]?.shape);
    parameter.value = values[path];
  }
}

/** Two layers give the same of the same input, each with the initial values of one key. */
export async function expectSame(a: CheckedLayer, b: CheckedLayer, x: Tensor): Promise<void> {
  const [of, expected] = await Promise.all(
    [a, b].map(async (layer) => {
      layer.trace(x);
      layer.initialize(keyOf(3));
      return (await runLayer(layer, x)).output;
    }),
  );
  expectClose(of, expected as Tensor, "output");
}

/** Runs a layer as PyTorch's was run and compares everything that was recorded. */
export async function checkRecorded(layer: CheckedLayer, recorded: Recorded): Promise<LayerRun> {
  layer.trace(recorded.input, { training: recorded.training, key: constant(keyTensor(keyOf(1))) });
  loadRecorded(layer, recorded.parameters);
  const run = await runLayer(layer, recorded.input, recorded);
  expectClose(run.output, recorded.output, "output");
  if (recorded.inputGradient) expectClose(run.inputGradient, recorded.inputGradient, "input gradient");
  expect([...run.gradients.keys()].sort(), "parameters with gradients").toEqual(Object.keys(recorded.gradients).sort());
  for (const [path, gradient] of run.gradients)
    expectClose(gradient, recorded.gradients[path] as Tensor, `gradient of ${path}`);
  expect([...run.updates.keys()].sort(), "updated buffers").toEqual(Object.keys(recorded.updates).sort());
  for (const [path, value] of run.updates) expectClose(value, recorded.updates[path] as Tensor, `new ${path}`);
  return run;
}

/** Everything that can be checked without running: shapes, paths, counts, formulas, freezing, messages. */
function checkTraced(layer: CheckedLayer, type: TensorType, expected: LayerExpectation): void {
  const { outputShape, parameters: count, formula, refuses = [] } = expected;
  expect(layer.trace(type).output.shape, "output shape").toEqual(outputShape);
  const training = { training: true, key: constant(keyTensor(keyOf(1))) };
  expect(layer.trace(type, training).output.shape, "in training").toEqual(outputShape);
  const learned = [...layer.parameters().values()].filter(({ isBuffer }) => !isBuffer);
  const total = (parameters: readonly Parameter[]) => parameters.reduce((sum, { shape }) => sum + size(shape), 0);
  expect(total(learned), "number of parameters").toBe(count);
  if (formula !== undefined) expect(layer.formula()).toBe(formula);
  for (const [module, path] of layer.modules()) {
    const own = [...module.own.values()].filter(({ isBuffer }) => !isBuffer);
    expect(evaluateFormula(module.formula()), `formula of "${path}": ${module.formula()}`).toBe(total(own));
  }
  expect(layer.freeze(), "frozen parameters").toBe(learned.length);
  expect(learned.some(({ trainable }) => trainable)).toBe(false);
  expect(layer.unfreeze(), "unfrozen parameters").toBe(learned.length);
  expect(learned.every(({ trainable }) => trainable)).toBe(true);
  for (const [refused, message] of refuses) expect(() => layer.trace(refused)).toThrow(message);
}

/** Initial values depend on the key alone. */
function checkInitialization(layer: CheckedLayer): void {
  const initialize = () => {
    for (const parameter of layer.parameters().values()) parameter.value = undefined;
    layer.initialize(keyOf(3));
    return [...layer.parameters().values()].map(({ value }) => value as Tensor);
  };
  const first = initialize();
  for (const [i, value] of initialize().entries()) expect(sameTensor(value, first[i] as Tensor)).toBe(true);
}

/** Evaluation treats samples one by one: the first alone gives the first row of the batch. */
async function checkBatchOfOne(layer: CheckedLayer, x: Tensor): Promise<void> {
  const { output } = await runLayer(layer, x);
  const sample = new Tensor(
    x.dtype,
    [1, ...x.shape.slice(1)],
    x.data.slice(0, size(x.shape.slice(1))) as typeof x.data,
  );
  const alone = await runLayer(layer, sample);
  const row = Array.from(output.data.slice(0, alone.output.data.length), Number);
  expectClose(alone.output, tensor(row, { shape: alone.output.shape }), "first sample alone");
}

/** Training gives finite numbers, and every trainable parameter a gradient that is not zero. */
async function checkTraining(layer: CheckedLayer, x: Tensor): Promise<void> {
  const { output, gradients } = await runLayer(layer, x, { training: true });
  expect(Array.from(output.data, Number).every(Number.isFinite), "finite output in training").toBe(true);
  for (const [path, gradient] of gradients) {
    const numbers = Array.from(gradient.data, Number);
    expect(numbers.every(Number.isFinite), `finite gradient of ${path}`).toBe(true);
    expect(numbers.some(Boolean), `gradient of ${path}`).toBe(true);
  }
}

/**
 * Checks a layer that was not traced yet.
 * @example
 * await checkLayer(dense(4), { input: { dtype: "float32", shape: [3, 5] }, expected: { outputShape: [3, 4], parameters: 24 } });
 */
export async function checkLayer(layer: CheckedLayer, { input: given, expected }: LayerCheck): Promise<void> {
  const source = given ?? expected.recorded?.input;
  if (!source) throw new Error("checkLayer needs an input or a record");
  const x = source instanceof Tensor ? source : randomTensor(source.shape, 5);
  checkTraced(layer, { dtype: x.dtype, shape: x.shape }, expected);
  checkInitialization(layer);
  await checkBatchOfOne(layer, x);
  await checkTraining(layer, x);
  if (expected.recorded) await checkRecorded(layer, expected.recorded);
}
