/** A number over the batches of a run, thinned for drawing without losing its extremes. */

/** Numbers that grow at their end. */
export class Growing {
  #values = new Float64Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A view of all of them. */
  get values(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  /** Bytes that it takes. */
  get bytes(): number {
    return this.#values.byteLength;
  }
}

/**
 * Which of many points are drawn in so many columns: of each column the smallest and the largest value, the first and the last, and one that is no number where there is one. So no
 * peak is lost, whatever the width. Places are in order.
 * @param columns how many columns there are; all points are drawn where they are no more than four each
 */
export function thinned(values: ArrayLike<number>, columns: number): number[] {
  const { length } = values;
  if (length <= 4 * columns) return Array.from({ length }, (_, i) => i);
  const places: number[] = [];
  for (let column = 0; column < columns; column++) {
    const start = Math.floor((column * length) / columns);
    const end = Math.floor(((column + 1) * length) / columns);
    let [low, high, gap] = [-1, -1, -1];
    for (let i = start; i < end; i++) {
      const value = values[i] as number;
      if (Number.isNaN(value)) {
        if (gap < 0) gap = i;
        continue;
      }
      if (low < 0 || value < (values[low] as number)) low = i;
      if (high < 0 || value > (values[high] as number)) high = i;
    }
    const own = new Set([start, low, high, gap, end - 1]);
    own.delete(-1);
    places.push(...[...own].sort((a, b) => a - b));
  }
  return places;
}
