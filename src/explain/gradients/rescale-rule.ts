/** DeepLIFT's multipliers: what goes back through a node, by the differences of its operands and outputs between two runs. */
import { type BackwardRule, operandGradients, propagateBack } from "../../autodiff/gradients.ts";
import { isFloat } from "../../core/dtype.ts";
import { InternalError } from "../../core/errors.ts";
import { type Node, nodesOf, type Value } from "../../graph/ir.ts";
import { makeNode, type OpDef } from "../../graph/op.ts";
import * as ops from "../../ops/index.ts";
import { elementwiseOps } from "../../ops/registry.ts";
import { dependentsOf } from "../layers.ts";
import { activeOperands, type BackwardStep, gradientsIfLinear, placeOf } from "../propagation.ts";
import { elementaryForms } from "./elementary-forms.ts";

/** Differences below it are none: there the gradient stands for the ratio, as the paper has it (section 3.5.2). */
const leastDifference = 1e-7;

/** Gauss and Legendre's quadrature of 3 points, in each of so many equal parts of the way. */
const parts = 8;
const quadrature = Array.from({ length: parts }, (_, part) =>
  (
    [
      [-Math.sqrt(0.6), 5 / 18],
      [0, 8 / 18],
      [Math.sqrt(0.6), 5 / 18],
    ] as const
  ).map(([at, weight]) => [(part + (1 + at) / 2) / parts, weight / parts] as const),
).flat();

/** Of two factors their gradients are linear: the middle of the way is the mean. */
const products: ReadonlySet<OpDef> = new Set([ops.Mul, ops.MatMul, ops.FusedMatMul, ops.Gemm, ops.Einsum]);
const maxima: ReadonlySet<OpDef> = new Set([ops.MaxPool, ops.GlobalMaxPool, ops.ReduceMax]);

/** What a multiplier is where a difference is none: the other value. */
const ratioOr = (difference: Value, ratio: Value, other: Value): Value =>
  ops.where(ops.greater(ops.abs(difference), leastDifference), ratio, other);

/** A divisor that is 1 where there is no difference. */
const divisor = (difference: Value): Value => ratioOr(difference, difference, ops.full(difference.shape, 1));

/** The run of a sample and that of a baseline, which have the same nodes. */
export interface Runs {
  /** What differs between them, of the sample's. */
  readonly sources: readonly Value[];
  readonly output: Value;
  /** The output of the baseline's. */
  readonly usual: Value;
  /** Where both begin; default the graph's inputs. */
  readonly boundary?: ReadonlySet<Value>;
  /** What stands in the baseline's run for values at the boundary. */
  readonly twins?: readonly (readonly [value: Value, twin: Value])[];
}

/** Multipliers of the rescale rule (Shrikumar et al. 2017, section 3.5.2). */
export class RescaleRule {
  readonly #dependents: ReadonlySet<Value>;
  /** What stands in the baseline's run for a value of the sample's. */
  readonly #usual = new Map<Value, Value>();
  readonly #averaged = new Map<string, Node>();

  constructor({ sources, output, usual, boundary, twins }: Runs) {
    this.#dependents = dependentsOf(sources, output, boundary);
    for (const [value, twin] of twins ?? []) this.#usual.set(value, twin);
    const [nodes, others] = [nodesOf([output], boundary), nodesOf([usual], boundary)];
    for (const [i, node] of nodes.entries()) {
      const other = others[i];
      if (other?.op !== node.op || others.length !== nodes.length)
        throw new InternalError("deepLift: the runs of the sample and of the baseline differ");
      for (const [j, value] of [...node.inputs, ...node.outputs].entries()) {
        const twin = [...other.inputs, ...other.outputs][j];
        if (value && twin) this.#usual.set(value, twin);
      }
    }
  }

  get notes(): readonly string[] {
    return [...this.#averaged].map(
      ([type, node]) =>
        `DeepLIFT has no rule for ${type} (${placeOf(node)}); its gradient is averaged on the straight way from the baseline`,
    );
  }

