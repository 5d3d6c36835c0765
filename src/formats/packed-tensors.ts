/** Matrices of checkpoints that bitsandbytes, GPTQ and AWQ packed, or that are float8 with factors, as the float32 that they stand for. */
import { FileError } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { type Shape, size } from "../core/shape.ts";
import { asFloat32, Tensor } from "../core/tensor.ts";
import { isPlainObject } from "../core/tree.ts";
import type { Checkpoint } from "./huggingface-weights.ts";
import { logicalTensors, type StoredTensor, scaleNames } from "./stored-tensors.ts";

/** What the quantization_config beside a checkpoint says that its tensors do not. */
export interface PackingOptions {
  /** GPTQ's zero points are stored as they are, rather than less 1 (checkpoint_format gptq_v2); default false. */
  readonly exactZeros?: boolean;
}

/** The options of a parsed config.json. */
export function packingOptions(config: unknown): PackingOptions {
  const quantization = isPlainObject(config) ? config["quantization_config"] : undefined;
  return { exactZeros: isPlainObject(quantization) && quantization["checkpoint_format"] === "gptq_v2" };
}

/**
 * The checkpoint with packed matrices unpacked, by the names of the matrices; what unpacks them has no name any more. Others are as they
 * were. Reading throws FileError for parts that are missing or do not fit.
 */
export function unpackedCheckpoint(checkpoint: Checkpoint, options: PackingOptions = {}): Checkpoint {
  const stored = checkpoint.names.map((name) => ({ name, ...checkpoint.typeOf(name) }));
  const logical = logicalTensors(stored);
  if (logical.every(({ packing, isScale }) => packing === undefined && !isScale)) return checkpoint;
  const packed = new Map(logical.flatMap((tensor) => (tensor.packing ? [[tensor.name, tensor] as const] : [])));
  return {
    names: logical.filter(({ isScale = false }) => !isScale).map(({ name }) => name),
    typeOf: checkpoint.typeOf,
    read(name) {
      const tensor = packed.get(name);
      if (!tensor) return checkpoint.read(name);
      try {
        return unpack(tensor, checkpoint, options);
      } catch (cause) {
        throw cause instanceof FileError
          ? cause
          : new FileError(`the packed tensor "${name}" cannot be unpacked: ${(cause as Error).message}`, { cause });
      }
    },
  };
}

function unpack(tensor: StoredTensor, { names, read }: Checkpoint, options: PackingOptions): Tensor<"float32"> {
  const { name, packing, bits } = tensor;
  const parts = new Set(names);
  const part = (own: string): Tensor => {
    if (!parts.has(own)) throw new FileError(`the packed tensor "${name}" needs "${own}", which the checkpoint lacks`);
    return read(own);
  };
  const optional = (own: string) => (parts.has(own) ? read(own) : undefined);
  const layer = name.replace(/\.weight$/, "");
  switch (packing) {
    case "bitsandbytes":
      return bits === 4 ? fourBits(name, part, optional) : eightBits(part(name), part(`${layer}.SCB`));
    case "GPTQ":
      return gptq(tensor, options, {
        weight: integersOf(part(`${layer}.qweight`)),
        zeros: integersOf(part(`${layer}.qzeros`)),
        scales: asFloat32(part(`${layer}.scales`)),
        groups: optional(`${layer}.g_idx`),
      });
    case "AWQ":
      return awq(tensor, {
        weight: integersOf(part(`${layer}.qweight`)),
        zeros: integersOf(part(`${layer}.qzeros`)),
        scales: asFloat32(part(`${layer}.scales`)),
      });
    case "float8": {
      const [blocks, rows] = scaleNames(name);
      return scaled(asFloat32(part(name)), asFloat32(optional(blocks) ?? part(rows)));
    }
    default:
      throw new FileError(`the tensor "${name}" is packed by ${packing}, which is not unpacked here`);
  }
}

/** A tensor's whole numbers. */
const integersOf = (tensor: Tensor): Int32Array => Int32Array.from(tensor.data as ArrayLike<number>);

