/** The unravelled view of a network: how many paths lead through it, and how long they are (Veit et al. 2016). */
import { limits } from "../../core/limits.ts";
import type { Node, Value } from "../../graph/ir.ts";
import type { Flow } from "../networks/flow.ts";

/** Every way from the data to an output, measured by the weighted layers that it passes. */
export interface Paths {
  readonly count: bigint;
  /** Weighted layers of the shortest, the longest and the average path. */
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Number of paths by their length; none of networks of more than `limits.pathLengths` weighted layers. */
  readonly lengths: readonly (readonly [length: number, count: bigint])[];
}

/**
 * Counts paths by dynamic programming over the graph. A path is the sequence of weighted layers that it passes: two ways
 * between the same two layers, such as the two factors of x · sigmoid(x), are one. `undefined` where even their number takes
 * too much work.
 */
export function pathsOf(flow: Flow): Paths | undefined {
  const layers = flow.graph.nodes.filter((node) => flow.isWeighted(node)).length;
  const counts = layers <= limits.pathLengths ? walk(flow, byLength) : undefined;
  if (counts) return summarizeCounts(counts.paths ?? []);
  const tally = walk(flow, inAll);
  return tally && summarizeTally(tally.paths ?? { count: 0n, weighted: 0n, min: 0, max: 0 });
}

/** What is known of a set of paths, and what that takes. */
interface Algebra<T> {
  /** Of the path that ends in the data. */
  readonly start: T;
  /** Of the paths that pass one weighted layer more. */
  pass(paths: T): T;
  /** Of the paths of two sets. */
  sum(a: T, b: T): T;
  /** What one sum takes, in some 10 ns. */
  work(paths: T, layers: number): number;
}

/** Number of paths by length. */
const byLength: Algebra<readonly bigint[]> = {
  start: [1n],
  pass: (counts) => [0n, ...counts],
  sum: (a, b) => Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0n) + (b[i] ?? 0n)),
  // A number of up to as many bits as there are layers, for each length.
  work: (counts, layers) => counts.length * (5 + layers / 2000),
};

/** How many paths, the sum of their lengths, the shortest and the longest. */
interface Tally {
  readonly count: bigint;
  readonly weighted: bigint;
  readonly min: number;
  readonly max: number;
}

const inAll: Algebra<Tally> = {
  start: { count: 1n, weighted: 0n, min: 0, max: 0 },
  pass: ({ count, weighted, min, max }) => ({ count, weighted: weighted + count, min: min + 1, max: max + 1 }),
  sum: (a, b) => ({
    count: a.count + b.count,
    weighted: a.weighted + b.weighted,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  }),
  work: (_, layers) => 15 + layers / 1000,
};

/** The weighted layers that a value comes from directly, as bits, and the paths that end in one of them. */
interface Front<T> {
  readonly sources: bigint;
  readonly paths: T;
}

/** The paths that end in an output; `undefined` where they take more than `limits.pathWork`. */
function walk<T>(flow: Flow, { start, pass, sum, work }: Algebra<T>): { readonly paths: T | undefined } | undefined {
  // Bit 0 is the data; bit i the i-th weighted layer.
  const ends: T[] = [start];
  const fronts = new Map<Value, Front<T>>();
  const data: Front<T> = { sources: 1n, paths: start };
  const frontOf = (value: Value): Front<T> => fronts.get(value) ?? data;
  let spent = 0;
  const added = (a: T, b: T): T => {
    spent += work(a, ends.length);
    return spent > limits.pathWork ? a : sum(a, b);
  };
  const merge = (a: Front<T>, b: Front<T>): Front<T> => {
    spent += 10 + ends.length / 1000;
    if (a === b || spent > limits.pathWork) return a;
    const sources = a.sources | b.sources;
    if (sources === a.sources) return a;
    if (sources === b.sources) return b;
    if ((a.sources & b.sources) === 0n) return { sources, paths: added(a.paths, b.paths) };
    spent += ends.length;
    return { sources, paths: endingIn(sources & ~a.sources, ends).reduce(added, a.paths) };
  };
  const readers = readersOf(flow);
  for (const node of flow.graph.nodes) {
    const operands = flow.activeOperands(node);
    const [first, ...others] = operands.map(frontOf);
    if (!first) continue;
    let front = others.reduce(merge, first);
    if (flow.isWeighted(node)) {
      front = { sources: 1n << BigInt(ends.length), paths: pass(front.paths) };
      spent += work(front.paths, ends.length);
      ends.push(front.paths);
    }
    if (spent > limits.pathWork) return undefined;
    for (const output of node.outputs) if (readers.has(output)) fronts.set(output, front);
    // Fronts of deep networks are large: each goes with its last reader.
    for (const value of operands) {
      const left = (readers.get(value) ?? 0) - 1;
      readers.set(value, left);
      if (left === 0) fronts.delete(value);
    }
  }
  const [first, ...others] = flow.graph.outputs.filter((value) => flow.isActive(value)).map(frontOf);
  const paths = first && others.reduce(merge, first).paths;
  return spent > limits.pathWork ? undefined : { paths };
}

/** How many nodes read each value; the graph's outputs are read once more. */
function readersOf(flow: Flow): Map<Value, number> {
  const readers = new Map<Value, number>();
  const read = (value: Value) => readers.set(value, (readers.get(value) ?? 0) + 1);
  for (const node of flow.graph.nodes) for (const value of flow.activeOperands(node)) read(value);
  for (const value of flow.graph.outputs) read(value);
  return readers;
}

/** The paths that end in the layers that a set of bits names. */
function endingIn<T>(sources: bigint, ends: readonly T[]): readonly T[] {
  const bits = sources.toString(2);
  return ends.filter((_, i) => bits[bits.length - 1 - i] === "1");
}

/** A millionth is more than anyone reads of a mean length. */
const mean = (weighted: bigint, count: bigint): number =>
  count === 0n ? 0 : Number((weighted * 1_000_000n) / count) / 1e6;

const summarizeTally = ({ count, weighted, min, max }: Tally): Paths => ({
  count,
  min,
  max,
  mean: mean(weighted, count),
  lengths: [],
});

function summarizeCounts(counts: readonly bigint[]): Paths {
  const lengths = counts.flatMap((count, length) => (count > 0n ? [[length, count] as const] : []));
  const count = lengths.reduce((total, [, own]) => total + own, 0n);
  const weighted = lengths.reduce((total, [length, own]) => total + BigInt(length) * own, 0n);
  return { count, min: lengths[0]?.[0] ?? 0, max: lengths.at(-1)?.[0] ?? 0, mean: mean(weighted, count), lengths };
}

/** The nodes of a path from the data to an output with the fewest weighted layers, from the data on. */
export function shortestPath(flow: Flow): readonly Node[] {
  const lengths = new Map<Value, number>();
  const lengthTo = (value: Value): number => lengths.get(value) ?? 0;
  const nearest = (values: readonly Value[]): Value | undefined =>
    values.reduce<Value | undefined>(
      (best, value) => (best && lengthTo(best) <= lengthTo(value) ? best : value),
      undefined,
    );
  for (const node of flow.graph.nodes) {
    const before = nearest(flow.activeOperands(node));
    if (!before) continue;
    for (const output of node.outputs) lengths.set(output, lengthTo(before) + (flow.isWeighted(node) ? 1 : 0));
  }
  const nodes: Node[] = [];
  let at = nearest(flow.graph.outputs.filter((value) => flow.isActive(value)));
  while (at?.producer) {
    nodes.push(at.producer);
    at = nearest(flow.activeOperands(at.producer));
  }
  return nodes.reverse();
}
