/** The safetensors format (huggingface.co/docs/safetensors): a JSON header and raw little-endian tensors, both ways. */
import { type ByteSource, memorySource } from "../core/byte-source.ts";
import { type ArrayOf, arrayTypes, bytesPerElement, type DType } from "../core/dtype.ts";
import { FileError, OptionError } from "../core/errors.ts";
import { bfloat16ToFloat32, float8e4m3Number, float8e5m2Number } from "../core/half.ts";
import { parseJson } from "../core/json.ts";
import { limits, requireName, requireRank } from "../core/limits.ts";
import { type Shape, showShape, size } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";

const names = {
  float64: "F64",
  int64: "I64",
  uint64: "U64",
  float32: "F32",
  int32: "I32",
  uint32: "U32",
  float16: "F16",
  int16: "I16",
  uint16: "U16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
} as const satisfies Record<DType, string>;

const dtypeOf = new Map<string, DType>(Object.entries(names).map(([dtype, name]) => [name, dtype as DType]));

/** Types that no tensor here holds, by their bits: their sizes are still known. */
const foreignBits: Readonly<Record<string, number>> = { BF16: 16, F8_E4M3: 8, F8_E5M2: 8, F8_E8M0: 8, F4: 4 };

const knownTypes = [...dtypeOf.keys(), ...Object.keys(foreignBits)];

/** Bits of an element of a type that the format names, `undefined` for another. */
export function bitsOfType(type: string): number | undefined {
  const dtype = dtypeOf.get(type);
  if (dtype) return 8 * bytesPerElement(dtype);
  return Object.hasOwn(foreignBits, type) ? foreignBits[type] : undefined;
}

const METADATA = "__metadata__";
const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000; // the format's own limit

/** The named tensors of a file and the strings beside them. */
export interface SafetensorsFile {
  readonly tensors: Record<string, Tensor>;
  readonly metadata: Record<string, string>;
}

const bytesOf = (t: Tensor): Uint8Array => new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);

/** A tensor that a file is to hold: its type as the format names it, and its shape. */
export interface TensorToWrite {
  readonly name: string;
  readonly type: string;
  readonly shape: Shape;
}

/** The beginning of a file, up to its tensors, and the tensors in the order in which they follow. */
export interface EncodedHeader<T extends TensorToWrite> {
  readonly bytes: Uint8Array;
  readonly order: readonly T[];
  /** Bytes of all tensors together. */
  readonly dataBytes: number;
}

/**
 * What stands before the tensors of a safetensors file. They lie widest element first, then by name, so that each is aligned. Throws
 * OptionError for a tensor named `__metadata__` and for a type that the format does not have, and for more metadata than it allows.
 */
export function encodeSafetensorsHeader<T extends TensorToWrite>(
  tensors: readonly T[],
  metadata?: Readonly<Record<string, string>>,
): EncodedHeader<T> {
  const bitsOf = ({ name, type }: T): number => {
    const bits = bitsOfType(type);
    if (bits !== undefined) return bits;
    throw new OptionError(
      `safetensors: tensor "${name}" is ${type}, known are ${knownTypes.join(", ")}; convert it first`,
    );
  };
  const order = [...tensors].sort((x, y) => bitsOf(y) - bitsOf(x) || (x.name < y.name ? -1 : 1));
  let end = 0;
  const header = order.map((tensor): [string, unknown] => {
    const { name, type, shape } = tensor;
    if (name === METADATA)
      throw new OptionError(`safetensors: no tensor may be named "${METADATA}", the format keeps that name; rename it`);
    const begin = end;
    end += Math.ceil((size(shape) * bitsOf(tensor)) / 8);
    return [name, { dtype: type, shape, data_offsets: [begin, end] }];
  });
  if (metadata !== undefined) header.unshift([METADATA, metadata]);
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  if (headerBytes > MAX_HEADER_BYTES)
    throw new OptionError(
      `safetensors: names and metadata take ${headerBytes} bytes, the format allows ${MAX_HEADER_BYTES}; keep less in the metadata`,
    );
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, LENGTH_BYTES); // the format pads its header with spaces
  bytes.set(json, LENGTH_BYTES);
  return { bytes, order, dataBytes: end };
}

/**
 * The bytes of a safetensors file. Throws OptionError for a tensor named `__metadata__`, and for more metadata than the format allows.
 * @example encodeSafetensors({ weight: tensor([[1, 2]]) }, { step: "10" })
 */
