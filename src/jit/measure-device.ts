/** How fast a device computes and moves numbers, measured. */
import { type Tensor, zerosTensor } from "../core/tensor.ts";
import { input, type Value } from "../graph/ir.ts";
import { add, matmul, slice } from "../ops/index.ts";
import type { Device, SessionOptions } from "../runtime/session.ts";
import { type CompileOptions, compile } from "./compile.ts";

/** Rates of a device, in float32. */
export interface DeviceRates {
  /** Floating-point operations a second in products of matrices; a multiply-add is two. */
  readonly flopsPerSecond: number;
  /** Bytes that sums of long vectors read and write in a second. */
  readonly bytesPerSecond: number;
}

/** Options of `measureDevice`. */
export interface MeasureDeviceOptions extends Pick<SessionOptions, "threads"> {
  /** Rows and columns of the matrices; default 1024. */
  readonly side?: number;
  /** Elements of the vectors; default 2^24. */
  readonly length?: number;
  /** Seconds for each of the two; default 0.5. */
  readonly seconds?: number;
}

/** Operations one behind the other in a graph, so that what a run costs besides counts little. */
const chained = 8;

/** Median seconds of a graph of one input, of as many runs as fit the time, after one that is not counted. */
async function timed(x: Value, y: Value, given: Tensor, seconds: number, options: CompileOptions): Promise<number> {
  const { run, session } = await compile([x], [y], options);
  const times: number[] = [];
  for (let spent = 0; times.length < 2 || (spent < seconds && times.length < 1000); ) {
    const began = performance.now();
    await run([given]);
    times.push((performance.now() - began) / 1000);
    spent += times.length > 1 ? (times.at(-1) ?? 0) : 0;
  }
  await session.release();
  const [, ...counted] = times;
  return counted.sort((a, b) => a - b)[counted.length >> 1] ?? Number.NaN;
}

/** Seconds that one more of the same operations takes: of long chains those of short ones taken off. */
async function each(
  shape: readonly number[],
  step: (y: Value, x: Value) => Value,
  seconds: number,
  options: CompileOptions,
): Promise<number> {
  const given = zerosTensor("float32", shape);
  const chain = (count: number) => {
    const x = input("float32", shape, "x");
    let y = x;
    for (let i = 0; i < count; i++) y = step(y, x);
    // Of all that is computed one row is fetched.
    return timed(x, slice(y, { axis: 0, start: 0, end: 1 }), given, seconds / 2, options);
  };
  const [short, long] = [await chain(1), await chain(1 + chained)];
  return Math.max(long - short, 1e-9) / chained;
}

/** Floating-point operations a second in products of matrices. Throws OptionError for a device that is not there. */
export async function productRate(
  device: Device,
  { side = 1024, seconds = 0.5, threads }: Omit<MeasureDeviceOptions, "length"> = {},
): Promise<number> {
  const options = { device, ...(threads !== undefined && { threads }) };
  return (2 * side ** 3) / (await each([side, side], matmul, seconds, options));
}

/**
 * Measures a device: products of matrices, and sums of vectors too long for caches. Throws OptionError for a device that is not there.
 * @example const { flopsPerSecond } = await measureDevice("cpu"); // some 1e11
 */
export async function measureDevice(
  device: Device,
  { side = 1024, length = 2 ** 24, seconds = 0.5, threads }: MeasureDeviceOptions = {},
): Promise<DeviceRates> {
  const options = { device, ...(threads !== undefined && { threads }) };
  const flopsPerSecond = await productRate(device, { side, seconds, ...(threads !== undefined && { threads }) });
  const sum = await each([length], add, seconds, options);
  return { flopsPerSecond, bytesPerSecond: (3 * 4 * length) / sum };
}
