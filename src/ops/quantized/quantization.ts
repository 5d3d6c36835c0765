/** Quantized numbers: real = (stored - zero point) · scale, and sums of products of them. */
import type { DType } from "../../core/dtype.ts";
import { DTypeError, ShapeError, UnsupportedError } from "../../core/errors.ts";
import { broadcastShapes, normalizeAxis, type Shape, showShape, size } from "../../core/shape.ts";
import type { Node, TensorType, Value } from "../../graph/ir.ts";
import { apply, defineOp, type OpDef, requireFloat, requireSameDType } from "../../graph/op.ts";
import { cast, dtypeOfCode } from "../cast.ts";
import { add, mul, sub } from "../elementwise.ts";
import { gather } from "../indexing.ts";
import { bitwiseAnd, shiftRight } from "../logic.ts";
import { matmul, productSamples } from "../matmul.ts";
import { expand, reshape, stack } from "../movement.ts";
import { after } from "../order.ts";
import { reduceSum } from "../reduce.ts";
import { samplesBeside, samplesFirst } from "../samples.ts";
import { pad, slice } from "../slicing.ts";
import { resolveWindow, type WindowAttributes, windowSchema } from "../windows/geometry.ts";

const schema = { axis: "int", saturate: "int", block_size: "int", output_dtype: "int" } as const;

/** Which numbers of x share a scale. */
interface Sharing {
  /** The axis along which scales differ; default 1. */
  readonly axis?: number;
  /** Numbers in a block of one scale along that axis; default one scale for each index. */
  readonly block_size?: number;
}

/** A scale or zero point of one number, of one for each index of an axis, or of one for each block of it, that broadcasts to x. */
function spread(op: string, x: Value, vector: Value, { axis = 1, block_size = 0 }: Sharing): Value {
  if (size(vector.shape) === 1) return reshape(vector, []);
  const at = normalizeAxis(axis, x.rank);
  if (block_size > 0) {
    requireBlocks(op, x, vector, at, block_size);
    const apart = [...vector.shape.slice(0, at + 1), 1, ...vector.shape.slice(at + 1)];
    const repeated = expand(reshape(vector, apart), apart.with(at + 1, block_size));
    const joined = reshape(repeated, vector.shape.with(at, (vector.shape[at] ?? 0) * block_size));
    return slice(joined, { axis: at, end: x.shape[at] ?? 0 });
  }
  if (vector.rank !== 1 || vector.shape[0] !== x.shape[at])
    throw new ShapeError(
      `${op}: scale and zero point are ${showShape(vector.shape)}, axis ${axis} of ${showShape(x.shape)} has ${x.shape[at]}; pass one number or ${x.shape[at]}`,
    );
  return reshape(
    vector,
    x.shape.map((extent, i) => (i === at ? extent : 1)),
  );
}

/** Throws ShapeError unless there is a scale for each block of x along an axis. */
function requireBlocks(op: string, x: Value, scale: Value, axis: number, block: number): void {
  const expected = x.shape.map((extent, i) => (i === axis ? Math.ceil(extent / block) : extent));
  if (showShape(scale.shape) !== showShape(expected))
    throw new ShapeError(
      `${op}: scales are ${showShape(scale.shape)}, blocks of ${block} along axis ${axis} of ${showShape(x.shape)} need ${showShape(expected)}`,
    );
}

/** The axes along which scales differ, none where there is one for all. */
const scaledAxes = (x: Value, scale: Value, { axis = 1, block_size = 0 }: Sharing): readonly number[] => {
  if (size(scale.shape) === 1) return [];
  return block_size > 0 ? x.shape.map((_, i) => i) : [normalizeAxis(axis, x.rank)];
};

/** round(x / scale) + zero point, cut to the range of the zero point's dtype, which is uint8 by default. */
export const QuantizeLinear: OpDef = defineOp("QuantizeLinear", {
  arity: "2-3",
  attributes: schema,
  settings: [1, 2],
  infer: ([x, scale, zero], { output_dtype = 0, ...sharing }) => {
    spread("QuantizeLinear", x, scale, sharing);
    const asked = output_dtype === 0 ? "uint8" : dtypeOfCode("QuantizeLinear", output_dtype);
    return { dtype: zero?.dtype ?? asked, shape: x.shape };
  },
  grad: "none",
  flops: ({ inputs: [x] }) => 3 * size(x.shape),
  samples: ({ inputs: [x, scale], axes, attributes }) => samplesBeside(axes, scaledAxes(x, scale, attributes)),
});

