/** What a backward pass reads of the forward one, computed again rather than kept in between. */
import { isFloat } from "../core/dtype.ts";
import { append, greatest } from "../core/lists.ts";
import { size } from "../core/shape.ts";
import { bytesOf, constantOf, type Node, nodesOf, type Value } from "../graph/ir.ts";
import { makeNode } from "../graph/op.ts";
import { assignScope } from "../graph/rewrite.ts";
import { after } from "../ops/index.ts";
import { elementwiseOps, isView, storageOf } from "../ops/registry.ts";

/** Steps that keep fewer bytes than this compute nothing twice unless it is asked for. */
const keptLimit = 2 ** 30;
/** Values of fewer bytes are kept. */
const smallest = 2 ** 20;
/** Multiply-adds of a step for each byte that is computed again: with fewer, as in small convolutions, that would take a tenth of the time. */
const leastWork = 200;

/** A training step in its two directions. */
export interface Step {
  /** Nodes of the way forward, operands first. */
  readonly before: ReadonlySet<Node>;
  /** Nodes of the way back alone, operands first. */
  readonly back: readonly Node[];
  /** What the step gives beside gradients: first of all the loss. */
  readonly forward: readonly Value[];
  readonly gradients: readonly Value[];
  /** Values of the way forward that the way back reads, each by what holds its bytes. */
  readonly kept: ReadonlySet<Value>;
}

/** Values that are computed again together, from what is kept. */
export interface Group {
  /** The gradient after which that is done: of those beside which the values are read, the first. */
  tie: Value | undefined;
  /** What stands for a value on the way back. */
  readonly again: Map<Value, Value>;
}

/** Which values are computed again, each by what holds its bytes. */
export type Groups = ReadonlyMap<Value, Group>;

const isOf = (nodes: ReadonlySet<Node>, { producer }: Value): boolean => producer !== undefined && nodes.has(producer);

/** The step of what is computed forward and of the gradients. */
export function stepOf(forward: readonly Value[], gradients: readonly Value[]): Step {
  const before = new Set(nodesOf(forward));
  const back = nodesOf(gradients).filter((node) => !before.has(node));
  const read = back.flatMap(({ inputs }) => inputs.filter((value) => value !== undefined));
  const kept = new Set(read.filter((value) => isOf(before, value)).map(storageOf));
  return { before, back, forward, gradients, kept };
}

/**
 * The gradients of a step, in which results of elementwise operators are computed again from operands that the way back reads anyway
 * (checkpointing of single operators, Chen et al. 2016, sec. 3), where more than a gigabyte is kept and the time is
 * small beside that of the products. The gradients are the same numbers.
 */
export function recomputed(step: Step, limit = keptLimit): readonly Value[] {
  const { gradients } = step;
  if ([...step.kept].reduce((sum, value) => sum + bytesOf(value), 0) < limit) return gradients;
  const groups = elementwiseGroups(step);
  const work = [...step.before, ...step.back].reduce((sum, node) => sum + node.op.macs(node), 0);
  const bytes = [...groups.keys()].reduce((sum, value) => sum + bytesOf(value), 0);
  return work < leastWork * bytes ? gradients : computedAgain(step, groups);
}

/** Which results can be computed again: elementwise, of operands that are kept, are small, or are computed again themselves. */
function elementwiseGroups({ before, kept }: Step): Groups {
  const groups = new Map<Value, Group>();
  for (const { op, inputs, outputs } of before) {
    const [y] = outputs;
    if (!elementwiseOps.has(op) || isView(op) || outputs.length > 1 || !kept.has(y) || bytesOf(y) < smallest) continue;
    const operands = inputs.flatMap((value) => (value && !constantOf(value) ? [value] : []));
    const isAtHand = (value: Value) => {
      const source = storageOf(value);
      return !source.producer || kept.has(source) || bytesOf(source) * 8 <= bytesOf(y);
    };
    // A small operand would be kept for it.
    if (!operands.every((value) => value.dtype === y.dtype && isAtHand(value)) || !operands.some(isTied)) continue;
    join(groups, [y], operands);
  }
  return groups;
}

/** Puts results into the group of their operands; where those are of several, these become one. */
export function join(groups: Map<Value, Group>, results: readonly Value[], operands: readonly Value[]): void {
  const joined = operands.flatMap((value) => groups.get(storageOf(value)) ?? []);
  const [group = { tie: undefined, again: new Map() }, ...others] = new Set(joined);
  for (const [value, own] of groups) if (others.includes(own)) groups.set(value, group);
  for (const result of results) groups.set(result, group);
}

/** The gradients of a step in which the values of the groups are computed again, each group after the first gradient that meets it. */
export function computedAgain(step: Step, groups: Groups): readonly Value[] {
  findTies(step, groups);
  const rebuilding = new Rebuilding(step, groups);
  for (const node of behindTies(step, groups)) rebuilding.move(node);
  return step.gradients.map((value) => rebuilding.of(value));
}

