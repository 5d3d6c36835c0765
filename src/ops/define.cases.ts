/** The form of an operator's case in the sweep, and the generators of its inputs. */
import { type DType, isFloat } from "../core/dtype.ts";
import { foldIn, keyOf, Random } from "../core/random.ts";
import { type Shape, size } from "../core/shape.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { input, type Value } from "../graph/ir.ts";
import type { OpDef } from "../graph/op.ts";

export interface InputSpec {
  readonly dtype: DType;
  readonly shape: Shape;
  /** The elements, row-major. */
  readonly fill: (random: Random, count: number) => readonly number[];
}

/**
 * How far the derivatives of a case are checked: `twice` against finite differences of the value and of the gradient;
 * `once` where our gradient rule has no derivative of its own; `convention` at a tie or a kink, where only PyTorch's
 * choice can be compared; `none` where there is no gradient.
 */
export type Derivative = "twice" | "once" | "convention" | "none";

interface CaseSpec<Name extends string> {
  readonly inputs: Readonly<Record<Name, InputSpec>>;
  readonly build: (values: Readonly<Record<Name, Value>>) => Value | readonly Value[];
  /** The same outputs in PyTorch: a Python expression over the inputs' names, a tuple for several outputs. */
  readonly torch: string;
  /** Default: `twice` where the operator has a gradient and an input is a float, else `none`. */
  readonly derivative?: Derivative;
  /** Why ONNX Runtime cannot run the case or its gradient in float64; derivatives are then PyTorch's. */
  readonly noFloat64?: string;
  /** Floating-point operations of the operator's node, counted by hand. */
  readonly flops?: number;
}

/** One row of the sweep. */
export interface OpCase {
  readonly op: OpDef;
  readonly name: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly build: (values: Readonly<Record<string, Value>>) => readonly Value[];
  readonly torch: string;
  readonly derivative: Derivative;
  readonly noFloat64: string | undefined;
  readonly flops: number | undefined;
}

/**
 * A case of `op`.
 * @example
 * opCase(Mul, "scalar", { inputs: { x: normal([2, 3]) }, build: ({ x }) => mul(x, 2), torch: "x * 2" })
 */
export function opCase<Name extends string>(op: OpDef, name: string, spec: CaseSpec<Name>): OpCase {
  const floats = Object.values<InputSpec>(spec.inputs).some(({ dtype }) => isFloat(dtype));
  return {
    op,
    name,
    inputs: spec.inputs,
    build: (values) => [spec.build(values as Record<Name, Value>)].flat(),
    torch: spec.torch,
    derivative: spec.derivative ?? (op.differentiable && floats ? "twice" : "none"),
    noFloat64: spec.noFloat64,
    flops: spec.flops,
  };
}

/** Operator, function, generator of its input, PyTorch expression, why not float64. */
export type UnaryRow = readonly [OpDef, (x: Value) => Value, InputSpec, string, string?];

/** A case of a function of one operand. */
export const unaryCase = ([op, build, x, torch, noFloat64]: UnaryRow): OpCase =>
  opCase(op, torch, {
    inputs: { x },
    build: ({ x }) => build(x),
    torch,
    ...(noFloat64 !== undefined && { noFloat64 }),
  });

type Generator = (shape: Shape) => InputSpec;
const generator =
  (element: (random: Random) => number): Generator =>
  (shape) => ({
    dtype: "float32",
    shape,
    fill: (random, count) => Array.from({ length: count }, () => Math.fround(element(random))),
  });

export const normal: Generator = generator((random) => random.normal());
/** In [0.5, 2). */
export const positive: Generator = generator((random) => random.uniform(0.5, 2));
/** In (-0.9, 0.9). */
export const small: Generator = generator((random) => random.uniform(-0.9, 0.9));

/** Evenly spaced in (-2, 2), in random order: no two equal, none at a whole number, so that no kink is near. */
export const distinct: Generator = (shape) => ({
  dtype: "float32",
  shape,
  fill: (random, count) => Array.from(random.permutation(count), (at) => Math.fround((4 * (at + 0.37)) / count - 2)),
});

/** Whole numbers in [low, high), so that some repeat. */
export const integers = (shape: Shape, low: number, high: number, dtype: DType = "int64"): InputSpec => ({
  dtype,
  shape,
  fill: (random, count) => Array.from({ length: count }, () => low + random.integer(high - low)),
});

/** Positions in an axis of `extent`, with repetitions. */
export const indices = (shape: Shape, extent: number, dtype: DType = "int64"): InputSpec =>
  integers(shape, 0, extent, dtype);

export const bools = (shape: Shape): InputSpec => integers(shape, 0, 2, "bool");

/** Elements written out, row-major. */
export const given = (elements: readonly number[], shape: Shape, dtype: DType = "float32"): InputSpec => ({
  dtype,
  shape,
  fill: () => elements.map((element) => (dtype === "float32" ? Math.fround(element) : element)),
});

const randomOf = ({ op, name }: OpCase, purpose: string): Random =>
  new Random(foldIn(keyOf(20_240_917), purpose, op.type, name));

/** The host tensors of a case, by name; floats have the dtype `float`. */
export function inputTensors(opCase: OpCase, float: "float32" | "float64" = "float32"): Record<string, Tensor> {
  const random = randomOf(opCase, "inputs");
  return Object.fromEntries(
    Object.entries(opCase.inputs).map(([name, { dtype, shape, fill }]) => {
      const elements = fill(random, size(shape));
      return [name, tensor(elements, { dtype: dtype === "float32" ? float : dtype, shape })];
    }),
  );
}

/** The graph inputs of a case, by name. */
export const inputValues = (opCase: OpCase, float: "float32" | "float64" = "float32"): Record<string, Value> =>
  Object.fromEntries(
    Object.entries(opCase.inputs).map(([name, { dtype, shape }]) => [
      name,
      input(dtype === "float32" ? float : dtype, shape, name),
    ]),
  );

/** Normal numbers that belong to a case: weights of its outputs in the loss, or a direction in its inputs. */
export function randomNumbers(opCase: OpCase, purpose: string, count: number): number[] {
  const random = randomOf(opCase, purpose);
  return Array.from({ length: count }, () => Math.fround(random.normal()));
}
