/** What quantization gives. */
import type { Site } from "./sites.ts";

/** A layer whose weights are stored in fewer bits. */
export interface QuantizedLayer {
  /** Path of the layer. */
  readonly name: string;
  readonly kind: Site["kind"];
  /** Elements of its weight. */
  readonly elements: number;
  /** Bits of an element. */
  readonly bits: number;
  /** ‖W - Ŵ‖ / ‖W‖: what rounding changed of the weight. */
  readonly error: number;
}

/** A model in fewer bits: an ONNX file that ONNX Runtime runs. */
export interface QuantizedModel {
  /** The file. */
  readonly bytes: Uint8Array;
  /** The layers that were quantized, in the order in which they run. */
  readonly layers: readonly QuantizedLayer[];
  /** Layers that stayed float32, by their paths. */
  readonly kept: readonly string[];
  /** What the reader should know, a sentence each. */
  readonly notes: readonly string[];
}

/** A layer with the numbers that stand for those of its weight, by their places in it. */
export const quantizedLayer = (
  { name, kind, held }: Site,
  bits: number,
  stored: (i: number) => number,
): QuantizedLayer => ({
  name,
  kind,
  elements: held.data.length,
  bits,
  error: relativeError(held.data, stored),
});

/** ‖a - b‖ / ‖a‖; 0 for zeros that stayed so. */
function relativeError(a: ArrayLike<number>, b: (i: number) => number): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const own = a[i] as number;
    difference += (own - b(i)) ** 2;
    norm += own * own;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}
