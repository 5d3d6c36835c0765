/** Discrete Fourier transforms, whole and of windows in time. Complex numbers have an axis of their own, the last: real part, imaginary part. */
import { ShapeError, UnsupportedError } from "../../core/errors.ts";
import { normalizeAxis, type Shape, showShape, size } from "../../core/shape.ts";
import { requireTable } from "../../core/tables.ts";
import { tensor } from "../../core/tensor.ts";
import { numbersOf } from "../../graph/attributes.ts";
import type { Value } from "../../graph/ir.ts";
import { apply, defineOp, type OpDef, requireFloat } from "../../graph/op.ts";
import { constant, requireConstant, scalar } from "../constant.ts";
import { mul } from "../elementwise.ts";
import { gather } from "../indexing.ts";
import { through } from "../kernels.ts";
import { matmul } from "../matmul.ts";
import { reshape, swapAxes, unsqueeze } from "../movement.ts";
import { defineComposition, storedNode, without } from "../reading.ts";
import { samplesBeside } from "../samples.ts";
import { pad, slice } from "../slicing.ts";

interface Transform {
  readonly axis: number;
  /** Elements that are transformed, and that come out. */
  readonly length: number;
  readonly bins: number;
  readonly isInverse: boolean;
}

type Operands = readonly [Value, Value?, Value?];

function transformOf(
  [x, given, along]: Operands,
  { inverse = 0, onesided = 0 }: { readonly inverse?: number; readonly onesided?: number },
): Transform {
  const parts = x.shape.at(-1) ?? 0;
  if (x.rank < 2 || parts < 1 || parts > 2)
    throw new ShapeError(
      `DFT: x is ${showShape(x.shape)}; its last axis must be 1, of real numbers, or 2, of complex ones`,
    );
  if (onesided === 1 && (inverse === 1 || parts === 2))
    throw new UnsupportedError("DFT: onesided is for a transform of real numbers; leave it out");
  const [axis = -2] = along ? requireConstant("DFT", "axis", along) : [];
  const at = normalizeAxis(axis, x.rank);
  const [length = x.shape[at] ?? 0] = given ? requireConstant("DFT", "dft_length", given) : [];
  if (!(Number.isInteger(length) && length >= 1))
    throw new ShapeError(`DFT: dft_length is ${length}, expected a whole number from 1`);
  return { axis: at, length, bins: onesided === 1 ? Math.floor(length / 2) + 1 : length, isInverse: inverse === 1 };
}

/** y[k] = Σ x[n] e^(-2πi k n / N) along an axis; the inverse has the other sign and divides by N. */
export const DFT: OpDef = defineOp("DFT", {
  arity: "1-3",
  attributes: { inverse: "int", onesided: "int" },
  infer: (operands, attributes) => {
    const [x] = operands;
    requireFloat("DFT", x);
    const { axis, bins } = transformOf(operands, attributes);
    return { dtype: x.dtype, shape: [...x.shape.slice(0, -1).map((extent, i) => (i === axis ? bins : extent)), 2] };
  },
  grad: { through: ({ inputs, attributes }) => [transformed(inputs[0], transformOf(inputs, attributes))] },
  // The fast Fourier transform: 5 N log₂ N operations (Cooley and Tukey 1965).
  flops: ({ inputs, attributes }) => {
    const { axis, length } = transformOf(inputs, attributes);
    const others = size(inputs[0].shape.slice(0, -1).filter((_, i) => i !== axis));
    return Math.round(5 * others * length * Math.log2(Math.max(2, length)));
  },
  // Through float64: sums that cancel are 0 then, as in other libraries.
  lower: through({ float32: "float64", float16: "float64" }),
  samples: ({ inputs, axes, attributes }) =>
    samplesBeside(axes, [transformOf(inputs, attributes).axis, inputs[0].rank - 1]),
  // Before operator set 20 the axis was an attribute, by default the first after the batch.
  read: ({ version, inputs, attributes }, op) => {
    if (version >= 20) return undefined;
    const [axis = 1] = numbersOf("DFT", attributes, "axis") ?? [];
    return storedNode(op, [inputs[0], inputs[1], scalar(axis, "int64")], without(attributes, ["axis"])).outputs;
  },
});

