/** Rows that occur more than once, found by the hashes of all rows. */

/** Rows whose hashes are kept at most, in 12 bytes each and room to grow. */
const mostRows = 2 ** 24;
/** Hashes are put apart by their first bits, so that each part is small enough for a processor's cache when it is searched. */
const partBits = 8;

/** What `RowHashes.find` finds. */
export interface DuplicatedRows {
  /** Rows that were there before. */
  readonly count: number;
  /** Numbers of the first of them, from 0. */
  readonly first: readonly number[];
  /** Rows that were looked at: all, or as many as there is room for. */
  readonly rows: number;
}

/** Keeps the hash of each row; two different rows are taken for one with a chance of rows² / 2⁶⁵. */
export class RowHashes {
  readonly #parts = Array.from({ length: 1 << partBits }, () => new Int32Array(3 * 64));
  readonly #lengths = new Int32Array(1 << partBits);
  #rows = 0;

  /** Adds a row's hash, as two whole numbers of 32 bits. */
  add(a: number, b: number): void {
    if (this.#rows >= mostRows) return;
    const at = a >>> (32 - partBits);
    const length = this.#lengths[at] as number;
    let part = this.#parts[at] as Int32Array<ArrayBuffer>;
    if (length === part.length) {
      part = new Int32Array(2 * length);
      part.set(this.#parts[at] as Int32Array);
      this.#parts[at] = part;
    }
    part[length] = a;
    part[length + 1] = b;
    part[length + 2] = this.#rows++;
    this.#lengths[at] = length + 3;
  }

  /** The rows that were there before. @param most how many of them are named */
  find(most: number): DuplicatedRows {
    let count = 0;
    const found: number[] = [];
    for (const [at, part] of this.#parts.entries()) {
      const end = this.#lengths[at] as number;
      const bits = Math.max(4, Math.ceil(Math.log2((2 * end) / 3 + 1)));
      // Places of rows in the part and one, 0 where a place is free.
      const places = new Int32Array(1 << bits);
      const mask = places.length - 1;
      for (let row = 0; row < end; row += 3) {
        const a = part[row] as number;
        const b = part[row + 1] as number;
        let place = Math.imul(a ^ (b >>> 15), 0x9e3779b1) >>> (32 - bits);
        let other = (places[place] as number) - 1;
        while (other >= 0 && (part[other] !== a || part[other + 1] !== b)) {
          place = (place + 1) & mask;
          other = (places[place] as number) - 1;
        }
        if (other < 0) places[place] = row + 1;
        else {
          count++;
          found.push(part[row + 2] as number);
          if (found.length > 4 * most + 1000) found.sort((m, n) => m - n).splice(most);
        }
      }
    }
    return { count, first: found.sort((m, n) => m - n).slice(0, most), rows: this.#rows };
  }
}
