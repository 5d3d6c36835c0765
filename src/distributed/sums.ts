/**
 * Sums over ranks in two halves: each comes to know its part (reduce-scatter), and hands it to all (all-gather). In 16 bits a number where that is
 * asked for.
 */
import { float16ToFloat32, float32ToFloat16 } from "../core/half.ts";
import { type Exchanges, type Range, shareOf } from "./communicator.ts";

/** In what numbers ranks can exchange: float16 takes half the bytes, and rounds to 11 bits. */
export const exchanges = ["float32", "float16"] as const;
export type Exchange = (typeof exchanges)[number];

/** Bytes of a number. */
export const bytesOfExchange: Readonly<Record<Exchange, number>> = { float32: 4, float16: 2 };

/** Elements up to which MPI sums, and ranks up to which it sends a long vector whole, up and down a tree. */
const shortVector = 2 ** 16;
const fewRanks = 3;

/** Elements of a part that go at a time: of as many each rank holds a copy from every rank meanwhile. */
const atATime = 2 ** 22;

/** What no sum exceeds in float16, of which the largest number is 65,504. */
const largestSum = 2 ** 15;

/**
 * Replaces the elements of this rank's part, from `bounds[rank]` to `bounds[rank + 1]`, by their sums over all ranks. Others' elements stay as
 * they are.
 */
export async function sumParts(
  line: Exchanges,
  values: Float32Array,
  bounds: readonly number[],
  exchange: Exchange,
): Promise<void> {
  const sent = exchange === "float32" ? { numbers: values } : await halvesOf(line, values);
  await sumSent(line, values, sent, bounds);
}

/** Replaces each element by its sum over all ranks, the same bits on each; as float16 the sums are rounded as what they are made of is. */
export async function sumAll(line: Exchanges, values: Float32Array, exchange: Exchange): Promise<void> {
  const { size, rank } = line;
  if (exchange === "float32" && (size > fewRanks || values.length <= shortVector)) return line.sum(values);
  const ends = Array.from({ length: size }, (_, own) => shareOf(values.length, { rank: own, size }).end);
  const bounds = [0, ...ends];
  if (exchange === "float32") {
    await sumSent(line, values, { numbers: values }, bounds);
    return line.share(values, bounds);
  }
  const sent = await halvesOf(line, values);
  await sumSent(line, values, sent, bounds);
  const [start = 0, end = 0] = bounds.slice(rank, rank + 2);
  sent.numbers.set(float32ToFloat16(values.subarray(start, end), sent.scale), start);
  await line.share(sent.numbers, bounds);
  float16ToFloat32(sent.numbers, sent.scale, values);
}

/** Numbers as they are sent: themselves, or halves with what they were multiplied by. */
type Sent =
  | { readonly numbers: Float32Array; readonly scale?: undefined }
  | { readonly numbers: Uint16Array; readonly scale: number };

/** Multiplied by a power of two, so that no sum of them exceeds what float16 holds, and few vanish. */
async function halvesOf(line: Exchanges, values: Float32Array) {
  let largest = 0;
  // What is no number stays none.
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i] as number));
  const all = new Float64Array(line.size);
  all[line.rank] = largest;
  await line.sum(all);
  const most = all.reduce((a, b) => Math.max(a, b), 0) * line.size;
  const scale = most === 0 ? 1 : 2 ** Math.floor(Math.log2(largestSum / most));
  return { numbers: float32ToFloat16(values, scale), scale };
}

/** Sums the parts, some of each at a time. */
async function sumSent(line: Exchanges, values: Float32Array, sent: Sent, bounds: readonly number[]): Promise<void> {
  const wholes = bounds.slice(1).map((end, rank): Range => ({ start: bounds[rank] ?? end, end }));
  const longest = Math.max(...wholes.map(({ start, end }) => end - start));
  for (let from = 0; from < longest; from += atATime) {
    const parts = wholes.map(({ start, end }) => ({
      start: Math.min(end, start + from),
      end: Math.min(end, start + from + atATime),
    }));
    await sumDealt(line, values, sent, parts);
  }
}

/** Deals the parts, and puts the sums of what comes in the place of this rank's. They are added in the order of the ranks. */
async function sumDealt(line: Exchanges, values: Float32Array, sent: Sent, parts: readonly Range[]): Promise<void> {
  const { start, end } = parts[line.rank] as Range;
  const own = values.subarray(start, end);
  const received = new Float32Array(own.length * line.size);
  if (sent.scale === undefined) await line.deal(sent.numbers, parts, received);
  else {
    const halves = new Uint16Array(received.length);
    await line.deal(sent.numbers, parts, halves);
    float16ToFloat32(halves, sent.scale, received);
  }
  for (let i = 0; i < own.length; i++) {
    let sum = 0;
    for (let at = i; at < received.length; at += own.length) sum += received[at] as number;
    own[i] = sum;
  }
}
