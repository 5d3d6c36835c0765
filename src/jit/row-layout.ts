/**
 * The layouts in which convolutional networks train fast on the CPU: values [N, C, …spatial] are computed as [C, …spatial, N] or as
 * [N, …spatial, C]. Each position then is a contiguous row over the samples, or over the channels; windows are gathers of rows, and every
 * convolution and gradient is a few large matrix products. docs/performance.md has the measurements.
 */
import { size } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { constantOf, type Node, nodesOf, type Value } from "../graph/ir.ts";
import { makeNode } from "../graph/op.ts";
import type { Pass } from "../graph/passes.ts";
import { assignScope } from "../graph/rewrite.ts";
import { type Innermost, type Rows, type RowsResult, rowOrder, rowShape } from "../graph/rows.ts";
import { constant, reshape, transpose } from "../ops/index.ts";
import { elementwiseOps } from "../ops/registry.ts";
import { ConvWeightGradient, wantsBlocks } from "../ops/windows/convolution.ts";

/** Samples from which rows over them are longer than over channels, in most networks. */
const manySamples = 16;

/**
 * Rewrites a training graph; a graph without gradients of convolutions stays as it is.
 * @param blocks whether the engine has operators on channels in blocks
 */
export const rowLayout =
  (blocks: boolean): Pass =>
  (outputs) => {
    const filters = nodesOf(outputs).filter((node) => node.op === ConvWeightGradient);
    if (filters.length === 0) return outputs;
    const [batch = 1] = filters[0]?.inputs[0]?.shape ?? [];
    const overChannels = batch < manySamples || (blocks && filters.some(wantsBlocks));
    return byRows(outputs, overChannels ? "channels" : "batch", blocks);
  };

/** A graph by rows of one kind. */
export const byRows = (outputs: readonly Value[], innermost: Innermost, blocks = false): readonly Value[] =>
  new Layout(outputs, innermost, blocks).outputs;

class Layout {
  readonly outputs: readonly Value[];
  readonly #plain = new Map<Value, Value>();
  readonly #rows = new Map<Value, Value>();
  readonly #layout: Rows;

  constructor(outputs: readonly Value[], innermost: Innermost, blocks: boolean) {
    const constants = new Map<string, Value>();
    const shared = (key: string, make: () => Tensor) => {
      const known = constants.get(key) ?? constant(make());
      constants.set(key, known);
      return known;
    };
    this.#layout = { innermost, blocks, shared };
    for (const node of nodesOf(outputs)) this.#place(node);
    this.outputs = outputs.map((output) => this.#asPlain(output));
  }

  #place(node: Node): void {
    const forms = {
      layout: this.#layout,
      has: (value: Value) => this.#rows.has(value),
      rows: (value: Value) => this.#asRows(value),
      plain: (value: Value) => this.#asPlain(value),
    };
    const result = elementwiseOps.has(node.op) ? this.#elementwise(node) : node.op.byRows(node, forms);
    // Now, while its operands are there: asked for at the end, a deep graph would be built by as deep a recursion.
    if (!result) this.#recomputed(node.outputs[0]);
    for (const [i, output] of node.outputs.entries()) {
      const rows = result?.rows?.[i];
      const plain = result?.plain?.[i];
      if (rows) this.#rows.set(output, rows);
      if (plain) this.#plain.set(output, plain);
      assignScope([rows, plain], node.scope);
    }
  }

  /** Elementwise operators follow their operands: by rows where a full one is. */
  #elementwise(node: Node): RowsResult | undefined {
    const [y] = node.outputs;
    const isFull = (value: Value | undefined) =>
      value !== undefined && size(value.shape) === size(y.shape) && value.rank === y.rank;
    if (y.rank < 2 || !node.inputs.some((value) => value && isFull(value) && this.#rows.has(value))) return undefined;
    const inputs = node.inputs.map(
      (value) => value && (isFull(value) ? this.#asRows(value) : this.#smallRows(value, y.rank)),
    );
    return { rows: makeNode(node.op, inputs, node.attributes, node.scope).outputs };
  }

  /** An operand that broadcasts to `rank` axes, with its axes in the order of rows. */
  #smallRows(value: Value, rank: number): Value {
    if (this.#rows.has(value) && value.rank === rank) return this.#asRows(value);
    const shape = [...new Array<number>(rank - value.rank).fill(1), ...value.shape];
    if (size(shape) === 1 && constantOf(value)) return this.#asPlain(value);
    return transpose(reshape(this.#asPlain(value), shape), rowOrder(this.#layout.innermost, rank));
  }

  #asRows(value: Value): Value {
    const known = this.#rows.get(value);
    if (known) return known;
    const [batch = 1, channels = 1] = value.shape;
    const plain = this.#asPlain(value);
    const turned =
      this.#layout.innermost === "batch"
        ? transpose(reshape(plain, [batch, -1]), [1, 0])
        : transpose(reshape(plain, [batch, channels, -1]), [0, 2, 1]);
    const made = reshape(turned, rowShape(value.shape, this.#layout));
    assignScope([made], value.producer?.scope);
    this.#rows.set(value, made);
    return made;
  }

  #asPlain(value: Value): Value {
    const known = this.#plain.get(value);
    if (known) return known;
    const rows = this.#rows.get(value);
    const made = rows ? this.#turnedBack(rows, value) : this.#recomputed(value);
    this.#plain.set(value, made);
    return made;
  }

  #turnedBack(rows: Value, value: Value): Value {
    const [batch = 1, channels = 1] = value.shape;
    const turned =
      this.#layout.innermost === "batch"
        ? transpose(reshape(rows, [-1, batch]), [1, 0])
        : transpose(reshape(rows, [batch, -1, channels]), [0, 2, 1]);
    const made = reshape(turned, value.shape);
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
