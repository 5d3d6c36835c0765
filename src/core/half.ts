/** Numbers of 16 bits and of 8 as numbers: float16 (IEEE 754-2019, binary16), bfloat16, and float8 (Micikevicius et al. 2022). */

const word = new DataView(new ArrayBuffer(4));

/** The number that the bits of a float16 stand for. */
export function float16Number(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of the float16 nearest to a number; of two as near, the even one. What is too large becomes infinite. */
export function float16Bits(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  if (Number.isNaN(value)) return sign | 0x7e00;
  const size = Math.abs(value);
  // Halfway between the largest number and the next power of two.
  if (size >= 65520) return sign | 0x7c00;
  // Steps of the numbers around it: 2^-24 below the smallest normal one.
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const step = 2 ** (exponent - 10);
  const steps = size / step; // exact: a power of two
  const whole = Math.floor(steps);
  const rest = steps - whole;
  const rounded = rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? whole + 1 : whole;
  // Below 1,024 steps of 2^-24 it is subnormal; a carry moves to the next exponent by itself.
  return sign | (size < 2 ** -14 ? rounded : ((exponent + 15) << 10) + (rounded - 1024));
}

/** The number that the bits of a bfloat16 stand for: the upper half of a float32. */
export function bfloat16Number(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

/** The number that the bits of a float8 with 5 bits of exponent stand for: the upper half of a float16. */
export const float8e5m2Number = (bits: number): number => float16Number(bits << 8);

/** The number that the bits of a float8 with 4 bits of exponent stand for; it has no infinity, and NaN in place of the largest. */
export function float8e4m3Number(bits: number): number {
  const sign = bits & 0x80 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 3) & 0xf, bits & 7];
  if (exponent === 0xf && fraction === 7) return Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -9 : (1 + fraction / 8) * 2 ** (exponent - 7));
}

const converted = (bits: Uint16Array, numberOf: (bits: number) => number): Float32Array =>
  Float32Array.from(bits, numberOf);

/** Bits of float16 as float32, exactly. */
export const float16ToFloat32 = (bits: Uint16Array): Float32Array => converted(bits, float16Number);
/** Bits of bfloat16 as float32, exactly. */
export const bfloat16ToFloat32 = (bits: Uint16Array): Float32Array => converted(bits, bfloat16Number);
