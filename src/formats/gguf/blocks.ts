/** Element types of GGUF files: blocks of numbers that share scales, and how each is unpacked (ggml's quantization formats). */
import { FileError, unknownName } from "../../core/errors.ts";
import { bfloat16Number, float16Number } from "../../core/half.ts";

/** How numbers of a type are stored. */
export interface BlockType {
  readonly name: string;
  /** Numbers of a block. */
  readonly elements: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /** Writes the numbers of the block at `at`; absent for types that are told and not unpacked. */
  readonly unpack?: (bytes: DataView, at: number, out: Float32Array, to: number) => void;
}

const half = (bytes: DataView, at: number): number => float16Number(bytes.getUint16(at, true));

const plain = (name: string, bytes: number, read: (view: DataView, at: number) => number): BlockType => ({
  name,
  elements: 1,
  bytes,
  unpack: (view, at, out, to) => {
    out[to] = read(view, at);
  },
});

/**
 * Blocks of 32 with a scale, and where it has one a minimum: value = scale · number + minimum, or − zero where there is none. Numbers of 4
 * bits lie in the lower halves of 16 bytes and then in the upper ones; a fifth bit of each in 4 bytes before them.
 */
function simple(name: string, { minimum, fifth }: { readonly minimum: boolean; readonly fifth: boolean }): BlockType {
  const numbers = (minimum ? 4 : 2) + (fifth ? 4 : 0);
  const zero = minimum ? 0 : fifth ? 16 : 8;
  return {
    name,
    elements: 32,
    bytes: numbers + 16,
    unpack: (view, at, out, to) => {
      const scale = half(view, at);
      const shift = minimum ? half(view, at + 2) : 0;
      const high = fifth ? view.getUint32(at + (minimum ? 4 : 2), true) : 0;
      for (let i = 0; i < 32; i++) {
        const byte = view.getUint8(at + numbers + (i % 16));
        const low = i < 16 ? byte & 15 : byte >> 4;
        out[to + i] = scale * (low + (((high >>> i) & 1) << 4) - zero) + shift;
      }
    },
  };
}

const q8: BlockType = {
  name: "Q8_0",
  elements: 32,
  bytes: 34,
  unpack: (view, at, out, to) => {
    const scale = half(view, at);
    for (let i = 0; i < 32; i++) out[to + i] = scale * view.getInt8(at + 2 + i);
  },
};

/** 16 blocks of 16: 4 bits each of a scale and a minimum, and numbers of 2 bits. */
const q2k: BlockType = {
  name: "Q2_K",
  elements: 256,
  bytes: 84,
  unpack: (view, at, out, to) => {
    const [scale, minimum] = [half(view, at + 80), half(view, at + 82)];
    for (let i = 0; i < 256; i++) {
      const both = view.getUint8(at + (i >> 4));
      const number = (view.getUint8(at + 16 + (i >> 7) * 32 + (i & 31)) >> (2 * ((i >> 5) & 3))) & 3;
      out[to + i] = scale * (both & 15) * number - minimum * (both >> 4);
    }
  },
};

/** 16 blocks of 16: 6 bits of a scale, and numbers of 2 bits with a third one apart. */
const q3k: BlockType = {
  name: "Q3_K",
  elements: 256,
  bytes: 110,
  unpack: (view, at, out, to) => {
    const scale = half(view, at + 108);
    for (let i = 0; i < 256; i++) {
      const block = i >> 4;
      const packed = view.getUint8(at + 96 + (block & 7));
      const low = block < 8 ? packed & 15 : packed >> 4;
      const high = (view.getUint8(at + 104 + (block & 3)) >> (2 * (block >> 2))) & 3;
      const number = (view.getUint8(at + 32 + (i >> 7) * 32 + (i & 31)) >> (2 * ((i >> 5) & 3))) & 3;
      const third = (view.getUint8(at + (i & 31)) >> (i >> 5)) & 1;
      out[to + i] = scale * ((low | (high << 4)) - 32) * (number - (third ? 0 : 4));
    }
  },
};

/** The scale and the minimum of block `j` of 8, 6 bits each, in 12 bytes. */
function scaleAndMinimum(view: DataView, at: number, j: number): [scale: number, minimum: number] {
  const byte = (i: number) => view.getUint8(at + i);
  if (j < 4) return [byte(j) & 63, byte(j + 4) & 63];
  return [(byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4), (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4)];
}