/** Finds for each group the first gradient that meets one of its values, or what follows from them alone. */
function findTies({ before, back }: Step, groups: Groups): void {
  /** Of values on the way back that no gradient entered yet: the groups that they follow from. */
  const pure = new Map<Value, ReadonlySet<Group>>();
  for (const { inputs, outputs } of back) {
    const operands = inputs.filter((value) => value !== undefined);
    const met = new Set(
      operands.flatMap((value) => [
        ...(isOf(before, value) ? [groups.get(storageOf(value))] : (pure.get(value) ?? [])),
      ]),
    );
    met.delete(undefined);
    const isGradient = (value: Value) =>
      value.producer !== undefined && !isOf(before, value) && !pure.has(value) && constantOf(value) === undefined;
    const gradient = operands.find((value) => isGradient(value) && isFloat(value.dtype));
    for (const group of met as ReadonlySet<Group>) if (gradient) group.tie ??= gradient;
    if (!operands.some(isGradient) && met.size > 0)
      for (const output of outputs) pure.set(output, met as ReadonlySet<Group>);
  }
}

/** The nodes of the way back, each behind the gradients that its operands are computed again after. */
function behindTies({ before, back }: Step, groups: Groups): readonly Node[] {
  const own = new Set(back);
  const ordered = new Set<Node>();
  const open = new Set<Node>();
  const stack = [...back].reverse();
  for (let node = stack.at(-1); node; node = stack.at(-1)) {
    open.add(node);
    const makers = node.inputs.map((value) =>
      value && isOf(before, value) ? groups.get(storageOf(value))?.tie?.producer : value?.producer,
    );
    const waiting = makers.filter(
      (maker) => maker && own.has(maker) && !ordered.has(maker) && !open.has(maker),
    ) as Node[];
    append(stack, waiting);
    if (waiting.length > 0) continue;
    ordered.add(node);
    stack.pop();
  }
  return [...ordered];
}

/** The way back with other operands in place of values that are computed again. */
class Rebuilding {
  readonly #step: Step;
  readonly #groups: Groups;
  /** What stands for results of the way back. */
  readonly #moved = new Map<Value, Value>();
  constructor(step: Step, groups: Groups) {
    this.#step = step;
    this.#groups = groups;
  }

  /** What stands for a value. */
  of(value: Value): Value {
    return this.#moved.get(value) ?? value;
  }

  move({ op, inputs, outputs, attributes, scope }: Node): void {
    const operands = inputs.map(
      (value) => value && (isOf(this.#step.before, value) ? this.#again(value) : this.of(value)),
    );
    if (operands.every((value, i) => value === inputs[i])) return;
    const node = makeNode(op, operands, attributes, scope);
    for (const [i, output] of outputs.entries()) this.#moved.set(output, node.outputs[i] as Value);
  }

  /** A value of the way forward, computed again if it has a group. */
  #again(value: Value): Value {
    const group = this.#groups.get(storageOf(value));
    if (!group?.tie || !value.producer) return value;
    const known = group.again.get(value);
    if (known) return known;
    const { op, inputs, outputs, attributes, scope } = value.producer;
    const operands = inputs.map((operand) => operand && this.#again(operand));
    // Where all operands are kept, one of them is tied to the gradient.
    const isNew = operands.some((operand, i) => operand !== inputs[i]);
    const place = isNew ? -1 : tiedPlace(inputs);
    const tied = operands.map((operand, i) => (operand && i === place ? this.#after(operand, group) : operand));
    const made = makeNode(op, tied, attributes, scope);
    for (const [i, output] of outputs.entries()) group.again.set(output, made.outputs[i] as Value);
    return group.again.get(value) as Value;
  }

  /** A kept value after the gradient of a group, once for all that read it there. */
  #after(value: Value, { tie, again }: Group): Value {
    const tied = again.get(value) ?? after(value, this.of(tie as Value));
    again.set(value, tied);
    assignScope([tied], value.producer?.scope);
    return tied;
  }
}

/** The place of the operand that is tied to a gradient: the largest that something computes, else the largest. */
function tiedPlace(operands: readonly (Value | undefined)[]): number {
  const sizes = operands.map((value) => (value && isTied(value) ? size(value.shape) : 0));
  const computed = sizes.map((elements, i) => (operands[i]?.producer ? elements : 0));
  const among = computed.some((elements) => elements > 0) ? computed : sizes;
  return among.indexOf(greatest(among));
}

/** Whether a value can be tied to a gradient: a number that something decides. */
export const isTied = (value: Value): boolean => !constantOf(value) && value.dtype !== "bool";
