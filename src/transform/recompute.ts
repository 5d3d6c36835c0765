/** What a backward pass reads of the forward one, computed again where that is cheap, rather than kept in between. */
import { isFloat } from "../core/dtype.ts";
import { append, greatest } from "../core/lists.ts";
import { size } from "../core/shape.ts";
import { bytesOf, constantOf, type Node, nodesOf, type Value } from "../graph/ir.ts";
import { makeNode } from "../graph/op.ts";
import { assignScope } from "../graph/rewrite.ts";
import { after, cast } from "../ops/index.ts";
import { elementwiseOps, isView, storageOf } from "../ops/registry.ts";

/** Steps that keep fewer bytes than this compute nothing twice. */
const keptLimit = 2 ** 30;
/** Values of fewer bytes are kept. */
const smallest = 2 ** 20;
/** Multiply-adds of a step for each byte that is computed again: with fewer, as in small convolutions, that would take a tenth of the time. */
const leastWork = 200;

/** Values that are computed again together, from what is kept. */
interface Group {
  /** The gradient after which that is done: of those beside which the values are read, the first. */
  tie: Value | undefined;
  /** What stands for a value on the way back. */
  readonly again: Map<Value, Value>;
}

/**
 * The gradients of a step, in which results of elementwise operators are computed again from operands that the way back reads anyway
 * (checkpointing of single operators, Chen et al. 2016, sec. 3), where more than a gigabyte is kept and the time is
 * small beside that of the products. The gradients are the same numbers.
 * @param forward what is computed before, first of all the loss
 */
export function recomputed(
  forward: readonly Value[],
  gradients: readonly Value[],
  limit = keptLimit,
): readonly Value[] {
  const before = new Set(nodesOf(forward));
  const back = nodesOf(gradients).filter((node) => !before.has(node));
  const isBefore = (value: Value) => value.producer !== undefined && before.has(value.producer);
  const kept = new Set(
    back.flatMap(({ inputs }) => inputs.flatMap((value) => (value && isBefore(value) ? [storageOf(value)] : []))),
  );
  if ([...kept].reduce((sum, value) => sum + bytesOf(value), 0) < limit) return gradients;
  const groups = groupsOf([...before], kept);
  const work = [...before, ...back].reduce((sum, node) => sum + node.op.macs(node), 0);
  const bytes = [...groups.keys()].reduce((sum, value) => sum + bytesOf(value), 0);
  if (work < leastWork * bytes) return gradients;
  findTies(back, groups, isBefore);
  const rebuilding = new Rebuilding(groups);
  for (const node of behindTies(back, groups, isBefore)) rebuilding.move(node, isBefore);
  return gradients.map((value) => rebuilding.of(value));
}

/** Which results can be computed again: elementwise, of operands that are kept, are small, or are computed again themselves. */
function groupsOf(before: readonly Node[], kept: ReadonlySet<Value>): ReadonlyMap<Value, Group> {
  const groups = new Map<Value, Group>();
  for (const { op, inputs, outputs } of before) {
    const [y] = outputs;
    if (!elementwiseOps.has(op) || isView(op) || outputs.length > 1 || !kept.has(y) || bytesOf(y) < smallest) continue;
    const operands = inputs.flatMap((value) => (value && !constantOf(value) ? [value] : []));
    const isAtHand = (value: Value) => {
      const source = storageOf(value);
      return !source.producer || kept.has(source) || bytesOf(source) * 8 <= bytesOf(y);
    };
    // A small operand would be kept for it, and one of another type cannot be tied.
    if (!operands.every((value) => value.dtype === y.dtype && isAtHand(value))) continue;
    const joined = operands.flatMap((value) => groups.get(storageOf(value)) ?? []);
    const [group = { tie: undefined, again: new Map() }, ...others] = new Set(joined);
    for (const [value, own] of groups) if (others.includes(own)) groups.set(value, group);
    groups.set(y, group);
  }
  return groups;
}

/** Finds for each group the first gradient that meets one of its values, or what follows from them alone. */
function findTies(back: readonly Node[], groups: ReadonlyMap<Value, Group>, isBefore: (value: Value) => boolean): void {
  /** Of values on the way back that no gradient entered yet: the groups that they follow from. */
  const pure = new Map<Value, ReadonlySet<Group>>();
  for (const { inputs, outputs } of back) {
    const operands = inputs.filter((value) => value !== undefined);
    const met = new Set(
      operands.flatMap((value) => [...(isBefore(value) ? [groups.get(storageOf(value))] : (pure.get(value) ?? []))]),
    );
    met.delete(undefined);
    const isGradient = (value: Value) =>
      value.producer !== undefined && !isBefore(value) && !pure.has(value) && constantOf(value) === undefined;
    const gradient = operands.find((value) => isGradient(value) && isFloat(value.dtype));
    for (const group of met as ReadonlySet<Group>) if (gradient) group.tie ??= gradient;
    if (!operands.some(isGradient) && met.size > 0)
      for (const output of outputs) pure.set(output, met as ReadonlySet<Group>);
  }
}

/** The nodes of the way back, each behind the gradients that its operands are computed again after. */
function behindTies(
  back: readonly Node[],
  groups: ReadonlyMap<Value, Group>,
  isBefore: (value: Value) => boolean,
): readonly Node[] {
  const own = new Set(back);
  const ordered = new Set<Node>();
  const open = new Set<Node>();
  const stack = [...back].reverse();
  for (let node = stack.at(-1); node; node = stack.at(-1)) {
    open.add(node);
    const makers = node.inputs.map((value) =>
      value && isBefore(value) ? groups.get(storageOf(value))?.tie?.producer : value?.producer,
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
  readonly #groups: ReadonlyMap<Value, Group>;
  /** What stands for results of the way back. */
  readonly #moved = new Map<Value, Value>();
  constructor(groups: ReadonlyMap<Value, Group>) {
    this.#groups = groups;
  }

  /** What stands for a value. */
  of(value: Value): Value {
    return this.#moved.get(value) ?? value;
  }

  move({ op, inputs, outputs, attributes, scope }: Node, isBefore: (value: Value) => boolean): void {
    const operands = inputs.map((value) => value && (isBefore(value) ? this.#again(value) : this.of(value)));
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
    const { op, inputs, attributes, scope } = value.producer;
    const operands = inputs.map((operand) => operand && this.#again(operand));
    // Where all operands are kept, one of them is tied to the gradient.
    const isNew = operands.some((operand, i) => operand !== inputs[i]);
    const tied = isNew
      ? operands
      : operands.with(largestOf(inputs), this.#after(operands[largestOf(inputs)] as Value, group.tie));
    const [made] = makeNode(op, tied, attributes, scope).outputs;
    group.again.set(value, made);
    return made;
  }

  #after(value: Value, tie: Value): Value {
    const tied = after(value, cast(this.of(tie), value.dtype));
    assignScope([tied], value.producer?.scope);
    return tied;
  }
}

/** The place of the largest operand, whose type is that of the result. */
function largestOf(operands: readonly (Value | undefined)[]): number {
  const sizes = operands.map((value) => (value && !constantOf(value) ? size(value.shape) : 0));
  return sizes.indexOf(greatest(sizes));
}