  readonly of: BackwardRule = (node, gs, needs) => {
    const step: BackwardStep = { node, gs, needs };
    const linear = gradientsIfLinear(step, this.#dependents);
    if (linear) return linear;
    const active = activeOperands(step);
    const [only] = active;
    if (only === undefined) return undefined;
    const isAlone =
      active.length === 1 && node.inputs.every((value, i) => i === only || !value || !this.#dependents.has(value));
    if (isAlone && elementwiseOps.has(node.op)) return this.#rescaled(step, only);
    if (isAlone && maxima.has(node.op)) return this.#maximum(step, only);
    const form = gs.slice(1).every((g) => !g) ? elementaryForms.get(node.op) : undefined;
    return form ? this.#throughForm(step, active, form) : this.#average(step, active);
  };

  /** By the rules of simpler operators that compute the same. */
  #throughForm(
    { node, gs }: BackwardStep,
    active: readonly number[],
    form: (node: Node) => Value,
  ): readonly (Value | undefined)[] {
    const sources = [...new Set(active.map((at) => node.inputs[at] as Value))];
    const twins = node.inputs.flatMap((value) => (value ? [[value, this.#twin(value)] as const] : []));
    const boundary = new Set(twins.flat());
    const [output, usual] = [form(node), form(this.#twinOf(node))];
    const inner = new RescaleRule({ sources, output, usual, boundary, twins });
    const found = propagateBack([output], [gs[0] as Value], sources, { rule: inner.of, boundary });
    // What is several operands has its own once.
    return node.inputs.map((value, i) =>
      value && node.inputs.indexOf(value) === i ? found[sources.indexOf(value)] : undefined,
    );
  }

  #twin = (value: Value): Value => this.#usual.get(value) ?? value;
  #difference = (value: Value): Value => ops.sub(value, this.#twin(value));
  #twinOf = ({ op, inputs, attributes }: Node): Node =>
    makeNode(
      op,
      inputs.map((value) => value && this.#twin(value)),
      attributes,
    );

  /** Of an element by itself the ratio of the differences. */
  #rescaled({ node, gs, needs }: BackwardStep, at: number): readonly (Value | undefined)[] {
    const [x, y, g] = [node.inputs[at] as Value, node.outputs[0], gs[0] as Value];
    const gradient = node.op.differentiable ? operandGradients(node, gs, needs)[at] : undefined;
    const wide = ops.expand(this.#difference(x), y.shape);
    const ratio = ops.mul(g, ops.div(this.#difference(y), divisor(wide)));
    const plain = gradient ?? ops.full(x.shape, 0);
    // Of an operand that is repeated, each repetition has its own ratio.
    const own = ops.sumTo(ratio, x.shape);
    return node.inputs.map((_, i) => (i === at ? ratioOr(this.#difference(x), own, plain) : undefined));
  }

  /**
   * Of a maximum: what the larger of both maxima adds to the baseline's goes where the sample has its own, the rest where the baseline has its.
   */
  #maximum({ node, gs, needs }: BackwardStep, at: number): readonly (Value | undefined)[] {
    const [x, y, g] = [node.inputs[at] as Value, node.outputs[0], gs[0] as Value];
    const usual = this.#twin(y);
    const larger = ops.maximum(y, usual);
    const backOf = (own: Node, share: Value) =>
      operandGradients(own, [ops.mul(g, share), ...gs.slice(1)], needs)[at] as Value;
    const shares = ops.add(backOf(node, ops.sub(larger, usual)), backOf(this.#twinOf(node), ops.sub(y, larger)));
    const difference = this.#difference(x);
    const plain = operandGradients(node, gs, needs)[at] as Value;
    const own = ratioOr(difference, ops.div(shares, divisor(difference)), plain);
    return node.inputs.map((_, i) => (i === at ? own : undefined));
  }

  /**
   * Of anything else the mean of its gradients on the straight way from the baseline's operands to the sample's (Aumann and Shapley 1974), which sums
   * to the difference of the outputs. Of a product of two it is the middle.
   */
  #average({ node, gs, needs }: BackwardStep, active: readonly number[]): readonly (Value | undefined)[] {
    const isProduct = products.has(node.op) && active.length <= 2;
    const { op, attributes } = node;
    if (!isProduct) this.#averaged.set(op.type, node);
    const points = isProduct ? ([[0.5, 1]] as const) : quadrature;
    const sums: (Value | undefined)[] = node.inputs.map(() => undefined);
    for (const [share, weight] of points) {
      const between = (value: Value) => ops.add(this.#twin(value), ops.mul(this.#difference(value), share));
      const inputs = node.inputs.map((value, i) => (value && active.includes(i) ? between(value) : value));
      for (const [i, gradient] of operandGradients(makeNode(op, inputs, attributes), gs, needs).entries()) {
        if (!gradient || !isFloat(gradient.dtype)) continue;
        const weighed = ops.mul(gradient, weight);
        const before = sums[i];
        sums[i] = before ? ops.add(before, weighed) : weighed;
      }
    }
    return sums;
  }
}