/** (x - zero point) · scale; has a gradient of the scale alone. */
export const DequantizeLinear: OpDef = defineOp("DequantizeLinear", {
  arity: "2-3",
  attributes: { axis: "int", block_size: "int" },
  settings: [1, 2],
  infer: ([x, scale, zero], sharing) => {
    requireSameDType("DequantizeLinear", x, zero);
    spread("DequantizeLinear", x, requireFloat("DequantizeLinear", scale), sharing);
    return { dtype: scale.dtype, shape: x.shape };
  },
  grad: ({ g, inputs: [x, scale, zero], attributes }) => {
    const products = mul(g, storedNumbers(x, zero, attributes, scale.dtype));
    if (size(scale.shape) > 1 && attributes.block_size) return [undefined, sumBlocks(products, scale, attributes)];
    const [at] = scaledAxes(x, scale, attributes);
    const others = x.shape.flatMap((_, i) => (i === at ? [] : [i]));
    return [undefined, reshape(reduceSum(products, others), scale.shape), undefined];
  },
  flops: ({ inputs: [x] }) => 2 * size(x.shape),
  samples: ({ inputs: [x, scale], axes, attributes }) => samplesBeside(axes, scaledAxes(x, scale, attributes)),
  // ONNX Runtime gives no float64.
  lower: ({ inputs: [x, scale, zero], attributes }) =>
    scale.dtype === "float64"
      ? [mul(storedNumbers(x, zero, attributes, scale.dtype), spread("DequantizeLinear", x, scale, attributes))]
      : undefined,
});

/** x - zero point, as floats. */
function storedNumbers(x: Value, zero: Value | undefined, sharing: Sharing, dtype: DType): Value {
  const stored = cast(x, dtype);
  return zero ? sub(stored, cast(spread("DequantizeLinear", x, zero, sharing), dtype)) : stored;
}

/** Sums over the blocks of an axis, in the shape of their scales; the last block may be longer than the axis. */
function sumBlocks(x: Value, scale: Value, { axis = 1, block_size = 1 }: Sharing): Value {
  const at = normalizeAxis(axis, x.rank);
  const blocks = scale.shape[at] ?? 0;
  const missing = blocks * block_size - (x.shape[at] ?? 0);
  const whole =
    missing > 0
      ? pad(
          x,
          x.shape.map((_, i) => [0, i === at ? missing : 0]),
          0,
        )
      : x;
  const apart = [...whole.shape.slice(0, at), blocks, block_size, ...whole.shape.slice(at + 1)];
  return reduceSum(reshape(whole, apart), at + 1);
}

/** x as uint8, with the scale and zero point that its own range gives. */
export const DynamicQuantizeLinear: OpDef = defineOp("DynamicQuantizeLinear", {
  arity: "1",
  infer: ([x]) => [
    { dtype: "uint8", shape: requireFloat("DynamicQuantizeLinear", x).shape },
    { dtype: x.dtype, shape: [] },
    { dtype: "uint8", shape: [] },
  ],
  grad: "none",
  flops: ({ inputs: [x] }) => 5 * size(x.shape),
});

/** The shape of a product of matrices of whole numbers. */
function productShape(op: string, a: Value, b: Value): Shape {
  if (a.rank < 2 || b.rank < 2 || a.shape.at(-1) !== b.shape.at(-2))
    throw new ShapeError(
      `${op}: ${showShape(a.shape)} and ${showShape(b.shape)} are no matrices with equal inner extents; make them that`,
    );
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return [...batch, a.shape.at(-2) ?? 0, b.shape.at(-1) ?? 0];
}

/** Throws DTypeError unless a value has 8 bits. */
function requireBytes(op: string, ...values: readonly Value[]): void {
  const other = values.find(({ dtype }) => dtype !== "uint8" && dtype !== "int8");
  if (other) throw new DTypeError(`${op} takes uint8 or int8, got ${other.dtype}; quantize first`);
}

/** (a - its zero point) (b - its zero point), int32. */
export const MatMulInteger: OpDef = defineOp("MatMulInteger", {
  arity: "2-4",
  settings: [2, 3],
  kind: "dense",
  infer: ([a, b]) => {
    requireBytes("MatMulInteger", a, b);
    return { dtype: "int32", shape: productShape("MatMulInteger", a, b) };
  },
  grad: "none",
  macs: ({ inputs: [a], outputs: [y] }) => size(y.shape) * (a.shape.at(-1) ?? 0),
  samples: ({ inputs: [a, b, ...zeros], axes: [left, right, ...others] }) =>
    others.every((axis) => axis === undefined) && zeros.every((zero) => zero === undefined || size(zero.shape) === 1)
      ? productSamples(a, b, [left, right])
      : undefined,
});

