/** How often each value of a column occurs, by hashes in typed arrays: exact up to so many distinct values, an estimate of their number beyond. */
import { DistinctCounter } from "../tables/distinct.ts";

/** The states that a hash of a cell begins with. */
export const hashSeeds = [0xdeadbeef | 0, 0x41c6ce57 | 0] as const;
/** What a byte of a cell is multiplied in with. */
export const hashFactors = [2654435761 | 0, 1597334677 | 0] as const;

const encoder = new TextEncoder();

/** The two states of a cell's hash, over its bytes in UTF-8. */
export function hashCell(text: string): readonly [number, number] {
  let [a, b]: [number, number] = [hashSeeds[0], hashSeeds[1]];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return hashBytes(encoder.encode(text));
    a = Math.imul(a ^ code, hashFactors[0]);
    b = Math.imul(b ^ code, hashFactors[1]);
  }
  return [a, b];
}

function hashBytes(bytes: Uint8Array): readonly [number, number] {
  let [a, b]: [number, number] = [hashSeeds[0], hashSeeds[1]];
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, hashFactors[0]);
    b = Math.imul(b ^ byte, hashFactors[1]);
  }
  return [a, b];
}

/** Values whose texts are kept: the first that occur. */
const mostTexts = 2000;

/** Counts values by their hashes. */
export class ValueCounts {
  readonly #limit: number;
  #shift = 32 - 8;
  /** Entry and one, 0 where a place is free. */
  #places = new Int32Array(1 << 8);
  #a = new Int32Array(128);
  #b = new Int32Array(128);
  #counts = new Uint32Array(128);
  #size = 0;
  #beyond: DistinctCounter | undefined;
  readonly #texts: string[] = [];

  /** @param limit distinct values that are counted each */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether every distinct value was counted. */
  get isExact(): boolean {
    return this.#beyond === undefined;
  }

  /** Distinct values; an estimate where there are more than the limit. */
  get distinct(): number {
    return this.#beyond?.count ?? this.#size;
  }

  /** Counts a value. Returns whether it is new, and its text is wanted by `name`. */
  add(a: number, b: number): boolean {
    if (this.#beyond !== undefined) {
      this.#beyond.addStates(a, b);
      return false;
    }
    const places = this.#places;
    const mask = places.length - 1;
    let at = Math.imul(a ^ (b >>> 15), 0x9e3779b1) >>> this.#shift;
    for (;;) {
      const entry = (places[at] as number) - 1;
      if (entry < 0) break;
      if (this.#a[entry] === a && this.#b[entry] === b) {
        this.#counts[entry] = (this.#counts[entry] as number) + 1;
        return false;
      }
      at = (at + 1) & mask;
    }
    return this.#insert(a, b, at);
  }

  #insert(a: number, b: number, at: number): boolean {
    if (this.#size === this.#limit) {
      this.#beyond = new DistinctCounter(0);
      for (let entry = 0; entry < this.#size; entry++)
        this.#beyond.addStates(this.#a[entry] as number, this.#b[entry] as number);
      this.#beyond.addStates(a, b);
      return false;
    }
    const entry = this.#size++;
    this.#a[entry] = a;
    this.#b[entry] = b;
    this.#counts[entry] = 1;
    this.#places[at] = entry + 1;
    if (this.#size === this.#a.length) this.#grow();
    return entry < mostTexts;
  }

  #grow(): void {
    const length = 2 * this.#a.length;
    const longer = <T extends Int32Array | Uint32Array>(old: T, fresh: T): T => {
      fresh.set(old);
      return fresh;
    };
    this.#a = longer(this.#a, new Int32Array(length));
    this.#b = longer(this.#b, new Int32Array(length));
    this.#counts = longer(this.#counts, new Uint32Array(length));
    this.#places = new Int32Array(2 * length);
    this.#shift--;
    const mask = this.#places.length - 1;
    for (let entry = 0; entry < this.#size; entry++) {
      let at = Math.imul((this.#a[entry] as number) ^ ((this.#b[entry] as number) >>> 15), 0x9e3779b1) >>> this.#shift;
      while (this.#places[at] !== 0) at = (at + 1) & mask;
      this.#places[at] = entry + 1;
    }
  }

  /** The text of the value that `add` found new. */
  name(text: string): void {
    this.#texts.push(text.length > 200 ? `${text.slice(0, 199)}…` : text);
  }

  /** Values by falling count, as many as `most`: exact where `isExact`, else of what came before there were too many. */
  top(most: number): { readonly value: string; readonly count: number }[] {
    const named = this.#texts.map((value, entry) => ({ value, count: this.#counts[entry] as number }));
    return named.sort((m, n) => n.count - m.count || (m.value < n.value ? -1 : 1)).slice(0, most);
  }
}
