/** Operator definitions: one object holds an ONNX operator's signature, inference, gradient and cost. */
import { isFloat } from "../core/dtype.ts";
import { DTypeError, GradientError, InternalError, ShapeError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { type Shape, showShape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Arity, OperandsOf } from "./arity.ts";
import { type AttributeSchema, type Attributes, type AttributeTypes, checkKinds } from "./attributes.ts";
import { Node, type Scope, type TensorType, Value } from "./ir.ts";
import type { LowRankForm } from "./low-rank-form.ts";
import type { Rows, RowsResult } from "./rows.ts";
import type { SampleTerms } from "./sample-terms.ts";

export type { Arity } from "./arity.ts";
export type { AttributeKind, AttributeSchema, Attributes, AttributeTypes } from "./attributes.ts";

type AttributesOf<S extends AttributeSchema> = { readonly [K in keyof S]?: AttributeTypes[S[K]] };

/** What a rule sees of one node. */
export interface NodeView<A extends Arity, S extends AttributeSchema> {
  readonly inputs: OperandsOf[A];
  readonly outputs: readonly [Value, ...Value[]];
  readonly attributes: AttributesOf<S>;
}

/** What a gradient rule sees: also the gradient `g` of the first output, and of every output in `gs`. */
export interface GradientView<A extends Arity, S extends AttributeSchema> extends NodeView<A, S> {
  readonly g: Value;
  readonly gs: readonly (Value | undefined)[];
  /** Which operands need a gradient; a rule may skip the others. */
  readonly needs: readonly boolean[];
  /** Gradients of Σ seeds·outputs with respect to values, for rules of operators that hold graphs. */
  readonly vjp: VectorJacobianProduct;
}

/** Gradients of Σ seeds·outputs with respect to each value of `wrt`; `undefined` for one that the outputs do not depend on. */
export type VectorJacobianProduct = (
  outputs: readonly Value[],
  seeds: readonly Value[],
  wrt: readonly Value[],
) => readonly (Value | undefined)[];

/** What a rule by rows sees: it computes with values in the order of rows where the graph has [N, C, …]. */
export interface RowsView<A extends Arity, S extends AttributeSchema> extends NodeView<A, S> {
  readonly layout: Rows;
  /** Whether a value is already there by rows. */
  has(value: Value): boolean;
  /** A value [N, C, …] by rows. */
  rows(value: Value): Value;
  /** A value as the graph has it. */
  plain(value: Value): Value;
}

/** An operand whose elements the file packs: what it stands for. */
export interface PackedOperand {
  readonly position: number;
  /** Extents before packing. */
  readonly shape: Shape;
  /** Bits of an element. */
  readonly bits: number;
}

/** The axis along which the samples of each tensor lie; `undefined` for a tensor that is the same for all samples. */
export type SampleAxes = readonly (number | undefined)[];

/** What a rule about samples sees of a node that computes with a batch. */
export interface SamplesView<A extends Arity, S extends AttributeSchema> extends NodeView<A, S> {
  /** Where the samples of the operands lie; those of one at least lie somewhere. */
  readonly axes: SampleAxes;
  /** How many samples there are. An axis may have a multiple of that: then the elements of each sample stand together. */
  readonly count: number;
}

/** A node that computes each sample by itself. */
export interface SampledNode {
  /** Where the samples of the outputs lie. An output that is left out is not computed sample by sample. */
  readonly outputs: SampleAxes;
  /** Where the operands must have their samples; one that is the same for all is repeated along that axis. Default: as they are. */
  readonly operands?: SampleAxes;
}

/** Instructions of WebAssembly on four float32 numbers, `f32x4.add` and so on. */
export type SimdInstruction = "abs" | "neg" | "sqrt" | "add" | "sub" | "mul" | "div" | "min" | "max";

/** What a node computes, as reports group layers; an operator that belongs to no group is "other". */
export type OpKind =
  | "constant"
  | "convolution"
  | "pooling"
  | "dense"
  | "embedding"
  | "recurrent"
  | "attention"
  | "normalization"
  | "activation"
  | "arithmetic"
  | "reshape"
  | "other";

/** A node as a model file writes it, which may be in the form of an older operator set. */
export interface StoredNode {
  /** Version of the operator set. */
  readonly version: number;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
  /** How many outputs the file names. */
  readonly outputs: number;
}

/** What one evaluation costs: at least one of the two, since a sum of products is both. */
type OpCost<A extends Arity, S extends AttributeSchema> =
  | {
      /** Floating-point operations, a multiply-add counted as two. */
      flops(view: NodeView<A, S>): number;
      /** Multiply-adds of sums of products; default none. */
      macs?(view: NodeView<A, S>): number;
    }
  | {
      macs(view: NodeView<A, S>): number;
      /** Default: two for each multiply-add. */
      readonly flops?: undefined;
    };

export type OpSpec<A extends Arity, S extends AttributeSchema> = OpRules<A, S> & OpCost<A, S>;

interface OpRules<A extends Arity, S extends AttributeSchema> {
  /** Number of operands. */
  readonly arity: A;
  /** Kind of every attribute that the operator takes. */
  readonly attributes?: S;
  /** "" for ONNX's own operators. */
  readonly domain?: string;
  /** Version of ONNX's operator set that brought it, where models are written in an older one: it must be lowered. */
  readonly since?: number;
  /** Types of the outputs. Throws ShapeError or DTypeError when the operands do not fit. */
  infer(inputs: OperandsOf[A], attributes: AttributesOf<S>): TensorType | readonly TensorType[];
  /**
   * Gradients of the operands, in order, `undefined` for those without one; or the same outputs in operators that have gradients, which
   * are differentiated in its place; or "none".
   */
  readonly grad:
    | "none"
    | ((view: GradientView<A, S>) => readonly (Value | undefined)[])
    | { through(view: NodeView<A, S>): readonly Value[] };
  /** The same computation in operators that ONNX Runtime has; needed by operators of our own domain. */
  lower?(view: NodeView<A, S>): readonly Value[] | undefined;
  /**
   * The same on a graphics card: in operators that ONNX Runtime's WebGPU provider has and computes rightly, `undefined` for an output that it
   * computes as it is; or "processor" for a node that is better left to the processor.
   */
  onWebGpu?(view: NodeView<A, S>): readonly (Value | undefined)[] | "processor" | undefined;
  /** The same computation by rows, which training uses on the CPU (see jit/row-layout.ts); `undefined` when it does not pay. */
  byRows?(view: RowsView<A, S>): RowsResult | undefined;
  /** Outputs that every model must have, default all; the others are left out of it when nothing reads them. */
  readonly requiredOutputs?: number;
  /**
   * Positions of the operands that float16 may stand for where products are computed in it (jit/half-precision.ts); of an operator that
   * multiplies nothing, where they came as float16. Default none.
   */
  halves?(view: NodeView<A, S>): readonly number[];
  /** An equal but cheaper or simpler computation, `undefined` when there is none; tried before differentiating and after. */
  simplify?(view: NodeView<A, S>): readonly Value[] | undefined;
  /** One output element from one element of each operand, for folding constants. */
  readonly fold?: (...elements: number[]) => number;
  /** The outputs for known operands, for folding constants where `fold` does not fit; `undefined` when it cannot. */
  evaluate?(operands: readonly (Tensor | undefined)[], view: NodeView<A, S>): readonly Tensor[] | undefined;
  /** The outputs for a node of a file, where its form differs from the one defined here; `undefined` when it does not. */
  read?(stored: StoredNode, op: OpDef): readonly Value[] | undefined;
  /**
   * How the first output is linear in the operand at a position, for low-rank adaptation of it (Hu et al. 2021); `undefined` when it
   * is not, or when there is no narrow form.
   */
  lowRank?(view: NodeView<A, S>, position: number): LowRankForm | undefined;
  /**
   * Where the samples of the outputs lie, so that the graph of one batch size can be made that of another; `undefined` when the
   * operator mixes samples. Operators that are elementwise under broadcasting have that rule without their own.
   */
  samples?(view: SamplesView<A, S>): SampledNode | undefined;
  /** What each sample adds to an output in which samples are added up, such as the gradient of a weight; `undefined` where they are mixed otherwise. */
  sampleTerms?(view: SamplesView<A, S>): SampleTerms | undefined;
  /**
   * Gradients of operands that are the same for all samples, for each sample, [N, …operand]: of operators whose gradient brings samples into another
   * order, so that its operators' `sampleTerms` do not show what each adds. Samples lie where `samples` has them.
   */
  sampleGradients?(view: GradientView<A, S>): readonly (Value | undefined)[];
  /** The operand that lists the extents of the output. */
  readonly target?: number;
  /** The first of the operands that its graphs read: their inputs, in order. Files have these by name, not as operands. */
  readonly captures?: number;
  /** A file has it, and becomes an expression of other operators when it is read. */
  readonly isComposed?: boolean;
  /** Default: that of the family. */
  readonly kind?: OpKind;
  /** Operands that hold running statistics: no optimizer moves them. */
  readonly statistics?: readonly number[];
  /** Operands that are settings and no weights, where a file has them as constants: bounds, scales, zero points. */
  readonly settings?: readonly number[];
  /** The operand of packed elements, if there is one. */
  packed?(view: NodeView<A, S>): PackedOperand | undefined;
  /** The WebAssembly f32x4 instruction that does the same, for fused loops (see jit/fused.ts). */
  readonly simd?: SimdInstruction;
}

/** An operator: its specification with the name, and the arity as numbers. */
export class OpDef {
  readonly type: string;
  readonly domain: string;
  readonly schema: AttributeSchema;
  readonly minInputs: number;
  readonly maxInputs: number;
  readonly requiredOutputs: number;
  /** First version of the operator set that has it, where that matters. */
  readonly since: number;
  readonly #spec: OpSpec<"1-", AttributeSchema>;

  constructor(type: string, spec: OpSpec<"1-", AttributeSchema>) {
    this.type = type;
    this.domain = spec.domain ?? "";
    this.schema = spec.attributes ?? {};
    const [min = "0", max = min] = (spec.arity as string).split("-");
    this.minInputs = Number(min);
    this.maxInputs = max === "" ? Number.POSITIVE_INFINITY : Number(max);
    this.requiredOutputs = spec.requiredOutputs ?? Number.POSITIVE_INFINITY;
    this.since = spec.since ?? 1;
    this.#spec = spec;
  }

  get differentiable(): boolean {
    return this.#spec.grad !== "none";
  }

  infer(inputs: readonly (Value | undefined)[], attributes: Attributes): readonly TensorType[] {
    const result = this.#spec.infer(inputs as readonly [Value, ...Value[]], attributes);
    return Array.isArray(result) ? result : [result as TensorType];
  }

  /** The outputs in operators that have gradients, where those are what is differentiated. */
  differentiableForm(node: Node): readonly Value[] | undefined {
    const { grad } = this.#spec;
    return typeof grad === "object" ? grad.through(viewOf(node)) : undefined;
  }

  /** Throws GradientError when the operator has no gradient. */
  grad(
    node: Node,
    gs: readonly (Value | undefined)[],
    needs: readonly boolean[],
    vjp: VectorJacobianProduct,
  ): readonly (Value | undefined)[] {
    const rule = this.#spec.grad;
    if (rule === "none")
      throw new GradientError(
        `${node.scope?.path ?? "graph"}: ${this.type} has no gradient; take it out of the way from the parameters to the loss`,
      );
    const g = gs[0] ?? gs.find((other) => other !== undefined);
    if (typeof rule === "object") throw new InternalError(`${this.type}: its gradient is that of its expression`);
    if (!g) throw new InternalError(`${this.type}: gradient asked for without one of an output`);
    return rule({ ...viewOf(node), g, gs, needs, vjp });
  }

  flops(node: Node): number {
    return this.#spec.flops ? this.#spec.flops(viewOf(node)) : 2 * this.macs(node);
  }

  /** Whether outputs are sums of products of operands, which macs counts. */
  get contracts(): boolean {
    return this.#spec.macs !== undefined;
  }

  macs(node: Node): number {
    return this.#spec.macs?.(viewOf(node)) ?? 0;
  }

  /** Positions of the operands of a node that float16 may stand for. */
  halves(node: Node): readonly number[] {
    return this.#spec.halves?.(viewOf(node)) ?? [];
  }

  /** How a node is linear in an operand, where there is a rule. */
  lowRank(node: Node, position: number): LowRankForm | undefined {
    return this.#spec.lowRank?.(viewOf(node), position);
  }

  /** Whether it has a rule about samples of its own. */
  get hasSampleRule(): boolean {
    return this.#spec.samples !== undefined;
  }

  /** Where the samples of a node's outputs lie, `undefined` when it mixes them or there is no rule. */
  samples(node: Node, axes: SampleAxes, count: number): SampledNode | undefined {
    return this.#spec.samples?.({ ...viewOf(node), axes, count });
  }

  /** What each sample adds to the output of a node that adds samples up, where there is a rule. */
  sampleTerms(node: Node, axes: SampleAxes, count: number): SampleTerms | undefined {
    return this.#spec.sampleTerms?.({ ...viewOf(node), axes, count });
  }

  /** Gradients of each sample with respect to operands that are the same for all, where there is a rule of its own. */
  sampleGradients(
    node: Node,
    gs: readonly (Value | undefined)[],
    needs: readonly boolean[],
    vjp: VectorJacobianProduct,
  ): readonly (Value | undefined)[] | undefined {
    const g = gs[0] ?? gs.find((other) => other !== undefined);
    return g && this.#spec.sampleGradients?.({ ...viewOf(node), g, gs, needs, vjp });
  }

  /** Position of the operand that lists the extents of the output, if there is one. */
  get target(): number | undefined {
    return this.#spec.target;
  }

  /** Position of the first operand that is an input of its graphs, of an operator that holds graphs. */
  get captures(): number | undefined {
    return this.#spec.captures;
  }

  /** Whether a node of a file becomes an expression of other operators. */
  get isComposed(): boolean {
    return this.#spec.isComposed ?? false;
  }

  /** Set where it differs from the family's. */
  get kind(): OpKind | undefined {
    return this.#spec.kind;
  }

  /** Positions of operands that hold running statistics. */
  get statistics(): readonly number[] {
    return this.#spec.statistics ?? [];
  }

  /** Positions of float operands that are no weights. */
  get settings(): readonly number[] {
    return this.#spec.settings ?? [];
  }

  /** The operand of packed elements, if there is one. */
  packed(node: Node): PackedOperand | undefined {
    return this.#spec.packed?.(viewOf(node));
  }

  /**
   * Outputs for a node of a file whose form is another than makeNode's. Throws UnsupportedError for attributes that are not
   * as the operator's, and for what its rules leave out.
   */
  read(stored: StoredNode): readonly Value[] | undefined {
    checkKinds(this.type, this.schema, stored.attributes);
    return this.#spec.read?.(stored, this);
  }

  /** Replacement outputs, or `undefined` when the operator runs as it is. */
  lower(node: Node): readonly Value[] | undefined {
    return this.#spec.lower?.(viewOf(node));
  }

  /** Replacement outputs on a graphics card, or who computes the node; `undefined` when it runs there as it is. */
  onWebGpu(node: Node): ReturnType<NonNullable<OpRules<"1-", AttributeSchema>["onWebGpu"]>> {
    return this.#spec.onWebGpu?.(viewOf(node));
  }

  /** The node's outputs computed by rows, or `undefined` when there is no rule or it does not pay. */
  byRows(
    node: Node,
    forms: Pick<RowsView<"1-", AttributeSchema>, "layout" | "has" | "rows" | "plain">,
  ): RowsResult | undefined {
    return this.#spec.byRows?.({ ...viewOf(node), ...forms });
  }

  /** Replacement outputs, or `undefined` when the node is as simple as can be. */
  simplify(node: Node): readonly Value[] | undefined {
    return this.#spec.simplify?.(viewOf(node));
  }

  /** The f32x4 instruction that computes four elements, if there is one. */
  get simd(): SimdInstruction | undefined {
    return this.#spec.simd;
  }

  /** The element function of an elementwise operator, if constants may be folded through it. */
  get fold(): ((...elements: number[]) => number) | undefined {
    return this.#spec.fold;
  }

  /** Whether constants may be folded through it. */
  get foldable(): boolean {
    return this.#spec.fold !== undefined || this.#spec.evaluate !== undefined;
  }

  /** The outputs for known operands, where there is a rule. */
  evaluate(node: Node, operands: readonly (Tensor | undefined)[]): readonly Tensor[] | undefined {
    return this.#spec.evaluate?.(operands, viewOf(node));
  }
}

const viewOf = (node: Node) => ({
  inputs: node.inputs as readonly [Value, ...Value[]],
  outputs: node.outputs,
  attributes: node.attributes as AttributesOf<AttributeSchema>,
});

/**
 * Defines an operator once: signature, inference, gradient, cost and lowering side by side.
 * @example
 * export const Neg = defineOp("Neg", {
 *   arity: "1",
 *   infer: ([x]) => x,
 *   grad: ({ g }) => [neg(g)],
 *   flops: ({ outputs: [y] }) => size(y.shape),
 * });
 */
export function defineOp<A extends Arity, const S extends AttributeSchema = Readonly<Record<never, never>>>(
  type: string,
  spec: OpSpec<A, S>,
): OpDef {
  // The one place where a rule's precise operand tuple is forgotten; `makeNode` checks the count that it promises.
  return new OpDef(type, spec as unknown as OpSpec<"1-", AttributeSchema>);
}

const inferred = new WeakSet<Node>();

/** Whether a node's types are those that its operator inferred: nodes do not change. */
export const isInferred = (node: Node): boolean => inferred.has(node);

/** A node of `op`, with its operands counted and its outputs inferred. */
export function makeNode(
  op: OpDef,
  inputs: readonly (Value | undefined)[],
  attributes: Attributes = {},
  scope?: Scope,
): Node {
  for (const value of inputs)
    if (value !== undefined && !(value instanceof Value))
      throw new DTypeError(
        `${op.type}: an operand is no value of the graph but ${describeOperand(value)}; pass it to the compiled function as an argument, or wrap it: ops.constant(tensor(…))`,
      );
  const present = inputs.filter((value) => value !== undefined).length;
  if (inputs.length > op.maxInputs || present < op.minInputs)
    throw new ShapeError(
      `${op.type} takes ${op.minInputs}${op.maxInputs === op.minInputs ? "" : ` to ${op.maxInputs}`} operands, got ${present}`,
    );
  const missing = inputs.slice(0, op.minInputs).indexOf(undefined);
  if (missing >= 0)
    throw new ShapeError(`${op.type}: operand ${missing} is left out; only those from ${op.minInputs} on may be`);
  for (const name of Object.keys(attributes))
    if (!Object.hasOwn(op.schema, name)) throw new InternalError(`${op.type} has no attribute "${name}"`);
  const types = op.infer(inputs, attributes);
  const deep = types.find(({ shape }) => shape.length > limits.rank);
  if (deep)
    throw new ShapeError(
      `${op.type}: its result would have ${deep.shape.length} axes; ${limits.rank} is the limit rank`,
    );
  const wrong = types.find(({ shape }) => !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0));
  if (wrong)
    throw new ShapeError(
      `${op.type}: its result would be ${showShape(wrong.shape)}; pass operands and attributes that give whole extents`,
    );
  const node = new Node(op, inputs, attributes, types, scope);
  inferred.add(node);
  return node;
}

