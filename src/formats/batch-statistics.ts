/** Training of graphs from files: normalization by the moments of the batch, whose running statistics follow. */
import { ShapeError } from "../core/errors.ts";
import { showShape, size } from "../core/shape.ts";
import type { Node, Value } from "../graph/ir.ts";
import { rewrite } from "../graph/rewrite.ts";
import type { AnyModule, Context } from "../nn/index.ts";
import { add, BatchNormalization, batchNormTrain, mul } from "../ops/index.ts";

/** ONNX's share of the running statistics that stays. */
const defaultMomentum = 0.9;

/**
 * Outputs in which each BatchNormalization whose mean and variance are buffers of the module, and not frozen, normalizes by its batch;
 * the buffers are updated. Throws ShapeError for one element a channel, whose variance is zero.
 */
export function normalizedByBatch(
  module: AnyModule,
  outputs: readonly Value[],
  bound: ReadonlyMap<Value, string>,
  context: Context,
): readonly Value[] {
  const bufferOf = (value: Value | undefined) => {
    const name = value && bound.get(value);
    const parameter = name === undefined ? undefined : module.own.get(name);
    return parameter?.isBuffer && !parameter.frozen ? name : undefined;
  };
  return rewrite(outputs, (node) => {
    if (node.op !== BatchNormalization) return undefined;
    const [x, scale, bias, mean, variance] = node.inputs as readonly [Value, Value, Value, Value, Value];
    const [ofMean, ofVariance] = [bufferOf(mean), bufferOf(variance)];
    if (ofMean === undefined || ofVariance === undefined) return undefined;
    const count = elementsOfChannel(x, node);
    const { epsilon = 1e-5, momentum = defaultMomentum } = node.attributes as Readonly<Record<string, number>>;
    const { meanOverParts } = context;
    const batch = batchNormTrain(x, scale, bias, { epsilon, meanOverParts, near: mean });
    const blend = (running: Value, observed: Value) => add(mul(running, momentum), mul(observed, 1 - momentum));
    context.update(module, ofMean, blend(mean, batch.mean));
    // The running variance is the unbiased one, as in our own layer.
    context.update(module, ofVariance, blend(variance, context.unbiased(batch.variance, count)));
    return [batch.y];
  }).outputs;
}

function elementsOfChannel(x: Value, { scope }: Node): number {
  const count = size(x.shape) / (x.shape[1] ?? 1);
  if (count >= 2) return count;
  throw new ShapeError(
    `the batch normalization${scope ? ` "${scope.path}"` : ""} has one element a channel in its input ${showShape(x.shape)}, whose variance is zero; use a larger batch, or freeze it`,
  );
}