/** 8 blocks of 32 with a scale and a minimum, and numbers of 4 bits, or of 5 with the fifth ones before them. */
const q4or5k = (name: string, fifth: boolean): BlockType => ({
  name,
  elements: 256,
  bytes: fifth ? 176 : 144,
  unpack: (view, at, out, to) => {
    const [scale, minimum] = [half(view, at), half(view, at + 2)];
    const numbers = at + 16 + (fifth ? 32 : 0);
    for (let block = 0; block < 8; block++) {
      const [ownScale, ownMinimum] = scaleAndMinimum(view, at + 4, block);
      for (let i = 0; i < 32; i++) {
        const byte = view.getUint8(numbers + (block >> 1) * 32 + i);
        const low = block % 2 === 0 ? byte & 15 : byte >> 4;
        const high = fifth ? (view.getUint8(at + 16 + i) >> block) & 1 : 0;
        out[to + block * 32 + i] = scale * ownScale * (low | (high << 4)) - minimum * ownMinimum;
      }
    }
  },
});

/** 16 blocks of 16 with a scale of 8 bits, and numbers of 4 bits with two more apart. */
const q6k: BlockType = {
  name: "Q6_K",
  elements: 256,
  bytes: 210,
  unpack: (view, at, out, to) => {
    const scale = half(view, at + 208);
    for (let i = 0; i < 256; i++) {
      const [part, place] = [i >> 7, i & 127];
      const byte = view.getUint8(at + part * 64 + (place & 63));
      const low = place < 64 ? byte & 15 : byte >> 4;
      const high = (view.getUint8(at + 128 + part * 32 + (place & 31)) >> (2 * (place >> 5))) & 3;
      out[to + i] = scale * view.getInt8(at + 192 + (i >> 4)) * ((low | (high << 4)) - 32);
    }
  },
};

/** A type that is told and not unpacked. */
const told = (name: string, elements: number, bytes: number): BlockType => ({ name, elements, bytes });

/** Types by their numbers in a file. */
const types: Readonly<Record<number, BlockType>> = {
  0: plain("F32", 4, (view, at) => view.getFloat32(at, true)),
  1: plain("F16", 2, half),
  2: simple("Q4_0", { minimum: false, fifth: false }),
  3: simple("Q4_1", { minimum: true, fifth: false }),
  6: simple("Q5_0", { minimum: false, fifth: true }),
  7: simple("Q5_1", { minimum: true, fifth: true }),
  8: q8,
  10: q2k,
  11: q3k,
  12: q4or5k("Q4_K", false),
  13: q4or5k("Q5_K", true),
  14: q6k,
  16: told("IQ2_XXS", 256, 66),
  17: told("IQ2_XS", 256, 74),
  18: told("IQ3_XXS", 256, 98),
  19: told("IQ1_S", 256, 50),
  20: told("IQ4_NL", 32, 18),
  21: told("IQ3_S", 256, 110),
  22: told("IQ2_S", 256, 82),
  23: told("IQ4_XS", 256, 136),
  24: told("I8", 1, 1),
  25: told("I16", 1, 2),
  26: told("I32", 1, 4),
  27: told("I64", 1, 8),
  28: plain("F64", 8, (view, at) => view.getFloat64(at, true)),
  29: told("IQ1_M", 256, 56),
  30: plain("BF16", 2, (view, at) => bfloat16Number(view.getUint16(at, true))),
};

/** Types that are unpacked, by name. */
const unpacked = Object.values(types).flatMap(({ name, unpack }) => (unpack ? [name] : []));

/** The type of a number in a file. Throws FileError for one that is not known. */
export function blockType(number: number): BlockType {
  const type = types[number];
  if (!type) throw new FileError(`its element type ${number} is not known; convert the file to Q8_0 or F16`);
  return type;
}

/** The type of a name. Throws OptionError with the nearest name. */
export function blockTypeNamed(name: string): BlockType {
  const type = Object.values(types).find((own) => own.name === name);
  if (!type)
    throw unknownName(
      "element type",
      name,
      Object.values(types).map((own) => own.name),
    );
  return type;
}

/** Numbers of a tensor out of its blocks. Throws FileError for a type that is not unpacked. */
export function unpackBlocks({ name, elements, bytes, unpack }: BlockType, packed: Uint8Array): Float32Array {
  if (!unpack)
    throw new FileError(`elements of type ${name} are not unpacked; convert the file to one of ${unpacked.join(", ")}`);
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const blocks = packed.length / bytes;
  const out = new Float32Array(blocks * elements);
  for (let block = 0; block < blocks; block++) unpack(view, block * bytes, out, block * elements);
  return out;
}
