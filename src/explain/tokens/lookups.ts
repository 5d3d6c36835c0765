/** Where a graph looks tokens up in a table of floats, and how tokens are moved and chosen on the way there. */
import { isFloat } from "../../core/dtype.ts";
import { normalizeAxis } from "../../core/shape.ts";
import { type Node, nodesOf, type Value } from "../../graph/ir.ts";
import { makeNode, type OpDef } from "../../graph/op.ts";
import {
  Add,
  Cast,
  Clip,
  Concat,
  Expand,
  expand,
  Flatten,
  Gather,
  GatherElements,
  GatherND,
  Identity,
  ones,
  Reshape,
  reshape,
  Slice,
  Split,
  Squeeze,
  Sub,
  Tile,
  Transpose,
  Unsqueeze,
  Where,
} from "../../ops/index.ts";

/** A table that is looked up by tokens. */
export interface Lookup {
  /** What it gives: the vectors of tokens. */
  readonly vectors: Value;
  /** The table, and its axis of tokens. */
  readonly table: Value;
  readonly axis: number;
  /** The tokens, as they reach the table. */
  readonly indices: Value;
  /** What stood in the places of the tokens beside them, shaped to be multiplied with the vectors. */
  readonly beside: Value;
}

/** Operators that move the elements of their first operand, or choose among them. */
const movers: ReadonlySet<OpDef> = new Set([
  Reshape,
  Flatten,
  Squeeze,
  Unsqueeze,
  Transpose,
  Expand,
  Tile,
  Split,
  Slice,
  Gather,
  GatherElements,
  GatherND,
  Identity,
]);

/** What stands beside the tokens that a node gives, by what stands beside those that it takes; nothing where it gives no tokens. */
function besideOutputs(
  node: Node,
  besideOf: (value: Value | undefined) => Value | undefined,
): readonly (Value | undefined)[] {
  const { op, inputs, outputs, attributes } = node;
  const [first, ...others] = inputs;
  const own = besideOf(first);
  if (movers.has(op))
    return own && !others.some(besideOf) ? makeNode(op, [own, ...others], attributes).outputs : [undefined];
  // Of other bounds, or from another number on, they are the same tokens.
  if (op === Cast || op === Clip) return [own];
  if (op === Add || op === Sub || op === Where) {
    const found = inputs.map(besideOf).filter((value) => value !== undefined);
    const isChosen = op === Where && !besideOf(first);
    const [only] = isChosen || found.length === 1 ? found : [];
    return [only && expand(only, outputs[0].shape)];
  }
  if (op === Concat && inputs.some(besideOf))
    return makeNode(
      op,
      inputs.map((value) => value && (besideOf(value) ?? ones(value.shape))),
      attributes,
    ).outputs;
  return [undefined];
}

/**
 * The tables of floats behind `outputs` that are looked up by tokens.
 * @param beside floats of the tokens' shape, which go the way that tokens go
 */
export function lookupsOf(outputs: readonly Value[], tokens: Value, beside: Value): readonly Lookup[] {
  const carried = new Map<Value, Value>([[tokens, beside]]);
  const behind = new Set<Value>([tokens]);
  const found: Lookup[] = [];
  for (const node of nodesOf(outputs)) {
    const { op, inputs, outputs: given } = node;
    if (!inputs.some((value) => value && behind.has(value))) continue;
    for (const output of given) behind.add(output);
    const [table, indices] = inputs;
    const own = op === Gather && indices ? carried.get(indices) : undefined;
    if (own && table && indices && isFloat(table.dtype) && !behind.has(table)) {
      const along = normalizeAxis((node.attributes as { readonly axis?: number }).axis ?? 0, table.rank);
      const shape = [
        ...Array<number>(along).fill(1),
        ...indices.shape,
        ...Array<number>(table.rank - along - 1).fill(1),
      ];
      found.push({ vectors: given[0], table, axis: along, indices, beside: reshape(own, shape) });
    }
    const besides = besideOutputs(node, (value) => value && carried.get(value));
    for (const [i, value] of besides.entries()) if (value) carried.set(given[i] as Value, value);
  }
  return found;
}
