/** Vectors of fixed-point numbers modulo 2^64, in which masks cancel without a rest: what is added up in secure aggregation. */
import { FederationError } from "../../core/errors.ts";

/** Elements of two 32-bit words each, the lower one first: as uint64 lies in memory. */
export type Ring = Uint32Array<ArrayBuffer>;

/** Bits behind the point: a value is rounded to 2^-24, as exact as a float32 of size 1. */
const fractionBits = 24;
const [unit, word] = [2 ** fractionBits, 2 ** 32];

/** The largest magnitude of a value, of so many that are added up: their sum stays below half of the ring. */
export const greatestValue = (summands: number): number => 2 ** (62 - fractionBits) / summands;

/**
 * Numbers as elements of the ring. Throws FederationError for one that is too large to be added up.
 * @param summands of how many vectors there is to be a sum
 */
export function toRing(values: ArrayLike<number>, summands: number): Ring {
  const most = greatestValue(summands);
  const ring = new Uint32Array(2 * values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!(Math.abs(value) <= most))
      throw new FederationError(
        `secure aggregation: an element is ${value}, and of ${summands} summands each is at most ${most} in magnitude; lower the learning rate, or weigh clients by less`,
      );
    const scaled = Math.round(value * unit);
    const high = Math.floor(scaled / word);
    ring[2 * i] = scaled - high * word;
    ring[2 * i + 1] = high;
  }
  return ring;
}

/** Adds a vector to a sum, or takes it away. */
export function addTo(sum: Ring, other: Ring, sign: 1 | -1): void {
  for (let i = 0; i < sum.length; i += 2) {
    const low = (sum[i] as number) + sign * (other[i] as number);
    const carry = low >= word ? 1 : low < 0 ? -1 : 0;
    sum[i] = low;
    sum[i + 1] = (sum[i + 1] as number) + sign * (other[i + 1] as number) + carry;
  }
}

/** The numbers that elements stand for, below half of the ring positive. */
export function fromRing(ring: Ring): Float64Array {
  const values = new Float64Array(ring.length / 2);
  for (let i = 0; i < values.length; i++)
    values[i] = (((ring[2 * i + 1] as number) | 0) * word + (ring[2 * i] as number)) / unit;
  return values;
}