/** A matrix times factors of equal parts of it, of its rows, or of all: [rows, columns] by [], [1], [R], [R, 1] or [R, C]. */
function scaled({ data, shape }: Tensor<"float32">, factors: Tensor<"float32">): Tensor<"float32"> {
  const [rows = 1, columns = 1] = shape;
  const [down = 1, across = 1] = factors.shape;
  // Blocks are of 128 rows and columns, the last ones smaller; fewer factors than that are for equal parts.
  const [high, wide] = [rows, columns].map((extent, axis) => {
    const parts = axis === 0 ? down : across;
    return parts === Math.ceil(extent / 128) ? 128 : extent / parts;
  }) as [number, number];
  const factorAt = (i: number) =>
    factors.data[Math.floor(Math.floor(i / columns) / high) * across + Math.floor((i % columns) / wide)] ?? 0;
  return new Tensor(
    "float32",
    shape,
    data.map((value, i) => value * factorAt(i)),
  );
}

/** int8 rows, each with the largest absolute value of its numbers: w · SCB / 127 (Dettmers et al. 2022, sec. 2.1). */
function eightBits({ data, shape }: Tensor, maxima: Tensor): Tensor<"float32"> {
  const columns = shape[1] ?? 1;
  const largest = asFloat32(maxima).data;
  requireParts("SCB", largest.length, shape[0] ?? 1);
  return new Tensor(
    "float32",
    shape,
    Float32Array.from(data as ArrayLike<number>, (value, i) => (value * (largest[Math.floor(i / columns)] ?? 0)) / 127),
  );
}

/** What bitsandbytes writes of a matrix of 4 bits as JSON. */
interface QuantState {
  readonly shape: Shape;
  readonly blocksize: number;
  readonly nestedBlocksize: number;
  readonly nestedOffset: number;
}

function stateOf(name: string, optional: (name: string) => Tensor | undefined): QuantState {
  const found = ["nf4", "fp4"].flatMap((kind) => optional(`${name}.quant_state.bitsandbytes__${kind}`) ?? []);
  const [text] = found;
  if (!text)
    throw new FileError(
      `the packed tensor "${name}" has no quant_state, which says its shape; save it with bitsandbytes 0.41 or later`,
    );
  const read = fieldsIn(Uint8Array.from(text.data as ArrayLike<number>));
  const { shape, blocksize, nested_blocksize = 256, nested_offset = 0 } = read;
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;
  if (!(Array.isArray(shape) && shape.every(isCount) && isCount(blocksize) && isCount(nested_blocksize)))
    throw new FileError(`the quant_state of "${name}" names no shape and block size; the file is damaged`);
  return { shape, blocksize, nestedBlocksize: nested_blocksize, nestedOffset: Number(nested_offset) };
}

/** The fields of an object in JSON, none of what is no such object. */
function fieldsIn(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value = parseJson(new TextDecoder().decode(bytes));
    return isPlainObject(value) ? value : {};
  } catch {
    return {};
  }
}

/**
 * Blocks of numbers of 4 bits, each an entry of a table of 16 times the largest absolute value of its block (Dettmers et al. 2023,
 * sec. 3); these maxima may be packed likewise, in 8 bits.
 */
function fourBits(
  name: string,
  part: (name: string) => Tensor,
  optional: (name: string) => Tensor | undefined,
): Tensor<"float32"> {
  const { shape, blocksize, nestedBlocksize, nestedOffset } = stateOf(name, optional);
  const [packed, table] = [part(name).data as Uint8Array, asFloat32(part(`${name}.quant_map`)).data];
  const count = size(shape);
  requireParts("weight", 2 * packed.length, count);
  const own = part(`${name}.absmax`);
  const nested = optional(`${name}.nested_absmax`);
  const maxima = nested
    ? unnested(own.data as ArrayLike<number>, asFloat32(nested).data, asFloat32(part(`${name}.nested_quant_map`)).data)
    : asFloat32(own).data;
  requireParts("absmax", maxima.length, Math.ceil(count / blocksize));
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const byte = packed[i >> 1] ?? 0;
    const number = i % 2 === 0 ? byte >> 4 : byte & 15;
    out[i] = (table[number] ?? 0) * (maxima[Math.floor(i / blocksize)] ?? 0);
  }
  return new Tensor("float32", shape, out);

  function unnested(bytes: ArrayLike<number>, outer: Float32Array, map: Float32Array): Float32Array {
    const scale = (i: number) => outer[Math.floor(i / nestedBlocksize)] ?? 0;
    return Float32Array.from(bytes, (byte, i) => (map[byte] ?? 0) * scale(i) + nestedOffset);
  }
}

