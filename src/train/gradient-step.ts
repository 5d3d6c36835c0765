/** The graph of one training batch: loss, metrics, gradients of the trainable parameters, new buffers. */
import { gradients as differentiate } from "../autodiff/gradients.ts";
import { ShapeError } from "../core/errors.ts";
import { size } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { checkLabels } from "../data/pipeline/checks.ts";
import { type Batch, extrasOf } from "../data/pipeline/dataset.ts";
import { input, type Value } from "../graph/ir.ts";
import { simplify } from "../graph/passes.ts";
import { assignScope } from "../graph/rewrite.ts";
import { type CompileOptions, compile, type Executable } from "../jit/compile.ts";
import { Context, type ContextOptions } from "../nn/context.ts";
import type { Loss } from "../nn/losses/losses.ts";
import type { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { add, constant, ones } from "../ops/index.ts";
import type { Shard } from "./arena.ts";
import type { Metric } from "./metrics/metrics.ts";

/** The graph input that takes a step's key. */
export const keyInput = (): Value => input("uint32", [2], "key");

export interface GradientStepOptions {
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
  readonly options: { readonly compile?: CompileOptions };
  /** Hold the trainable parameters, and receive their gradients. */
  readonly shards: readonly Shard[];
}

export interface GradientResult {
  readonly loss: number;
  readonly statistics: readonly Float32Array[];
}

export interface GradientStep {
  readonly executable: Executable;
  run(batch: Batch, key: Tensor): Promise<GradientResult>;
  /** Puts the buffers (running statistics) that the last run computed into the model. */
  commit(): void;
}

/** A traced forward pass with its loss. */
export interface TracedLoss {
  readonly context: Context;
  /** What a batch feeds: x, y, and the extra inputs. */
  readonly inputs: readonly Value[];
  readonly target: Value;
  readonly output: Value;
  /** Mean loss of the batch, with penalties. */
  readonly loss: Value;
  /** A batch's tensors in the order of `inputs`. Throws DataError when it has targets that are no class of the output. */
  readonly feed: (batch: Batch) => readonly Tensor[];
}

/** What decides the graph of a batch: names, dtypes and shapes of its tensors. */
export const signatureOf = (batch: Batch): string =>
  Object.entries(batch as unknown as Record<string, Tensor>)
    .map(([name, { dtype, shape }]) => `${name}:${dtype}[${shape}]`)
    .sort()
    .join();

/** Traces a model and its loss on a batch's types. */
export function traceLoss(model: Module, loss: Loss, batch: Batch, options: ContextOptions): TracedLoss {
  const x = input(batch.x.dtype, batch.x.shape, "x");
  const y = input(batch.y.dtype, batch.y.shape, "y");
  const extras = Object.entries(extrasOf(batch)).map(
    ([name, { dtype, shape }]) => [name, input(dtype, shape, name)] as const,
  );
  const context = new Context(model, options);
  const output = model.apply(x, context, Object.fromEntries(extras));
  const data = loss(output, y);
  if (data.rank !== 0) throw new ShapeError(`the loss must be a scalar, got ${data}; reduce it, e.g. reduceMean(loss)`);
  const total = context.penalties.reduce((sum, penalty) => add(sum, penalty), data);
  assignScope([total], { path: "loss" });
  const classes = loss.classesOf?.(output);
  const feed = (given: Batch): readonly Tensor[] => {
    if (classes !== undefined) checkLabels(given.y, classes, "a batch's targets", loss.ignored);
    const own = extrasOf(given);
    return [given.x, given.y, ...extras.map(([name]) => own[name] as Tensor)];
  };
  const inputs = [x, y, ...extras.map(([, value]) => value)];
  return { context, inputs, target: y, output, loss: total, feed };
}

/** Frozen parameters up to this many elements are built into the step; the engine keeps several copies of what is. */
const mostBuiltIn = 2 ** 18;

/** Whether a parameter becomes a constant, which the engine may fold and prepare once. */
const isBuiltIn = ({ trainable, isBuffer, shape }: Parameter): boolean =>
  !trainable && !isBuffer && size(shape) <= mostBuiltIn;

/** Builds and compiles the step. Small frozen parameters become constants, all others inputs. */
export async function buildGradientStep(
  model: Module,
  batch: Batch,
  { loss: lossOf, metrics, options, shards }: GradientStepOptions,
): Promise<GradientStep> {
  const key = keyInput();
  const inputs = new Map<Parameter, Value>();
  const bind = (parameter: Parameter, path: string): Value => {
    if (isBuiltIn(parameter) && parameter.value) return constant(parameter.value);
    const value = input(parameter.dtype, parameter.shape, path);
    inputs.set(parameter, value);
    return value;
  };
  const traced = traceLoss(model, lossOf, batch, { training: true, key, bind });
  const { context, inputs: fed } = traced;

  const updated = [...context.updates];
  const slots = shards.flatMap((shard) => shard.slots);
  const parameters = slots.map(({ parameter }) => inputs.get(parameter) ?? input("float32", parameter.shape));
  const statistics = metrics.map((metric) => metric.update(traced.output, traced.target));
  assignScope(statistics, { path: "metrics" });
  // Rewrites that save work both ways come before the backward pass is derived from the forward one.
  const forward = simplify([traced.loss, ...statistics, ...updated.map(([, value]) => value)]);
  const [loss = traced.loss] = forward;
  const slopes = differentiate([loss], [ones([])], parameters);

  const bound = [...inputs];
  const executable = await compile(
    [...fed, key, ...bound.map(([, value]) => value)],
    [...forward, ...slopes],
    options.compile,
  );
  const views = shards.flatMap((shard) => shard.slots.map((slot) => shard.view("gradients", slot)));
  const preallocated = [...new Array<undefined>(forward.length), ...views];
  let fresh: readonly Tensor[] = [];
  return {
    executable,
    async run(batch, keyValue) {
      const values = bound.map(([{ value }]) => value as Tensor);
      const results = await executable.run([...traced.feed(batch), keyValue, ...values], preallocated);
      const first = 1 + metrics.length;
      fresh = results.slice(first, first + updated.length);
      return {
        loss: results[0]?.item() ?? Number.NaN,
        statistics: results.slice(1, first).map(({ data }) => data as Float32Array),
      };
    },
    commit() {
      for (const [i, [buffer]] of updated.entries())
        (buffer.value?.data as Float32Array | undefined)?.set((fresh[i]?.data ?? []) as Float32Array);
    },
  };
}