/** The matrix that a transform is, for elements with their parts side by side: [length · parts, bins · 2]. */
function matrixOf({ length, bins, isInverse }: Transform, parts: number, dtype: "float32" | "float64"): Value {
  const shape: Shape = [length * parts, bins * 2];
  const [sign, scale] = isInverse ? [1, 1 / length] : [-1, 1];
  requireTable("DFT: its matrix", ...shape);
  const elements = new Array<number>(size(shape));
  for (let n = 0; n < length; n++)
    for (let k = 0; k < bins; k++) {
      const angle = (2 * Math.PI * ((k * n) % length)) / length; // exact for the multiples
      const [real, imaginary] = [scale * Math.cos(angle), scale * sign * Math.sin(angle)];
      const put = (part: number, values: readonly [number, number]) => {
        const at = (n * parts + part) * bins * 2 + 2 * k;
        [elements[at], elements[at + 1]] = values;
      };
      put(0, [real, imaginary]);
      if (parts === 2) put(1, [-imaginary, real]);
    }
  return constant(tensor(elements, { dtype, shape }));
}

/** The transform as a product with its matrix, which has a gradient. */
function transformed(x: Value, transform: Transform): Value {
  const { axis, length, bins } = transform;
  const parts = x.shape.at(-1) ?? 1;
  const extent = x.shape[axis] ?? 0;
  const cut = extent > length ? slice(x, { axis, start: 0, end: length }) : x;
  const whole = pad(
    cut,
    cut.shape.map((_, i) => [0, i === axis ? Math.max(0, length - extent) : 0]),
  );
  const moved = swapAxes(whole, axis, -2); // […, length, parts]
  const rows = reshape(moved, [...moved.shape.slice(0, -2), length * parts]);
  const product = matmul(rows, matrixOf(transform, parts, x.dtype as "float32" | "float64"));
  return swapAxes(reshape(product, [...moved.shape.slice(0, -2), bins, 2]), axis, -2);
}

/** The transforms of windows of a signal [N, T, 1 or 2] that begin every `frame_step` elements: [N, windows, bins, 2]. */
export const STFT: OpDef = defineComposition("STFT", {
  arity: "2-4",
  attributes: { onesided: "int" },
  settings: [2],
  build: ({ inputs: [signal, by, window, extent], attributes: { onesided = 1 } }) => {
    const x = signal.rank === 2 ? unsqueeze(signal, [2]) : signal;
    const [step = 1] = requireConstant("STFT", "frame_step", by);
    const [length = window?.shape[0] ?? 0] = extent ? requireConstant("STFT", "frame_length", extent) : [];
    if (!(Number.isInteger(step) && step >= 1))
      throw new ShapeError(`STFT: frame_step is ${step}, expected a whole number from 1`);
    const count = Math.floor(((x.shape[1] ?? 0) - length) / step) + 1;
    if (length < 1 || count < 1 || (window && window.shape[0] !== length))
      throw new ShapeError(
        `STFT: ${showShape(x.shape)} has no windows of ${length}; pass a window of frame_length, no longer than the signal`,
      );
    requireTable("STFT: its windows", count, length);
    const places = Array.from({ length: count * length }, (_, i) =>
      BigInt(Math.floor(i / length) * step + (i % length)),
    );
    const cut = gather(x, constant(tensor(places, { shape: [count, length] })), 1); // [N, windows, length, parts]
    const weighted = window ? mul(cut, reshape(window, [length, 1])) : cut;
    return [apply(DFT, [weighted, undefined, scalar(2, "int64")], { onesided: x.shape[2] === 2 ? 0 : onesided })];
  },
});
