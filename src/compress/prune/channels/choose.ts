/** Chooses channels: those of the least score for the multiply-adds that they save, one after another. */
import type { FollowedGraph, NodeCost } from "./follow.ts";
import type { Channel, ChannelGroup } from "./groups.ts";
import type { AxisUnits } from "./units.ts";

/** A channel with its score. */
export type Scored = readonly [channel: Channel, score: number];

/** Channels of a group with their scores, the least first. */
export interface ScoredGroup {
  readonly group: ChannelGroup;
  readonly channels: readonly Scored[];
  /**
   * Whether scores compare the channels of one group alone: then a channel is worth its share of what the group still has, once for each
   * of its layers, so that the last channels are worth most.
   */
  readonly isRelative: boolean;
}

/** How much is to stay. */
export interface ChannelLimits {
  /** A share of what there is, in (0, 1). */
  readonly share: number;
  /** Share of the channels that every group keeps. */
  readonly least: number;
  /** What stays of a layer's channels is a multiple of this; a layer with fewer channels keeps them. */
  readonly multiple: number;
}

/** An axis of the graph: how many indices stay, and how many each set of units has there. */
interface Extent {
  readonly counts: ReadonlyMap<number, number>;
  now: number;
}

/** The extents of a graph while channels are taken from it. */
export class Extents {
  readonly #axes = new Map<AxisUnits, Extent>();
  readonly #axesOf = new Map<number, Extent[]>();
  readonly #costsOf = new Map<Extent, NodeCost[]>();
  readonly #followed: FollowedGraph;

  constructor(followed: FollowedGraph) {
    this.#followed = followed;
    const { graph, operandsOf, unitsOf, costs } = followed;
    const values = graph.nodes.flatMap((node) => [...operandsOf(node), ...node.outputs.map((value) => unitsOf(value))]);
    for (const axis of values.flatMap((value) => value ?? [])) this.#extent(axis);
    for (const cost of costs)
      for (const axis of new Set(cost.axes)) {
        const extent = this.#extent(axis);
        this.#costsOf.set(extent, [...(this.#costsOf.get(extent) ?? []), cost]);
      }
  }

  #extent(axis: AxisUnits): Extent {
    const known = this.#axes.get(axis);
    if (known) return known;
    const { units } = this.#followed;
    const counts = new Map<number, number>();
    for (const unit of axis) {
      if (units.reason(unit) !== undefined) continue;
      const set = units.find(unit);
      counts.set(set, (counts.get(set) ?? 0) + 1);
    }
    const extent = { counts, now: axis.length };
    this.#axes.set(axis, extent);
    for (const set of counts.keys()) this.#axesOf.set(set, [...(this.#axesOf.get(set) ?? []), extent]);
    return extent;
  }

  /** How many indices of an axis stay. */
  of(axis: AxisUnits): number {
    return this.#extent(axis).now;
  }

  /** How many indices of an axis are of a channel. */
  countOf(axis: AxisUnits, { set }: Channel): number {
    return this.#extent(axis).counts.get(set) ?? 0;
  }

  /** Multiply-adds of a node with what stays. */
  macsOf({ macs, axes }: NodeCost): number {
    return axes.reduce((product, axis) => (product * this.of(axis)) / axis.length, macs);
  }

  /** Whether an index of every axis stays when channels go. */
  allows(channels: readonly Channel[]): boolean {
    return this.#with(channels, (touched) => [...touched].every(({ now }) => now >= 1));
  }

  /** The multiply-adds that go with channels. */
  saving(channels: readonly Channel[]): number {
    const costs = new Set(channels.flatMap(({ set }) => this.#costs(set)));
    const sum = () => [...costs].reduce((total, cost) => total + this.macsOf(cost), 0);
    const before = sum();
    return this.#with(channels, () => before - sum());
  }

  take(channels: readonly Channel[]): void {
    this.#move(channels, -1);
  }

  #costs(set: number): readonly NodeCost[] {
    return (this.#axesOf.get(set) ?? []).flatMap((extent) => this.#costsOf.get(extent) ?? []);
  }

  #move(channels: readonly Channel[], direction: 1 | -1): Set<Extent> {
    const touched = new Set<Extent>();
    for (const { set } of channels)
      for (const extent of this.#axesOf.get(set) ?? []) {
        extent.now += direction * (extent.counts.get(set) ?? 0);
        touched.add(extent);
      }
    return touched;
  }

  #with<T>(channels: readonly Channel[], look: (touched: ReadonlySet<Extent>) => T): T {
    const result = look(this.#move(channels, -1));
    this.#move(channels, 1);
    return result;
  }
}