/** The product of quantized matrices, quantized: each operand is followed by its scale and zero point, then those of y. */
export const QLinearMatMul: OpDef = defineOp("QLinearMatMul", {
  arity: "8",
  kind: "dense",
  settings: [1, 2, 4, 5, 6, 7],
  infer: ([a, , , b, , , , zero]) => {
    requireBytes("QLinearMatMul", a, b);
    return { dtype: zero.dtype, shape: productShape("QLinearMatMul", a, b) };
  },
  grad: "none",
  macs: ({ inputs: [a], outputs: [y] }) => size(y.shape) * (a.shape.at(-1) ?? 0),
  samples: ({ inputs: [a, scaleA, , b, scaleB], axes: [left, , , right] }) =>
    [scaleA, scaleB].every((scale) => size(scale.shape) === 1) ? productSamples(a, b, [left, right]) : undefined,
});

const convSchema = { ...windowSchema, group: "int" } as const;

/** Type of a convolution of x [N, C, …] with w [M, C / group, …kernel]. */
function convType(
  op: string,
  dtype: DType,
  x: Value,
  w: Value,
  attributes: WindowAttributes & { readonly group?: number },
): TensorType {
  requireBytes(op, x, w);
  const [channels = 0, expected = 0] = [x.shape[1], (w.shape[1] ?? 0) * (attributes.group ?? 1)];
  if (x.rank !== w.rank || x.rank < 3 || channels !== expected)
    throw new ShapeError(
      `${op}: input ${showShape(x.shape)} and weight ${showShape(w.shape)} do not fit; pass [batch, ${expected}, …spatial] and [filters, channels / groups, …kernel]`,
    );
  const { output } = resolveWindow(op, x.shape.slice(2), w.shape.slice(2), attributes);
  return { dtype, shape: [x.shape[0] ?? 1, w.shape[0] ?? 1, ...output] };
}

/** The convolution of x and w, each less its zero point, int32. */
export const ConvInteger: OpDef = defineOp("ConvInteger", {
  arity: "2-4",
  settings: [2, 3],
  kind: "convolution",
  attributes: convSchema,
  infer: ([x, w], attributes) => convType("ConvInteger", "int32", x, w, attributes),
  grad: "none",
  macs: ({ inputs: [, w], outputs: [y] }) => size(y.shape) * size(w.shape.slice(1)),
  samples: samplesFirst,
});

/** The convolution of quantized x and w, quantized; scales and zero points as in QLinearMatMul, then a bias in int32. */
export const QLinearConv: OpDef = defineOp("QLinearConv", {
  arity: "8-9",
  kind: "convolution",
  attributes: convSchema,
  settings: [1, 2, 4, 5, 6, 7],
  infer: ([x, , , w, , , , zero], attributes) => convType("QLinearConv", zero.dtype, x, w, attributes),
  grad: "none",
  macs: ({ inputs: [, , , w], outputs: [y] }) => size(y.shape) * size(w.shape.slice(1)),
  samples: samplesFirst,
});

/**
 * The rows of a matrix that is stored in blocks of few bits, as MatMulNBits has it: elements [rows, blocks, bytes] of 4 bits, the
 * first in the low half of a byte, or of 8, less 8 or 128, by a scale for each block [rows, blocks]. Our own operator, since
 * ONNX Runtime's has no int4 in JavaScript; float32 [rows, columns], where the last block may be longer than the row.
 */
export const UnpackBlocks: OpDef = defineOp("UnpackBlocks", {
  domain: "sardonyx",
  arity: "2",
  kind: "other",
  attributes: { bits: "int", columns: "int" },
  infer: ([elements, scales], { bits = 4, columns = 0 }) => {
    const [rows = 0, blocks = 0, bytes = 0] = elements.shape;
    if (elements.dtype !== "uint8" || elements.rank !== 3 || showShape(scales.shape) !== showShape([rows, blocks]))
      throw new ShapeError(
        `UnpackBlocks takes uint8 [rows, blocks, bytes] and scales [rows, blocks], got ${elements} and ${scales}`,
      );
    if (columns > (blocks * bytes * 8) / bits)
      throw new ShapeError(`UnpackBlocks: ${elements} holds fewer than ${columns} columns of ${bits} bits`);
    return { dtype: requireFloat("UnpackBlocks", scales).dtype, shape: [rows, columns] };
  },
  grad: "none",
  flops: ({ outputs: [y] }) => 2 * size(y.shape),
  lower: ({ inputs: [elements, scales], attributes: { bits = 4, columns = 0 } }) => [
    scaledRows(centred(elements, undefined, bits, scales.dtype), scales, columns),
  ],
});

