// Owns the random data of the JavaScript contenders: repeatable numbers, and the batch of each work.

/** Repeatable uniform numbers in [0, 1) (the mulberry32 generator). */
export function uniform(length, seed = 1) {
  const values = new Float32Array(length);
  let state = seed;
  for (let index = 0; index < length; index++) {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    bits ^= bits >>> 14;
    // 24 bits, so that rounding to float32 never yields 1.
    values[index] = (bits >>> 8) / 2 ** 24;
  }
  return values;
}

/** Repeatable weights, uniform in ±1 / sqrt(fanIn) as PyTorch's layers draw theirs. */
export function weights(length, fanIn, seed) {
  const bound = 1 / Math.sqrt(fanIn);
  return uniform(length, seed).map((value) => (2 * value - 1) * bound);
}

/** The class of each example: 0 to 9 in turn. */
export function labels(batch) {
  return Int32Array.from({ length: batch }, (_, index) => index % 10);
}

export const parameterCount = 32 * 1024 * 1024;
