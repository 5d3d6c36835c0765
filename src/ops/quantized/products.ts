/** Products of quantized matrices that give floats, or numbers of another scale: read as sums of whole numbers and scales. */
import { size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { apply, makeNode, type OpDef } from "../../graph/op.ts";
import { cast } from "../cast.ts";
import { scalar } from "../constant.ts";
import { add, mul } from "../elementwise.ts";
import { reshape, transpose } from "../movement.ts";
import { defineComposition } from "../reading.ts";
import { DynamicQuantizeLinear, MatMulInteger, QuantizeLinear } from "./quantization.ts";

const domain = "com.microsoft";

/** A matrix of whole numbers with what makes it real. */
export interface QuantizedMatrix {
  readonly numbers: Value;
  /** One number, or one for each column. */
  readonly scale: Value;
  readonly zero: Value | undefined;
}

/** A scale as it broadcasts over the columns of a product. */
const alongColumns = (scale: Value): Value => (size(scale.shape) === 1 ? reshape(scale, []) : scale);

/** The real product of a [..., K] and b [K, N] by sums of whole numbers. */
export function realProduct(a: QuantizedMatrix, b: QuantizedMatrix, sum?: Value): Value {
  const zeros = b.zero ? [a.zero ?? scalar(0, a.numbers.dtype), b.zero] : a.zero ? [a.zero] : [];
  const products = apply(MatMulInteger, [a.numbers, b.numbers, ...zeros]);
  const whole = sum ? add(products, sum) : products;
  return mul(cast(whole, b.scale.dtype), mul(alongColumns(a.scale), alongColumns(b.scale)));
}

/** The product of quantized a and b as floats: a, b, their scales, their zero points, a bias. */
export const MatMulIntegerToFloat: OpDef = defineComposition("MatMulIntegerToFloat", {
  domain,
  arity: "4-7",
  kind: "dense",
  settings: [2, 3, 4, 5],
  build: ({ inputs: [a, b, scaleA, scaleB, zeroA, zeroB, bias] }) => {
    const product = realProduct({ numbers: a, scale: scaleA, zero: zeroA }, { numbers: b, scale: scaleB, zero: zeroB });
    return [bias ? add(product, bias) : product];
  },
});

/** The product of floats a, quantized by their own range, and quantized b: its scale and zero point, a bias. */
export const DynamicQuantizeMatMul: OpDef = defineComposition("DynamicQuantizeMatMul", {
  domain,
  arity: "3-5",
  kind: "dense",
  settings: [2, 3],
  build: ({ inputs: [a, b, scale, zero, bias] }) => {
    const [numbers, scaleA, zeroA] = makeNode(DynamicQuantizeLinear, [a]).outputs as readonly Value[] as readonly [
      Value,
      Value,
      Value,
    ];
    const product = realProduct({ numbers, scale: scaleA, zero: zeroA }, { numbers: b, scale, zero });
    return [bias ? add(product, bias) : product];
  },
});

/**
 * alpha a b + c of quantized matrices: each with its scale and zero point, c as whole numbers, then the scale and zero point of y;
 * without those y is of floats.
 */
export const QGemm: OpDef = defineComposition("QGemm", {
  domain,
  arity: "6-9",
  kind: "dense",
  settings: [1, 2, 4, 5, 7, 8],
  attributes: { alpha: "float", transA: "int", transB: "int" },
  build: ({ inputs, attributes: { alpha = 1, transA = 0, transB = 0 } }) => {
    const [a, scaleA, zeroA, b, scaleB, zeroB, c, scale, zero] = inputs;
    const left = { numbers: transA === 1 ? transpose(a) : a, scale: mul(scaleA, alpha), zero: zeroA };
    const right = { numbers: transB === 1 ? transpose(b) : b, scale: scaleB, zero: zeroB };
    const product = realProduct(left, right, c);
    return [scale ? apply(QuantizeLinear, zero ? [product, scale, zero] : [product, scale]) : product];
  },
});
