/** How an update is written in few bytes: float32, float16, int8 with stochastic rounding, or the largest elements alone. */
import { FederationError } from "../core/errors.ts";
import { float16Bits } from "../core/half.ts";
import { oneOf, positiveShare } from "../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../core/options.ts";
import { foldIn, type Key, Random } from "../core/random.ts";
import { showShape } from "../core/shape.ts";
import { asFloat32, Tensor } from "../core/tensor.ts";
import { asTensors, type ModelDescription, requireTensors } from "./model-description.ts";

/** Names of encodings. */
export const encodings = ["float32", "float16", "int8", "topK"] as const;
/** How the elements of an update are written; see `Compression`. */
export type Encoding = (typeof encodings)[number];

/** How updates are compressed. */
export interface Compression {
  /**
   * `float32`: 4 bytes an element, exact. `float16`: 2 bytes, rounded to 11 bits. `int8`: 1 byte, each tensor scaled by its largest element and rounded up or
   * down by chance, so that the mean stays right (Alistarh et al. 2017, "QSGD"). `topK`: the elements of largest magnitude of each tensor, 8 bytes each;
   * the client adds what it left out to its next update (error feedback; Stich et al. 2018). Default `float32`.
   */
  readonly encoding?: Encoding;
  /** Of `topK`, the share of elements that are sent; default 0.1. */
  readonly share?: number;
}

export const compressionTypes: OptionTypes<Compression> = { encoding: oneOf(...encodings), share: positiveShare };
export const checkCompression = optionsOf<Compression>("compression", compressionTypes);

/** An update as tensors of a message, and a scale for each tensor of int8. */
export interface Encoded {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly scales: Readonly<Record<string, number>>;
}

/** Behind the path of a tensor: the numbers of its elements that are sent. */
const indicesSuffix = "#indices";

/** Most that an int8 holds, both ways. */
const most = 127;

const greatestMagnitude = (values: Float32Array): number =>
  values.reduce((best, value) => Math.max(best, Math.abs(value)), 0);

/**
 * Writes a vector. Throws FederationError for a number that float16 does not hold.
 * @param key of the rounding of int8
 */
export function encodeValues(
  description: ModelDescription,
  values: Float32Array,
  { encoding = "float32", share = 0.1 }: Compression,
  key: Key,
): Encoded {
  const tensors: Record<string, Tensor> = {};
  const scales: Record<string, number> = {};
  for (const [path, own] of Object.entries(asTensors(description, values))) {
    const { data, shape } = own;
    if (encoding === "float32") tensors[path] = own;
    else if (encoding === "float16") {
      if (greatestMagnitude(data) > 65504)
        throw new FederationError(
          `the update of "${path}" has an element of magnitude ${greatestMagnitude(data)}, and float16 holds up to 65,504; compress by int8, or not at all`,
        );
      tensors[path] = new Tensor("float16", shape, Uint16Array.from(data, float16Bits));
    } else if (encoding === "int8") {
      const scale = greatestMagnitude(data) / most;
      const random = new Random(foldIn(key, path));
      scales[path] = scale;
      const whole = (value: number) => Math.floor(value / scale + random.uniform());
      const rounded = Int8Array.from(data, (value) =>
        scale === 0 ? 0 : Math.min(most, Math.max(-most, whole(value))),
      );
      tensors[path] = new Tensor("int8", shape, rounded);
    } else {
      const kept = Math.min(data.length, Math.max(1, Math.round(share * data.length)));
      const order = Uint32Array.from(data, (_, i) => i);
      // Of equal magnitudes the first: the same bits everywhere.
      order.sort((a, b) => Math.abs(data[b] as number) - Math.abs(data[a] as number) || a - b);
      const indices = order.slice(0, kept).sort();
      tensors[path] = new Tensor(
        "float32",
        [kept],
        Float32Array.from(indices, (i) => data[i] as number),
      );
      tensors[`${path}${indicesSuffix}`] = new Tensor("uint32", [kept], indices);
    }
  }
  return { tensors, scales };
}

/**
 * Reads a vector back. Throws FederationError naming the tensor that is missing, unknown, of a wrong shape or type, or that has elements which are
 * not the model's.
 * @param where whose it is, which errors begin with
 */
export function decodeValues(
  where: string,
  description: ModelDescription,
  encoding: Encoding,
  { tensors, scales }: Encoded,
): Float32Array {
  const values = new Float32Array(description.length);
  const dtype = encoding === "topK" ? "float32" : encoding;
  const isIndices = (path: string) => encoding === "topK" && path.endsWith(indicesSuffix);
  const main = Object.entries(tensors).filter(([path]) => !isIndices(path));
  for (const [path, own] of main)
    if (own.dtype !== dtype)
      throw new FederationError(
        `${where}: the tensor "${path}" is ${own.dtype}, expected ${dtype} as ${encoding} has it; send what the header says`,
      );
  const shapes = new Map(description.tensors.map(({ path, shape }) => [path, shape]));
  // What is sent of a tensor by topK has the length that the client chose.
  requireTensors(
    where,
    description,
    Object.fromEntries(
      main.map(([path, own]) => [path, { shape: encoding === "topK" ? (shapes.get(path) ?? own.shape) : own.shape }]),
    ),
  );
  for (const { path, offset, length } of description.tensors) {
    const own = tensors[path] as Tensor;
    const { data } = asFloat32(own);
    if (encoding === "topK") {
      const indices = tensors[`${path}${indicesSuffix}`];
      if (indices?.dtype !== "uint32" || showShape(indices.shape) !== showShape(own.shape) || own.shape.length !== 1)
        throw new FederationError(
          `${where}: the tensor "${path}" has ${data.length} elements, whose numbers are missing or of another shape; send uint32 beside them`,
        );
      let before = -1;
      for (const [i, index] of (indices.data as Uint32Array).entries()) {
        if (index >= length || index <= before)
          throw new FederationError(
            `${where}: the tensor "${path}" has an element ${index} behind ${before}, of ${length}; send rising numbers of elements`,
          );
        before = index;
        values[offset + index] = data[i] as number;
      }
      continue;
    }
    const scale = encoding === "int8" ? scales[path] : 1;
    if (scale === undefined || !(scale >= 0))
      throw new FederationError(`${where}: the tensor "${path}" has no scale from 0; send one for each tensor of int8`);
    for (const [i, value] of data.entries()) values[offset + i] = value * scale;
  }
  return values;
}