export function encodeSafetensors(tensors: Record<string, Tensor>, metadata?: Record<string, string>): Uint8Array {
  const entries = Object.entries(tensors).map(([name, tensor]) => ({
    name,
    type: names[tensor.dtype],
    shape: tensor.shape,
    tensor,
  }));
  const { bytes, order, dataBytes } = encodeSafetensorsHeader(entries, metadata);
  const file = new Uint8Array(bytes.length + dataBytes);
  file.set(bytes);
  let offset = bytes.length;
  for (const { tensor } of order) {
    file.set(bytesOf(tensor), offset);
    offset += tensor.data.byteLength;
  }
  return file;
}

/** Keys of the outermost object of valid JSON text, with repetitions, which JSON.parse hides. */
function outermostKeys(json: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  let [begin, end] = [0, 0];
  for (let at = 0; at < json.length; at++) {
    const sign = json[at];
    if (sign === '"') {
      begin = at;
      for (at++; json[at] !== '"'; at++) if (json[at] === "\\") at++;
      end = at + 1;
    } else if (sign === "{" || sign === "[") depth++;
    else if (sign === "}" || sign === "]") depth--;
    else if (sign === ":" && depth === 1) keys.push(JSON.parse(json.slice(begin, end)) as string);
  }
  return keys;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);

/** The header as an object, and where the data begins. */
function parseHeader(file: ByteSource): { header: Record<string, unknown>; dataStart: number } {
  if (file.size < LENGTH_BYTES)
    throw new FileError(
      `safetensors: the file has ${file.size} bytes, its header's length alone needs 8; it is cut off`,
    );
  const length = file.read(0, LENGTH_BYTES);
  const declared = new DataView(length.buffer, length.byteOffset).getBigUint64(0, true);
  const available = Math.min(file.size - LENGTH_BYTES, MAX_HEADER_BYTES);
  if (declared > BigInt(available))
    throw new FileError(
      `safetensors: the header says it has ${declared} bytes, at most ${available} are possible; ` +
        "the file is cut off or of another format",
    );
  const dataStart = LENGTH_BYTES + Number(declared);
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(file.read(LENGTH_BYTES, Number(declared)));
    header = parseJson(text);
  } catch (error) {
    throw new FileError(
      `safetensors: the header is not JSON (${(error as Error).message}); the file is damaged or of another format`,
      { cause: error },
    );
  }
  if (!isObject(header))
    throw new FileError("safetensors: the header is not a JSON object; the file is of another format");
  const tensors = Object.keys(header).length;
  if (tensors > limits.fileTensors)
    throw new FileError(
      `safetensors: the file has ${tensors} tensors, and ${limits.fileTensors} is the limit fileTensors`,
    );
  const seen = new Set<string>();
  const repeated = outermostKeys(text).find((key) => seen.size === seen.add(key).size);
  if (repeated !== undefined)
    throw new FileError(
      `safetensors: two tensors are named "${repeated.slice(0, 100)}"; write the file again with distinct names`,
    );
  return { header, dataStart };
}

/** A tensor as the header describes it. */
export interface SafetensorsEntry {
  readonly name: string;
  /** As the format names it: `F32`, `BF16`. */
  readonly type: string;
  readonly shape: Shape;
  /** Where its bytes begin and end, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

function parseEntry(name: string, entry: unknown, dataBytes: number): SafetensorsEntry {
  requireName("safetensors: a tensor", name);
  const fail = (problem: string) => new FileError(`safetensors: tensor "${name}" ${problem}`);
  if (!isObject(entry)) throw fail("is not described by an object; the file is damaged");
  const { dtype: type, shape, data_offsets: offsets } = entry;
  const bits = typeof type === "string" ? bitsOfType(type) : undefined;
  if (typeof type !== "string" || bits === undefined)
    throw fail(`has dtype ${JSON.stringify(type)}, known are ${knownTypes.join(", ")}; convert it first`);
  if (Array.isArray(shape)) requireRank(`safetensors: tensor "${name}"`, shape.length);
  if (!isCounts(shape)) throw fail(`has shape ${JSON.stringify(shape)}, expected a list of whole numbers from 0`);
  if (!isCounts(offsets) || offsets.length !== 2)
    throw fail(`has data_offsets ${JSON.stringify(offsets)}, expected [begin, end]`);
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes)
    throw fail(`lies at bytes ${begin} to ${end}, the file holds ${dataBytes} bytes of data; it is cut off or damaged`);
  const needed = Math.ceil((size(shape) * bits) / 8);
  if (needed !== end - begin)
    throw fail(`of shape ${showShape(shape)} and dtype ${type} needs ${needed} bytes, its offsets span ${end - begin}`);
  return { name, type, shape, begin, end };
}

/** Every byte of data belongs to exactly one tensor. */
function checkContiguous(entries: readonly SafetensorsEntry[], dataBytes: number): void {
  let end = 0;
  let previous = "the header";
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== end)
      throw new FileError(
        `safetensors: tensor "${entry.name}" begins at byte ${entry.begin}, expected ${end} where ${previous} ends; ` +
          `tensors ${entry.begin < end ? "overlap" : "leave a gap"}, so the file is damaged`,
      );
    end = entry.end;
    previous = `"${entry.name}"`;
  }
  if (end !== dataBytes)
    throw new FileError(
      `safetensors: the tensors end at byte ${end}, the file holds ${dataBytes} bytes of data; it is cut off or has something appended`,
    );
}

