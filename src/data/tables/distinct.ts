/** How many distinct texts there are, in bounded memory: exact for so many, by HyperLogLog beyond. */

/** 53 bits of a text, spread evenly (cyrb53). */
export function hashText(text: string): number {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  return finishHash(a, b);
}

/** The 53 bits of two states of 32 bits. */
const finishHash = (a: number, b: number): number => 4294967296 * (2097151 & highHash(a, b)) + (lowHash(a, b) >>> 0);

/** The low half of a hash, mixed of both states. */
const lowHash = (a: number, b: number): number =>
  Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);

/** The high half. */
const highHash = (a: number, b: number): number =>
  Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);

/** Registers: 2 to the power of this. The standard error is 1.04 / √registers, here 0.8 %. */
const precision = 14;
const registerCount = 1 << precision;

/** Counts distinct hashes: exactly up to `exactLimit`, then by HyperLogLog (Flajolet et al. 2007). */
export class DistinctCounter {
  readonly #limit: number;
  #seen: Set<number> | undefined = new Set();
  #registers: Uint8Array | undefined;

  constructor(exactLimit = 100_000) {
    this.#limit = exactLimit;
  }

  /** Whether the count is exact. */
  get isExact(): boolean {
    return this.#seen !== undefined;
  }

  /** Adds a hash of 53 bits. Returns whether it was seen before; `undefined` where that is not known any more. */
  add(hash: number): boolean | undefined {
    if (this.#seen) {
      const before = this.#seen.size;
      this.#seen.add(hash);
      if (this.#seen.size === before) return true;
      if (this.#seen.size > this.#limit) {
        this.#registers = new Uint8Array(registerCount);
        for (const each of this.#seen) this.#register(each);
        this.#seen = undefined;
      }
      return false;
    }
    this.#register(hash);
    return undefined;
  }

  /** Adds a hash by its two states of 32 bits, where the limit is 0: with whole numbers only, which takes no memory. */
  addStates(a: number, b: number): void {
    this.#registers ??= new Uint8Array(registerCount);
    this.#seen = undefined;
    this.#registerHalves(lowHash(a, b), highHash(a, b));
  }

  #register(hash: number): void {
    this.#registerHalves(hash | 0, Math.floor(hash / 4294967296));
  }

  #registerHalves(low: number, high: number): void {
    const registers = this.#registers as Uint8Array;
    const at = low & (registerCount - 1);
    const rest = low >>> precision;
    // The other 18 bits of the low half, then 21 of the high one.
    const rank = rest === 0 ? 19 + Math.clz32(high << 11) : 1 + Math.clz32(rest << precision);
    if (rank > (registers[at] as number)) registers[at] = rank;
  }

  /** The number of distinct hashes. */
  get count(): number {
    if (this.#seen) return this.#seen.size;
    let sum = 0;
    let empty = 0;
    for (const register of this.#registers as Uint8Array) {
      sum += 2 ** -register;
      if (register === 0) empty++;
    }
    const estimate = ((0.7213 / (1 + 1.079 / registerCount)) * registerCount * registerCount) / sum;
    // Few values are counted by the registers that are still empty.
    if (estimate <= 2.5 * registerCount && empty > 0)
      return Math.round(registerCount * Math.log(registerCount / empty));
    return Math.round(estimate);
  }
}
