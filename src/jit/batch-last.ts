/**
 * The layout in which convolutional networks train fast on the CPU: values [N, C, …spatial] are computed as
 * [C, …spatial, N]. Each channel and position is then a contiguous row over the batch, windows are gathers of rows, and
 * every convolution and gradient is one large matrix product. docs/performance.md has the measurements.
 */
import { size } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { constantOf, type Node, nodesOf, type Value } from "../graph/ir.ts";
import { type BatchLastResult, makeNode } from "../graph/op.ts";
import type { Pass } from "../graph/passes.ts";
import { assignScope } from "../graph/rewrite.ts";
import { constant, reshape, transpose } from "../ops/index.ts";
import { elementwiseOps } from "../ops/registry.ts";
import { ConvWeightGradient } from "../ops/windows/convolution.ts";

/** Rewrites a training graph; a graph without gradients of convolutions stays as it is. */
export const batchLast: Pass = (outputs) =>
  nodesOf(outputs).some((node) => node.op === ConvWeightGradient) ? new Layout(outputs).outputs : outputs;

/** [N, …] as [rest, N] and back, by one transpose of a matrix. */
const matrixOf = (value: Value, rows: number): Value => reshape(value, [rows, size(value.shape) / rows]);

class Layout {
  readonly outputs: readonly Value[];
  readonly #plain = new Map<Value, Value>();
  readonly #last = new Map<Value, Value>();
  readonly #shared = new Map<string, Value>();

  constructor(outputs: readonly Value[]) {
    for (const node of nodesOf(outputs)) this.#place(node);
    this.outputs = outputs.map((output) => this.#asPlain(output));
  }

  #place(node: Node): void {
    const forms = {
      has: (value: Value) => this.#last.has(value),
      last: (value: Value) => this.#asLast(value),
      plain: (value: Value) => this.#asPlain(value),
      shared: (key: string, make: () => Tensor) => {
        const known = this.#shared.get(key) ?? constant(make());
        this.#shared.set(key, known);
        return known;
      },
    };
    const result = elementwiseOps.has(node.op) ? this.#elementwise(node) : node.op.batchLast(node, forms);
    // Now, while its operands are there: asked for at the end, a deep graph would be built by as deep a recursion.
    if (!result) this.#recomputed(node.outputs[0]);
    for (const [i, output] of node.outputs.entries()) {
      const last = result?.last?.[i];
      const plain = result?.plain?.[i];
      if (last) this.#last.set(output, last);
      if (plain) this.#plain.set(output, plain);
      assignScope([last, plain], node.scope);
    }
  }

  /** Elementwise operators follow their operands: batch-last where a full one is. */
  #elementwise(node: Node): BatchLastResult | undefined {
    const [y] = node.outputs;
    const isFull = (value: Value | undefined) =>
      value !== undefined && size(value.shape) === size(y.shape) && value.rank === y.rank;
    if (y.rank < 2 || !node.inputs.some((value) => value && isFull(value) && this.#last.has(value))) return undefined;
    const inputs = node.inputs.map(
      (value) => value && (isFull(value) ? this.#asLast(value) : this.#smallLast(value, y.rank)),
    );
    return { last: makeNode(node.op, inputs, node.attributes, node.scope).outputs };
  }

  /** An operand that broadcasts to `rank` axes, with its axes in the batch-last order. */
  #smallLast(value: Value, rank: number): Value {
    if (this.#last.has(value) && value.rank === rank) return this.#asLast(value);
    const shape = [...new Array<number>(rank - value.rank).fill(1), ...value.shape];
    if (size(shape) === 1 && constantOf(value)) return this.#asPlain(value);
    const order = shape.map((_, axis) => (axis + 1) % rank);
    return transpose(reshape(this.#asPlain(value), shape), order);
  }

  #asLast(value: Value): Value {
    const known = this.#last.get(value);
    if (known) return known;
    const [batch = 1, ...rest] = value.shape;
    const made = reshape(transpose(matrixOf(this.#asPlain(value), batch), [1, 0]), [...rest, batch]);
    assignScope([made], value.producer?.scope);
    this.#last.set(value, made);
    return made;
  }

  #asPlain(value: Value): Value {
    const known = this.#plain.get(value);
    if (known) return known;
    const last = this.#last.get(value);
    const made = last ? this.#turnedBack(last, value) : this.#recomputed(value);
    this.#plain.set(value, made);
    return made;
  }

  #turnedBack(last: Value, value: Value): Value {
    const [batch = 1] = value.shape;
    const made = reshape(transpose(matrixOf(last, size(value.shape) / batch), [1, 0]), value.shape);
    assignScope([made], value.producer?.scope);
    return made;
  }

  /** The value by its own operator, on plain operands. */
  #recomputed(value: Value): Value {
    const node = value.producer;
    if (!node) return value;
    const inputs = node.inputs.map((operand) => operand && this.#asPlain(operand));
    const same = inputs.every((operand, i) => operand === node.inputs[i]);
    const { outputs } = same ? node : makeNode(node.op, inputs, node.attributes, node.scope);
    for (const [i, output] of node.outputs.entries())
      if (!this.#plain.has(output)) this.#plain.set(output, outputs[i] as Value);
    return this.#plain.get(value) as Value;
  }
}
