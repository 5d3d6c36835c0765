/** GGUF files: their metadata, their tensors, and the model that both describe. */
import type { ByteSource } from "../../core/byte-source.ts";
import { requireRange } from "../../core/byte-source.ts";
import { FileError } from "../../core/errors.ts";
import { requireName, requireRank } from "../../core/limits.ts";
import { type Shape, showShape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { StoredTensor } from "../stored-tensors.ts";
import { type BlockType, blockType, unpackBlocks } from "./blocks.ts";
import { architectureOf, configOf, halvesApart, type Metadata, publishedName, turnedHeads } from "./llama.ts";

interface GgufTensor {
  readonly name: string;
  /** Extents, the outermost first. */
  readonly shape: Shape;
  readonly type: BlockType;
  /** Of its first byte in the file. */
  readonly offset: number;
}

/** A file whose header was read. */
export interface GgufFile {
  readonly metadata: Metadata;
  readonly tensors: readonly GgufTensor[];
}

/** Whether a file is GGUF, by how it begins. */
export const isGguf = (head: Uint8Array): boolean => String.fromCharCode(...head.subarray(0, 4)) === "GGUF";

/**
 * Answers the library's requests for parts of a file. What it reads of files by itself it fills up with zeros to 2 MB, and takes these for
 * what a file that is cut off says.
 */
const partsOf = (file: ByteSource) => async (_: unknown, options?: RequestInit) => {
  const [, first = "", last = ""] = /^bytes=(\d+)-(\d+)$/.exec(new Headers(options?.headers).get("range") ?? "") ?? [];
  const begin = Number(first);
  if (begin >= file.size) throw new Error(`it goes on behind the file's end at byte ${file.size}`);
  const bytes = file.read(begin, Math.min(Number(last) + 1, file.size) - begin);
  return new Response(bytes.slice() as Uint8Array<ArrayBuffer>);
};

/** The header of a GGUF file. Throws FileError for one that is cut off or damaged, and for tensors that do not lie within it. */
export async function readGguf(file: ByteSource): Promise<GgufFile> {
  // With it come tables of the hub's models, which no other format needs.
  const { gguf } = await import("@huggingface/gguf");
  let header: Awaited<ReturnType<typeof gguf>>;
  try {
    // The name is not asked for: all parts come from the file.
    header = await gguf("https://file", { fetch: partsOf(file) });
  } catch (cause) {
    throw new FileError(`its GGUF header cannot be read (${(cause as Error).message}); it is cut off or damaged`, {
      cause,
    });
  }
  if (header.littleEndian === false)
    throw new FileError("it is a big-endian GGUF file; convert it (gguf_convert_endian.py of llama.cpp)");
  const start = Number(header.tensorDataOffset);
  if (header.tensorInfoByteRange[1] > file.size)
    throw new FileError(
      `its GGUF header ends at byte ${header.tensorInfoByteRange[1]}, the file has ${file.size}; it is cut off or damaged`,
    );
  const tensors = header.tensorInfos.map(({ name, shape, dtype, offset }): GgufTensor => {
    requireName("gguf: a tensor", name);
    requireRank(`gguf: tensor "${name}"`, shape.length);
    const extents = shape.map(Number).reverse();
    const type = blockType(dtype);
    if (extents.some((extent) => extent < 1) || size(extents) % type.elements !== 0)
      throw new FileError(
        `the tensor "${name}" is ${showShape(extents)}, which is no whole number of ${type.name} blocks of ${type.elements}; the file is damaged`,
      );
    const at = start + Number(offset);
    requireRange(file, at, bytesOf(type, extents), `the tensor "${name}"`);
    return { name, shape: extents, type, offset: at };
  });
  return { metadata: { ...header.metadata }, tensors };
}

const bytesOf = ({ elements, bytes }: BlockType, shape: Shape): number => (size(shape) / elements) * bytes;

/** The config.json that a file stands for; see `configOf`. */
export function ggufConfig({ metadata, tensors }: GgufFile, file: ByteSource): Readonly<Record<string, unknown>> {
  const factors = tensors.find(({ name }) => name === "rope_freqs.weight");
  const values = factors && unpackBlocks(factors.type, file.read(factors.offset, bytesOf(factors.type, factors.shape)));
  return configOf(metadata, new Map(tensors.map(({ name, shape }) => [name, shape])), values);
}

/** Its tensors without their elements, by the names of Hugging Face's classes where they have one. */
export const storedGguf = ({ tensors }: GgufFile): readonly StoredTensor[] =>
  tensors.map(({ name, shape, type }) => ({
    name: publishedName(name) ?? name,
    shape,
    type: typeNames[type.name] ?? type.name,
    bits: (8 * type.bytes) / type.elements,
    ...(type.elements > 1 && { packing: "GGUF" as const }),
  }));

/** Types of numbers that reports have names for. */
const typeNames: Readonly<Record<string, string>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I8: "int8",
  I16: "int16",
  I32: "int32",
  I64: "int64",
};

/** What reports call the file. */
export const ggufSource = ({ metadata }: GgufFile): string =>
  `GGUF, architecture ${architectureOf(metadata) || "not named"}`;

/** The tensors of a file by the names of Hugging Face's classes, unpacked to float32. */
export function ggufCheckpoint({ metadata, tensors }: GgufFile, file: ByteSource) {
  const byName = new Map(
    tensors.flatMap((tensor) => {
      const published = publishedName(tensor.name);
      return published === undefined ? [] : [[published, tensor] as const];
    }),
  );
  return {
    names: [...byName.keys()],
    typeOf(name: string) {
      const { shape, type } = byName.get(name) as GgufTensor;
      return { shape, type: type.name, bits: (8 * type.bytes) / type.elements };
    },
    read(name: string): Tensor<"float32"> {
      const { shape, type, offset, name: own } = byName.get(name) as GgufTensor;
      const data = unpackBlocks(type, file.read(offset, bytesOf(type, shape)));
      const heads = turnedHeads(metadata, own);
      return new Tensor("float32", shape, heads === undefined ? data : halvesApart(data, shape, heads));
    },
  };
}