const describeOperand = (operand: unknown): string =>
  typeof operand === "object" && operand !== null ? `a ${operand.constructor?.name ?? "object"}` : `${operand}`;

/** Applies an operator and returns its first output. */
export const apply = (op: OpDef, inputs: readonly (Value | undefined)[], attributes?: Attributes): Value =>
  makeNode(op, inputs, attributes).outputs[0];

/** Throws DTypeError unless x is a float; returns it. */
export function requireFloat(op: string, x: Value): Value {
  if (!isFloat(x.dtype)) throw new DTypeError(`${op} takes floats, got ${x.dtype}; cast(x, "float32") first`);
  return x;
}

/** Throws DTypeError for a bool. */
export function requireNumbers(op: string, x: Value): Value {
  if (x.dtype === "bool") throw new DTypeError(`${op} takes numbers, got bool; cast(x, "float32") first`);
  return x;
}

/** Throws DTypeError unless all values have one dtype. */
export function requireSameDType(op: string, ...values: readonly (Value | undefined)[]): void {
  const present = values.filter((value) => value !== undefined);
  const first = present[0];
  if (present.some((value) => value.dtype !== first?.dtype))
    throw new DTypeError(
      `${op}: operands have dtypes ${present.map((value) => value.dtype).join(" and ")}; cast them to one, e.g. cast(x, "float32")`,
    );
}