/** Lengths of blocks that ONNX Runtime's product with packed weights takes. */
const blockLengths = [16, 32, 64, 128, 256];

/**
 * x Wᵀ for rows W [outputs, inputs] that are unpacked from 4 bits: ONNX Runtime's product, which unpacks them as it goes; `undefined` where W is
 * anything else, or its blocks are of a length that the product does not take.
 */
export function productWithUnpacked(x: Value, w: Value): Value | undefined {
  const node = w.producer;
  const [elements, scales] = node?.op === UnpackBlocks ? node.inputs : [];
  if (!elements || !scales || !node || x.dtype !== "float32" || node.attributes["bits"] !== 4) return undefined;
  const [N = 0, blocks = 0, bytes = 0] = elements.shape;
  const [K, block_size] = [Number(node.attributes["columns"]), 2 * bytes];
  if (!blockLengths.includes(block_size) || blocks !== Math.ceil(K / block_size)) return undefined;
  return apply(MatMulNBits, [x, elements, reshape(scales, [N * blocks])], { K, N, bits: 4, block_size });
}

/** Rows of a matrix that is unpacked from few bits, of which only those are unpacked; `undefined` for any other matrix. */
export function rowsOfUnpacked(w: Value, indices: Value): Value | undefined {
  const node = w.producer;
  const [elements, scales] = node?.op === UnpackBlocks ? node.inputs : [];
  if (!node || !elements || !scales) return undefined;
  const [, blocks = 0, bytes = 0] = elements.shape;
  const count = size(indices.shape);
  const parts = [
    reshape(gather(elements, indices), [count, blocks, bytes]),
    reshape(gather(scales, indices), [count, blocks]),
  ];
  return reshape(apply(UnpackBlocks, parts, node.attributes), [...indices.shape, w.shape[1] ?? 1]);
}

/** A matrix that a product needs again for its gradient: one that is unpacked from few bits is not kept until then, but unpacked again. */
export function unpackedAgain(w: Value, g: Value): Value {
  const node = w.producer;
  const [elements, scales] = node?.op === UnpackBlocks ? node.inputs : [];
  return node && elements && scales ? apply(UnpackBlocks, [elements, after(scales, g)], node.attributes) : w;
}

/** Rows of a matrix, from one to before another; of one that is unpacked from few bits only those are unpacked. */
export function rowsBetween(w: Value, start: number, end: number): Value {
  const node = w.producer;
  const parts = node?.op === UnpackBlocks ? node.inputs : [];
  if (!node || parts.length === 0) return slice(w, { axis: 0, start, end });
  return apply(
    UnpackBlocks,
    parts.map((part) => part && slice(part, { axis: 0, start, end })),
    node.attributes,
  );
}

/** The weight of a product that `productWithUnpacked` made, unpacked; `undefined` for any other node. */
export function unpackedWeightOf({ op, inputs: [, elements, scales, ...others], attributes }: Node): Value | undefined {
  if (op !== MatMulNBits || !elements || !scales || others.some((value) => value !== undefined)) return undefined;
  const { K = 0, N = 0, bits = 4, block_size = 32 } = attributes as Readonly<Record<string, number>>;
  const blocks = Math.ceil(K / block_size);
  const parts = [reshape(elements, [N, blocks, (block_size * bits) / 8]), reshape(scales, [N, blocks])];
  return apply(UnpackBlocks, parts, { bits, columns: K });
}

/** The numbers of `bits` bits in bytes, along the last axis; the first is in the lowest bits. */
function unpackedBytes(bytes: Value, bits: number): Value {
  if (bits === 8) return bytes;
  const parts = Array.from({ length: 8 / bits }, (_, i) => bitwiseAnd(shiftRight(bytes, bits * i), 2 ** bits - 1));
  return reshape(stack(parts, bytes.rank), bytes.shape.with(-1, (bytes.shape.at(-1) ?? 0) * parts.length));
}

/** The numbers of blocks [rows, blocks, bytes], less the zero point of each block [rows, blocks]: [rows, blocks, numbers]. */
function centred(elements: Value, zeros: Value | undefined, bits: number, dtype: DType): Value {
  const numbers = cast(unpackedBytes(elements, bits), dtype);
  return sub(numbers, zeros ? reshape(zeros, [...zeros.shape, 1]) : 2 ** (bits - 1));
}

