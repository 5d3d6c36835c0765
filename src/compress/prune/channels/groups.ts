/** Groups of channels that a model could lose, with all that goes with each of them, and layers that it cannot lose any of. */
import type { Node, Value } from "../../../graph/ir.ts";
import type { FollowedGraph, MadeChannels } from "./follow.ts";
import type { AxisUnits } from "./units.ts";

/** Indices of a parameter along an axis. */
export interface ParameterPart {
  /** Path of the parameter. */
  readonly path: string;
  /** Which of its axes. */
  readonly axis: number;
  /** Indices along it. */
  readonly indices: readonly number[];
}

/** What is cut together: a channel of one layer or of several, with what goes with it. */
export interface Channel {
  /** What `Units.find` gives for its units. */
  readonly set: number;
  /** Its place among the channels of its group, from 0. */
  readonly index: number;
  /** What it is of each parameter. */
  readonly parts: readonly ParameterPart[];
}

/** Layers that make the same channels: those of one residual sum lose theirs together. */
export interface ChannelGroup {
  /** Paths of the weights by which they make them. */
  readonly weights: readonly string[];
  /** The operators that make them. */
  readonly nodes: readonly Node[];
  readonly channels: readonly Channel[];
  /** The axis of one of the layers, on which the channels of the group lie. */
  readonly axis: AxisUnits;
}

/** A layer of which nothing is cut. */
export interface UncutLayer {
  /** Path of its weight. */
  readonly weight: string;
  /** Why it stays whole. */
  readonly reason: string;
}

export interface ChannelGroups {
  readonly groups: readonly ChannelGroup[];
  readonly uncut: readonly UncutLayer[];
}

/** @param paths the paths of the graph inputs that are parameters */
export function channelGroups(followed: FollowedGraph, paths: ReadonlyMap<Value, string>): ChannelGroups {
  const { units, made } = followed;
  const uncut = new Map<string, UncutLayer>();
  /** For each set of units the group that it is of, as one of its places in `made`. */
  const groupOf = new Map<number, number>();
  const parents = made.map((_, i) => i);
  const rootOf = (i: number): number => (parents[i] === i ? i : rootOf(parents[i] as number));
  for (const [i, { weight, axis }] of made.entries()) {
    const free = freeSets(axis, followed);
    const path = paths.get(weight) ?? "";
    if (free.length === 0 && !uncut.has(path))
      uncut.set(path, { weight: path, reason: units.reason(axis[0] as number) ?? "" });
    for (const set of free) {
      const known = groupOf.get(set);
      if (known === undefined) groupOf.set(set, i);
      else parents[rootOf(i)] = rootOf(known);
    }
  }
  const parts = partsBySet(followed, paths);
  const members = new Map<number, MadeChannels[]>();
  for (const [i, own] of made.entries())
    if (freeSets(own.axis, followed).length > 0) members.set(rootOf(i), [...(members.get(rootOf(i)) ?? []), own]);
  const groups = Array.from(members.values(), (layers): ChannelGroup => {
    const sets = new Set(layers.flatMap(({ axis }) => freeSets(axis, followed)));
    return {
      weights: [...new Set(layers.map(({ weight }) => paths.get(weight) ?? ""))],
      nodes: [...new Set(layers.map(({ node }) => node))],
      channels: Array.from(sets, (set, index) => ({ set, index, parts: parts.get(set) ?? [] })),
      axis: (layers[0] as MadeChannels).axis,
    };
  });
  const cut = new Set(groups.flatMap(({ weights }) => weights));
  return { groups, uncut: [...uncut.values()].filter(({ weight }) => !cut.has(weight)) };
}

/** The sets along an axis that may be cut, in its order. */
function freeSets(axis: AxisUnits, { units }: FollowedGraph): readonly number[] {
  const sets = new Set<number>();
  for (const unit of axis) if (units.reason(unit) === undefined) sets.add(units.find(unit));
  return [...sets];
}

/** What each set of units is of the parameters. */
function partsBySet(
  { units, unitsOf }: FollowedGraph,
  paths: ReadonlyMap<Value, string>,
): ReadonlyMap<number, readonly ParameterPart[]> {
  const found = new Map<number, ParameterPart[]>();
  for (const [value, path] of paths)
    for (const [axis, own] of unitsOf(value).entries()) {
      const indices = new Map<number, number[]>();
      for (const [index, unit] of own.entries()) {
        if (units.reason(unit) !== undefined) continue;
        const set = units.find(unit);
        const known = indices.get(set);
        if (known) known.push(index);
        else indices.set(set, [index]);
      }
      for (const [set, places] of indices) {
        const known = found.get(set) ?? [];
        known.push({ path, axis, indices: places });
        found.set(set, known);
      }
    }
  return found;
}