/** The channels that a group would lose next: so many that a multiple stays, and the least that is to stay. */
function nextStep(
  { group: { axis }, channels }: ScoredGroup,
  taken: number,
  extents: Extents,
  { least, multiple }: Omit<ChannelLimits, "share">,
): readonly Scored[] | undefined {
  let left = extents.of(axis);
  for (let i = taken; i < channels.length && channels.length - i - 1 >= least * channels.length; i++) {
    left -= extents.countOf(axis, (channels[i] as Scored)[0]);
    if (left % multiple !== 0) continue;
    const step = channels.slice(taken, i + 1);
    return extents.allows(step.map(([channel]) => channel)) ? step : undefined;
  }
  return undefined;
}

/** What a group would lose next. */
interface Step {
  readonly channels: readonly Channel[];
  /** Multiply-adds that go with it. */
  readonly saving: number;
  /** What it is worth, for each of these. */
  readonly price: number;
}

/** For each place the sum of the scores from there on, and 0 behind the last. */
function sumsFrom(channels: readonly Scored[]): Float64Array {
  const sums = new Float64Array(channels.length + 1);
  for (let i = channels.length - 1; i >= 0; i--) sums[i] = (sums[i + 1] as number) + (channels[i] as Scored)[1];
  return sums;
}

/** The channels to cut, group by group, so that at most `share` of the multiply-adds are left, or as few as limits allow. `left` is the share that is. */
export function chooseByMacs(
  followed: FollowedGraph,
  groups: readonly ScoredGroup[],
  { share, ...limits }: ChannelLimits,
): { readonly chosen: readonly (readonly Scored[])[]; readonly left: number; readonly isEnough: boolean } {
  const extents = new Extents(followed);
  const whole = followed.graph.nodes.reduce((sum, node) => sum + node.op.macs(node), 0);
  const taken = groups.map(() => 0);
  const rests = groups.map(({ channels }) => sumsFrom(channels));
  const look = (i: number): Step | undefined => {
    const own = groups[i] as ScoredGroup;
    const from = taken[i] as number;
    const step = nextStep(own, from, extents, limits);
    if (!step) return undefined;
    const channels = step.map(([channel]) => channel);
    const saving = extents.saving(channels);
    const [rest = 0, after = 0] = [rests[i]?.[from], rests[i]?.[from + step.length]];
    const worth = own.isRelative ? (own.group.weights.length * (rest - after)) / (rest || 1) : rest - after;
    return saving > 0 ? { channels, saving, price: worth / saving } : undefined;
  };
  const next = groups.map((_, i) => look(i));
  const priceOf = (i: number) => next[i]?.price ?? Number.POSITIVE_INFINITY;
  const cheapest = () => next.reduce<number>((best, own, i) => (own && own.price < priceOf(best) ? i : best), -1);
  let left = whole;
  while (left > share * whole) {
    const best = cheapest();
    if (best < 0) break;
    // What others lost makes a step save less: prices only rise, so that one looked at anew and still the least is the least.
    const step = look(best);
    next[best] = step;
    if (!step || cheapest() !== best) continue;
    extents.take(step.channels);
    left -= step.saving;
    taken[best] = (taken[best] as number) + step.channels.length;
    next[best] = look(best);
  }
  return {
    chosen: groups.map(({ channels }, i) => channels.slice(0, taken[i])),
    left: left / whole,
    isEnough: left <= share * whole,
  };
}

/** The channels to cut so that the same share of each group stays, rounded up. */
export function chooseByChannels(
  followed: FollowedGraph,
  groups: readonly ScoredGroup[],
  limits: Omit<ChannelLimits, "share">,
): readonly (readonly Scored[])[] {
  const extents = new Extents(followed);
  return groups.map((own) => {
    let taken = 0;
    for (let step = nextStep(own, 0, extents, limits); step; step = nextStep(own, taken, extents, limits)) {
      extents.take(step.map(([channel]) => channel));
      taken += step.length;
    }
    return own.channels.slice(0, taken);
  });
}