function parseMetadata(metadata: unknown = {}): Record<string, string> {
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === "string"))
    throw new FileError(`safetensors: ${METADATA} is not an object of strings; the file is damaged`);
  return metadata as Record<string, string>;
}

/** What a file says of its tensors, and where their bytes begin. */
export interface SafetensorsHeader {
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: Record<string, string>;
  readonly dataStart: number;
}

/**
 * Reads the header alone, however large the file. Nothing in it is trusted: lengths, offsets, shapes and names are checked
 * against the file's size. Throws FileError naming the tensor and the numbers that disagree.
 */
export function readSafetensorsHeader(file: ByteSource): SafetensorsHeader {
  const { header, dataStart } = parseHeader(file);
  const dataBytes = file.size - dataStart;
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => parseEntry(name, entry, dataBytes));
  checkContiguous(entries, dataBytes);
  return { entries, metadata: parseMetadata(header[METADATA]), dataStart };
}

/** float8 by its names in a file. */
const float8: Readonly<Record<string, (bits: number) => number>> = {
  F8_E4M3: float8e4m3Number,
  F8_E5M2: float8e5m2Number,
};

/**
 * One tensor of a file whose header was read; bfloat16 and float8 become float32, exactly. It is a view into what `file` gives where that is
 * aligned. Throws FileError for a type that no tensor here holds.
 */
export function readSafetensorsTensor(
  file: ByteSource,
  { dataStart }: Pick<SafetensorsHeader, "dataStart">,
  { name, type, shape, begin, end }: SafetensorsEntry,
): Tensor {
  const elements = <D extends DType>(dtype: D): ArrayOf<D> => {
    const bytes = file.read(dataStart + begin, end - begin);
    const width = bytesPerElement(dtype);
    const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes); // slice() of a Buffer does not copy
    return new arrayTypes[dtype](
      aligned.buffer as ArrayBuffer,
      aligned.byteOffset,
      aligned.length / width,
    ) as ArrayOf<D>;
  };
  // Exactly as many float32 as it has numbers: the upper halves of their bits.
  if (type === "BF16") return new Tensor("float32", shape, bfloat16ToFloat32(elements("uint16")));
  const small = float8[type];
  if (small) return new Tensor("float32", shape, Float32Array.from(elements("uint8"), small));
  const dtype = dtypeOf.get(type);
  if (!dtype)
    throw new FileError(
      `safetensors: tensor "${name}" is ${type}, which no tensor here holds; convert it to F32 or F16 first`,
    );
  return new Tensor(dtype, shape, elements(dtype));
}

/**
 * The tensors and metadata of a safetensors file. Nothing in it is trusted: lengths, offsets, shapes and names are
 * checked against the file's size before any tensor is made. Aligned tensors are views into `file`, not copies; bfloat16 becomes
 * float32, exactly.
 * Throws FileError naming the tensor and the numbers that disagree.
 */
export function decodeSafetensors(file: Uint8Array): SafetensorsFile {
  const source = memorySource(file);
  const header = readSafetensorsHeader(source);
  const tensors = header.entries.map((entry) => [entry.name, readSafetensorsTensor(source, header, entry)] as const);
  return { tensors: Object.fromEntries(tensors), metadata: header.metadata };
}
