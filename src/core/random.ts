/** Explicit randomness: keys that derive from one another, and the generator that a key starts. */
import { matching } from "./option-types.ts";

/** Two 32-bit words. The same key always gives the same numbers. */
export type Key = readonly [number, number];

/** A key as an option. */
export const keyType = matching<Key>("a key such as keyOf(1)", (value) => Array.isArray(value) && value.length === 2);

/** Finalizer of MurmurHash3 (Appleby 2008): every input bit flips every output bit with probability near 1/2. */
function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * A key from a seed, a whole number from 0 to 2^53. Equal seeds give equal keys; for several from one seed see
 * `foldIn`.
 * @example
 * const shuffled = train.shuffle(keyOf(1));
 * const random = new Random(foldIn(keyOf(1), "noise"));
 */
export const keyOf = (seed: number): Key => foldIn([0x9e3779b9, 0x243f6a88], Math.floor(seed / 2 ** 32), seed >>> 0);

/** A key derived from another and data: numbers as 32-bit words, strings by their characters. */
export function foldIn(key: Key, ...data: readonly (number | string)[]): Key {
  let [a, b] = key;
  const absorb = (word: number) => {
    a = mix((a ^ word) + 0x9e3779b9);
    b = mix((b + Math.imul(word, 0x85ebca77)) ^ a);
  };
  for (const item of data) {
    if (typeof item === "number") absorb(item | 0);
    else for (let i = 0; i < item.length; i++) absorb(item.charCodeAt(i));
    absorb(data.length);
  }
  return [a >>> 0, b >>> 0];
}

const bell = (x: number): number => Math.exp(-0.5 * x * x);

/** Where the lowest of 256 layers of equal area under the bell ends, and that area (Marsaglia and Tsang 2000). */
const [tailStart, layerArea] = [3.6541528853610088, 0.00492867323399];

let layers: { readonly edges: Float64Array; readonly heights: Float64Array } | undefined;

/** Where the layers end to the right, from below, and how high the bell is there; the lowest is as wide as its area asks. */
function ziggurat(): NonNullable<typeof layers> {
  if (layers) return layers;
  const edges = new Float64Array(257);
  edges.set([layerArea / bell(tailStart), tailStart]);
  for (let i = 2; i < 256; i++) {
    const before = edges[i - 1] as number;
    edges[i] = Math.sqrt(-2 * Math.log(layerArea / before + bell(before)));
  }
  layers = { edges, heights: edges.map(bell) };
  return layers;
}

/** Pseudo-random numbers from a key: sfc32 (Doty-Humphrey, PractRand). */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(key: Key) {
    [this.#a, this.#b] = [key[0] | 0, key[1] | 0];
    this.#c = mix(key[0] ^ (key[1] << 1)) | 0;
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0;
    return t >>> 0;
  }

  /** A number in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.uint32() / 2 ** 32);
  }

  /** A standard normal number (Box and Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log((this.uint32() + 1) / 2 ** 32));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /**
   * So many standard normal numbers, in a quarter of the time that calls of `normal` take, and other ones (ziggurat of 256 layers, Marsaglia
   * and Tsang 2000; the place in a layer and the layer itself from bits of their own, as Doornik 2005 asks).
   */
  normals(length: number): Float32Array<ArrayBuffer> {
    const { edges, heights } = ziggurat();
    const numbers = new Float32Array(length);
    for (let i = 0; i < length; ) {
      const bits = this.uint32() | 0;
      const layer = bits & 255;
      const z = ((bits >> 8) + 0.5) * 2 ** -23 * (edges[layer] as number);
      if (Math.abs(z) < (edges[layer + 1] as number)) numbers[i++] = z;
      else if (layer === 0) numbers[i++] = this.#beyond(z);
      else if (this.uniform(heights[layer], heights[layer + 1]) < bell(z)) numbers[i++] = z;
    }
    return numbers;
  }

  /** A number beyond the widest layer, on the side of z (Marsaglia 1964). */
  #beyond(z: number): number {
    for (;;) {
      const x = -Math.log((this.uint32() + 1) / 2 ** 32) / tailStart;
      const y = -Math.log((this.uint32() + 1) / 2 ** 32);
      if (2 * y >= x * x) return Math.sign(z) * (tailStart + x);
    }
  }

  /** An integer in [0, bound). */
  integer(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** 0 … length-1 in random order (Fisher and Yates). */
  permutation(length: number): Uint32Array {
    const order = Uint32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    return order;
  }
}
