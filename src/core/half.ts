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

/**
 * The bits of the float16 nearest to a float32, of which these are the bits; of two as near, the even one. What is too large becomes infinite.
 * Whole numbers alone: exponent and fraction lie side by side, so that a carry moves to the next exponent by itself.
 */
function float16OfFloat32(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  // From halfway between the largest number and the next power of two.
  if (size >= 0x477ff000) return sign | 0x7c00;
  // 13 bits of the fraction go; the exponent counts from -15, not from -127.
  if (size >= 0x38800000) return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
  // Steps of 2^-24: of the fraction with its leading one, so many bits less.
  const shift = 126 - (size >>> 23);
  if (shift > 24) return sign;
  const fraction = (size & 0x7fffff) | 0x800000;
  const whole = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (rest > half || (rest === half && whole % 2 === 1) ? whole + 1 : whole);
}

/** The bits of the float16 nearest to the float32 of a number; of two as near, the even one. What is too large becomes infinite. */
export function float16Bits(value: number): number {
  word.setFloat32(0, value);
  return float16OfFloat32(word.getUint32(0));
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

let float16Numbers: Float32Array | undefined;

/** Bits of float16 as float32, exactly, divided by a scale. */
export function float16ToFloat32(
  bits: Uint16Array,
  scale = 1,
  into: Float32Array = new Float32Array(bits.length),
): Float32Array {
  // A look into a table takes a tenth of the time of computing each.
  float16Numbers ??= Float32Array.from({ length: 2 ** 16 }, (_, own) => float16Number(own));
  for (let i = 0; i < bits.length; i++) into[i] = (float16Numbers[bits[i] as number] as number) / scale;
  return into;
}

/** Bits of the float16 nearest to each float32 times a scale, as `float16Bits`. */
export function float32ToFloat16(numbers: Float32Array, scale = 1): Uint16Array {
  const scaled = new Float32Array(1);
  const own = new Uint32Array(scaled.buffer);
  const bits = new Uint16Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    scaled[0] = (numbers[i] as number) * scale;
    bits[i] = float16OfFloat32(own[0] as number);
  }
  return bits;
}

/** Bits of bfloat16 as float32, exactly. */
export const bfloat16ToFloat32 = (bits: Uint16Array): Float32Array => converted(bits, bfloat16Number);

/** Bits of the bfloat16 nearest to each float32; of two as near, the even one. What is too large becomes infinite. */
export function float32ToBfloat16(numbers: Float32Array): Uint16Array {
  const own = new Float32Array(1);
  const bits = new Uint32Array(own.buffer);
  return Uint16Array.from(numbers, (value) => {
    own[0] = value;
    const whole = bits[0] as number;
    // A carry could make an infinity of what is no number.
    if (Number.isNaN(value)) return (whole >>> 16) | 0x40;
    return (whole + 0x7fff + ((whole >>> 16) & 1)) >>> 16;
  });
}