interface GroupedParts {
  readonly weight: Int32Array;
  readonly zeros: Int32Array;
  readonly scales: Tensor<"float32">;
}

/** The number of `bits` bits that begins at bit `at` of words that stand `stride` apart, from `start` on. */
function bitsAt(words: Int32Array, start: number, stride: number, at: number, bits: number): number {
  const [word, shift] = [Math.floor(at / 32), at % 32];
  const low = (words[start + word * stride] ?? 0) >>> shift;
  const high = shift + bits > 32 ? (words[start + (word + 1) * stride] ?? 0) << (32 - shift) : 0;
  return (low | high) & ((1 << bits) - 1);
}

/**
 * scale · (number − zero), where rows of the input are in groups that share scale and zero (Frantar et al. 2022). Numbers of a column follow
 * one another in words below one another, zeros in words beside one another.
 */
function gptq(
  { shape, bits }: StoredTensor,
  { exactZeros = false }: PackingOptions,
  { weight, zeros, scales, groups }: GroupedParts & { readonly groups: Tensor | undefined },
): Tensor<"float32"> {
  const [out = 1, into = 1] = shape;
  const count = scales.shape[0] ?? 1;
  const zeroWords = (out * bits) / 32;
  requireParts("scales", scales.data.length, count * out);
  requireParts("qzeros", zeros.length, count * zeroWords);
  const groupOf = groups
    ? integersOf(groups)
    : Int32Array.from({ length: into }, (_, i) => Math.floor((i * count) / into));
  requireParts("g_idx", groupOf.length, into);
  const values = new Float32Array(out * into);
  for (let i = 0; i < into; i++) {
    const group = groupOf[i] ?? 0;
    if (group < 0 || group >= count)
      throw new FileError(`its g_idx names group ${group} of ${count}; the file is damaged`);
    for (let o = 0; o < out; o++) {
      const zero = bitsAt(zeros, group * zeroWords, 1, o * bits, bits) + (exactZeros ? 0 : 1);
      values[o * into + i] = (scales.data[group * out + o] ?? 0) * (bitsAt(weight, o, out, i * bits, bits) - zero);
    }
  }
  return new Tensor("float32", shape, values);
}

/** Which of eight neighbouring columns stands where in a word (AWQ's order of 4-bit numbers, for its own kernels). */
const places = [0, 4, 1, 5, 2, 6, 3, 7];

/** scale · (number − zero), with numbers and zeros of eight columns in a word (Lin et al. 2023, as released). */
function awq({ shape, bits }: StoredTensor, { weight, zeros, scales }: GroupedParts): Tensor<"float32"> {
  const [out = 1, into = 1] = shape;
  if (bits !== 4) throw new FileError(`AWQ packs 4 bits, and these are ${bits}; the file is damaged`);
  const count = scales.shape[0] ?? 1;
  requireParts("qzeros", zeros.length, (count * out) / 8);
  requireParts("scales", scales.data.length, count * out);
  const at = (words: Int32Array, row: number, column: number) =>
    ((words[(row * out) / 8 + (column >> 3)] ?? 0) >>> (4 * (places[column & 7] ?? 0))) & 15;
  const values = new Float32Array(out * into);
  for (let i = 0; i < into; i++) {
    const group = Math.floor((i * count) / into);
    for (let o = 0; o < out; o++)
      values[o * into + i] = (scales.data[group * out + o] ?? 0) * (at(weight, i, o) - at(zeros, group, o));
  }
  return new Tensor("float32", shape, values);
}

function requireParts(what: string, got: number, expected: number): void {
  if (got !== expected)
    throw new FileError(`its ${what} has ${got} numbers, expected ${expected}; the file is damaged`);
}
