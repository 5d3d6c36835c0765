/** How a float function of one operand is defined: its gradient from x and y, and what runs where there is no kernel. */
import type { DType } from "../core/dtype.ts";
import { size } from "../core/shape.ts";
import type { Value } from "../graph/ir.ts";
import { defineOp, type OpDef, requireFloat, type SimdInstruction } from "../graph/op.ts";

/** One operation for each output element. */
export function each({ outputs: [y] }: { readonly outputs: readonly [Value, ...Value[]] }): number {
  return size(y.shape);
}

/** Outputs for floats other than float32; ONNX Runtime's own kernel runs float32. */
export function otherFloats(x: Value, build: () => Value): readonly Value[] | undefined {
  return x.dtype === "float32" ? undefined : [build()];
}

interface FloatFunctionRules {
  /** y of one element, for folding constants. */
  readonly fold?: (x: number) => number;
  /** Number of the f32x4 instruction that does the same. */
  readonly simd?: SimdInstruction;
  /** The same function of other floats than float32, for which ONNX Runtime has no kernel. */
  readonly composite?: (x: Value) => Value;
  /** The same on graphics cards, whose own may be rough. */
  readonly onWebGpu?: (x: Value) => Value;
  /** Which other floats those are; default all. */
  readonly composed?: readonly DType[];
}

/** A float function of one operand; `gradient` gives dx from g, x and y. */
export function floatFunction(
  type: string,
  gradient: (g: Value, x: Value, y: Value) => Value,
  { fold, simd, composite, onWebGpu, composed = ["float16", "float64"] }: FloatFunctionRules = {},
): OpDef {
  return defineOp(type, {
    arity: "1",
    infer: ([x]) => requireFloat(type, x),
    grad: ({ g, inputs: [x], outputs: [y] }) => [gradient(g, x, y)],
    flops: each,
    ...(fold && { fold }),
    ...(simd && { simd }),
    onWebGpu: ({ inputs: [x] }) => (onWebGpu && x.dtype === "float32" ? [onWebGpu(x)] : undefined),
    lower: ({ inputs: [x] }) => (composite && composed.includes(x.dtype) ? [composite(x)] : undefined),
  });
}
