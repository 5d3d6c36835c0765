/** The unravelled view of a network: how many paths lead through it, and how long they are (Veit et al. 2016). */
import type { Value } from "../../graph/ir.ts";
import type { Flow } from "../networks/flow.ts";

/** Every way from the data to an output, measured by the weighted layers that it passes. */
export interface Paths {
  readonly count: bigint;
  /** Weighted layers of the shortest, the longest and the average path. */
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Number of paths by their length. */
  readonly lengths: readonly (readonly [length: number, count: bigint])[];
}

/** Number of paths by length. */
type Counts = readonly bigint[];

const sum = (a: Counts, b: Counts): Counts =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0n) + (b[i] ?? 0n));

/** The weighted layers that a value comes from directly, as bits, and the paths that end in one of them. */
interface Front {
  readonly sources: bigint;
  readonly counts: Counts;
}

/**
 * Counts paths by dynamic programming over the graph. A path is the sequence of weighted layers that it passes: two ways
 * between the same two layers, such as the two factors of x · sigmoid(x), are one.
 */
export function pathsOf(flow: Flow): Paths {
  // Bit 0 is the data; bit i the i-th weighted layer.
  const ends: Counts[] = [[1n]];
  const fronts = new Map<Value, Front>();
  const data: Front = { sources: 1n, counts: [1n] };
  const frontOf = (value: Value): Front => fronts.get(value) ?? data;
  const merge = (a: Front, b: Front): Front => {
    const sources = a.sources | b.sources;
    if (sources === a.sources) return a;
    if (sources === b.sources) return b;
    if ((a.sources & b.sources) === 0n) return { sources, counts: sum(a.counts, b.counts) };
    return { sources, counts: endingIn(sources & ~a.sources, ends).reduce(sum, a.counts) };
  };
  for (const node of flow.graph.nodes) {
    const [first, ...others] = flow.activeOperands(node).map(frontOf);
    if (!first) continue;
    let front = others.reduce(merge, first);
    if (flow.isWeighted(node)) {
      front = { sources: 1n << BigInt(ends.length), counts: [0n, ...front.counts] };
      ends.push(front.counts);
    }
    for (const output of node.outputs) fronts.set(output, front);
  }
  const outputs = flow.graph.outputs.filter((value) => flow.isActive(value)).map(frontOf);
  const counts = outputs.length > 0 ? outputs.reduce(merge).counts : [];
  return summarizeCounts(counts);
}

/** The path counts of the layers that a set of bits names. */
function endingIn(sources: bigint, ends: readonly Counts[]): Counts[] {
  const bits = sources.toString(2);
  return ends.filter((_, i) => bits[bits.length - 1 - i] === "1");
}

function summarizeCounts(counts: Counts): Paths {
  const lengths = counts.flatMap((count, length) => (count > 0n ? [[length, count] as const] : []));
  const count = lengths.reduce((total, [, own]) => total + own, 0n);
  const weighted = lengths.reduce((total, [length, own]) => total + BigInt(length) * own, 0n);
  return {
    count,
    min: lengths[0]?.[0] ?? 0,
    max: lengths.at(-1)?.[0] ?? 0,
    // A millionth is more than anyone reads of a mean length.
    mean: count === 0n ? 0 : Number((weighted * 1_000_000n) / count) / 1e6,
    lengths,
  };
}
