/** Images as the network of the page takes them. */

/** Their height and width in pixels. */
export const side = 96;

/** Bytes [3, side, side] as values from 0 to 1, [side, side, 3]. */
export function channelsLast(bytes: Uint8Array): Float32Array {
  const plane = side * side;
  return Float32Array.from({ length: 3 * plane }, (_, i) => (bytes[(i % 3) * plane + Math.floor(i / 3)] ?? 0) / 255);
}