/** Rows of blocks [rows, blocks, numbers], each by its scale [rows, blocks]; the last block may be longer than the row. */
function scaledRows(numbers: Value, scales: Value, columns: number): Value {
  const [rows = 0, blocks = 0, length = 0] = numbers.shape;
  const whole = mul(numbers, reshape(scales, [rows, blocks, 1]));
  return slice(reshape(whole, [rows, blocks * length]), { axis: 1, end: columns });
}

/** The weight of a MatMulNBits: its numbers less their zero points [N, blocks, numbers], and its scales [N, blocks]. */
function blocksOf(
  [, b, scales, zeros, groups]: readonly [Value, Value, Value, Value?, Value?, Value?],
  { K = 0, N = 0, bits = 4, block_size = 32 }: Readonly<Partial<Record<"K" | "N" | "bits" | "block_size", number>>>,
): { readonly numbers: Value; readonly scales: Value } {
  if (groups) throw new UnsupportedError("MatMulNBits: columns in an order of their own (g_idx) have no gradient");
  const blocks = Math.ceil(K / block_size);
  const packed = zeros && reshape(zeros, [N, size(zeros.shape) / N]);
  const unpacked = packed?.dtype === "uint8" ? unpackedBytes(packed, bits) : packed;
  const ofBlocks = unpacked && cast(slice(unpacked, { axis: 1, end: blocks }), scales.dtype);
  const elements = reshape(b, [N, blocks, (block_size * bits) / 8]);
  return { numbers: centred(elements, ofBlocks, bits, scales.dtype), scales: reshape(scales, [N, blocks]) };
}

/** a [..., K] times the transpose of a weight [N, K] in blocks of few bits: b [N, blocks, bytes], a scale for each block. */
export const MatMulNBits: OpDef = defineOp("MatMulNBits", {
  domain: "com.microsoft",
  arity: "3-6",
  kind: "dense",
  attributes: { K: "int", N: "int", bits: "int", block_size: "int", accuracy_level: "int", weight_prepacked: "int" },
  settings: [2, 3, 4],
  packed: ({ attributes: { K = 0, N = 0, bits = 4 } }) => ({ position: 1, shape: [N, K], bits }),
  infer: ([a, b], { K = 0, N = 0, bits = 4, block_size = 32 }) => {
    const expected = [N, Math.ceil(K / block_size), (block_size * bits) / 8];
    if (a.shape.at(-1) !== K || size(b.shape) !== size(expected))
      throw new ShapeError(
        `MatMulNBits: ${showShape(a.shape)} and ${showShape(b.shape)}, expected [..., ${K}] and ${showShape(expected)}; the file is damaged`,
      );
    return { dtype: requireFloat("MatMulNBits", a).dtype, shape: [...a.shape.slice(0, -1), N] };
  },
  // y = a Wᵀ with the weight W unpacked: da = g W; of the scales, the sum over a block of dW times the numbers
  grad: ({ g, inputs, attributes, needs }) => {
    const { K = 0 } = attributes;
    const [x, elements, stored, ...others] = inputs;
    // Otherwise ONNX Runtime may unpack the weights of all layers before it begins.
    const { numbers, scales } = blocksOf([x, elements, after(stored, g), ...others], attributes);
    const [N = 0, blocks = 0, length = 0] = numbers.shape;
    const rows = (x: Value) => reshape(x, [size(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1]);
    const ofScales = () => {
      const dw = matmul(rows(g), rows(inputs[0]), { transA: true }); // [N, K]
      const whole = pad(
        dw,
        [
          [0, 0],
          [0, blocks * length - K],
        ],
        0,
      );
      return reshape(reduceSum(mul(reshape(whole, [N, blocks, length]), numbers), 2), inputs[2].shape);
    };
    return [
      needs[0] ? matmul(g, scaledRows(numbers, scales, K)) : undefined,
      undefined,
      needs[2] ? ofScales() : undefined,
    ];
  },
  // ONNX Runtime has a kernel for float32 and float16.
  lower: ({ inputs, attributes }) => {
    if (inputs[0].dtype !== "float64") return undefined;
    const { numbers, scales } = blocksOf(inputs, attributes);
    const product = matmul(inputs[0], scaledRows(numbers, scales, attributes.K ?? 0), { transB: true });
    return [inputs[5] ? add(product, inputs[5]) : product];
  },
  macs: ({ outputs: [y], attributes: { K = 0 } }) => size(y.shape) * K,
  samples: ({ inputs: [a], axes }) => samplesBeside(axes, [a.rank - 1]),
});
