/** What coordinator and clients must agree on: the tensors of a model that are exchanged, and a hash of all of it. */
import { DataError, FederationError } from "../core/errors.ts";
import { type Shape, showShape, size } from "../core/shape.ts";
import { Tensor, tensor } from "../core/tensor.ts";
import type { AnyModule } from "../nn/module.ts";
import { hashOf } from "../train/engine/hash.ts";

/** Version of the messages; another one is refused. */
export const protocolVersion = 2;

/** A tensor that is exchanged, float32. */
export interface DescribedTensor {
  /** Its path in the model. */
  readonly path: string;
  /** Its extents. */
  readonly shape: Shape;
  /** First element in the vector of all. */
  readonly offset: number;
  /** Elements. */
  readonly length: number;
}

/**
 * The tensors of a model that are exchanged, in the order of one vector: the trainable parameters, then the buffers (running statistics), each by
 * path. Frozen parameters stay where they are, and are part of the hash.
 */
export interface ModelDescription {
  /** The tensors. */
  readonly tensors: readonly DescribedTensor[];
  /** Elements of the trainable parameters, which come first. */
  readonly trained: number;
  /** Elements of all. */
  readonly length: number;
  /** Tells this model from one of other names, shapes or frozen values: 14 hexadecimal digits. */
  readonly hash: string;
}

const digest = (data: Tensor): string => hashOf({ data }, 0, 1).toString(16).padStart(14, "0");

/**
 * Describes a model. Throws DataError for a model without values; initialize it first.
 */
export function describeModel(model: AnyModule): ModelDescription {
  const all = [...model.parameters()].sort(([a], [b]) => (a < b ? -1 : 1));
  const lacking = all.find(([, { value }]) => !value);
  if (all.length === 0 || lacking)
    throw new DataError(
      `federated learning: the model has no values${lacking ? ` of "${lacking[0]}"` : ""}; call model.initialize(key, inputs) first`,
    );
  const ordered = [
    ...all.filter(([, { trainable }]) => trainable),
    ...all.filter(([, { isBuffer, frozen }]) => isBuffer && !frozen),
  ];
  let length = 0;
  const tensors = ordered.map(([path, { shape }]): DescribedTensor => {
    const own = { path, shape, offset: length, length: size(shape) };
    length = own.offset + own.length;
    return own;
  });
  const trained = all.reduce((sum, [, own]) => sum + (own.trainable ? size(own.shape) : 0), 0);
  const frozen = all.flatMap(([path, { value, frozen }]) => (frozen && value ? [[path, digest(value)]] : []));
  const text = JSON.stringify([tensors.map(({ path, shape }) => [path, shape]), trained, frozen]);
  return { tensors, trained, length, hash: digest(tensor(new TextEncoder().encode(text))) };
}

/** The values of a model in one vector, copied. On a device with a memory of its own `Trainer.sync` comes before. */
export function readValues(model: AnyModule, { tensors, length }: ModelDescription): Float32Array {
  const values = new Float32Array(length);
  const parameters = model.parameters();
  for (const { path, offset } of tensors) values.set(parameters.get(path)?.value?.data as Float32Array, offset);
  return values;
}

/** Puts copies of the values into a model; who trains it takes them up at the next step. */
export function writeValues(model: AnyModule, { tensors }: ModelDescription, values: Float32Array): void {
  const parameters = model.parameters();
  for (const { path, shape, offset, length } of tensors) {
    const parameter = parameters.get(path);
    if (parameter) parameter.value = new Tensor("float32", shape, values.slice(offset, offset + length));
  }
}

/** A vector as the tensors that it consists of, views of it. */
export const asTensors = ({ tensors }: ModelDescription, values: Float32Array): Record<string, Tensor<"float32">> =>
  Object.fromEntries(
    tensors.map(({ path, shape, offset, length }) => [
      path,
      new Tensor("float32", shape, values.subarray(offset, offset + length)),
    ]),
  );

/** Throws FederationError unless names and shapes are those of the description, and naming the tensor that differs. */
export function requireTensors(
  where: string,
  { tensors }: ModelDescription,
  found: Readonly<Record<string, { readonly shape: Shape }>>,
): void {
  const known = new Set(tensors.map(({ path }) => path));
  const stray = Object.keys(found).find((path) => !known.has(path));
  if (stray !== undefined)
    throw new FederationError(
      `${where} has a tensor "${stray}", which the model does not have; send those of the model alone`,
    );
  for (const { path, shape } of tensors) {
    const own = Object.hasOwn(found, path) ? found[path] : undefined;
    if (!own) throw new FederationError(`${where} lacks the tensor "${path}"; send all tensors of the model`);
    if (showShape(own.shape) !== showShape(shape))
      throw new FederationError(
        `${where}: the tensor "${path}" is ${showShape(own.shape)}, expected ${showShape(shape)}; train the coordinator's model`,
      );
  }
}

/** Throws FederationError naming the tensor that holds NaN or Infinity. */
export function requireFiniteValues(where: string, { tensors }: ModelDescription, values: Float32Array): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const found = tensors.find(({ offset, length }) => at >= offset && at < offset + length);
  throw new FederationError(
    `${where}: the tensor "${found?.path}" holds ${values[at]}, expected finite numbers; lower the client's learning rate, or look into its data`,
  );
}
