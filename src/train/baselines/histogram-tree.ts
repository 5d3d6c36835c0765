/** Decision trees on binned features: the split search that forests and boosting share. */
import type { Random } from "../../core/random.ts";
import type { Rows } from "../few-shot/classifier.ts";
import type { Binned } from "./binned.ts";

/**
 * What a tree learns, as sums over rows: row i adds `values[i]` to its channel and `weights[i]` to the weight. A leaf says S / (W + λ) of
 * each channel, and a split is as good as Σ S² / (W + λ) over both sides. With a class's one as the value that is Gini's impurity, with
 * a number the variance, with a gradient and a curvature the gain of Newton boosting (Chen and Guestrin 2016, eq. 7).
 */
export interface TreeTargets {
  readonly channels: number;
  /** [rows] */
  readonly channel: Int32Array;
  /** [rows] */
  readonly values: Float64Array;
  /** [rows] */
  readonly weights: Float64Array;
}

/** How a tree grows. */
export interface Growth {
  /** Features that are tried at each split. */
  readonly features: number;
  /** Rows that a leaf has at least. */
  readonly leastLeaf: number;
  /** Splits from the root to a leaf at most. */
  readonly depth: number;
  /** Leaves at most; the best split of all is next. */
  readonly leaves: number;
  /** λ */
  readonly penalty: number;
}

/** Nodes by number, from the root, 0. */
export interface Tree {
  /** -1 of a leaf. */
  readonly feature: Int32Array;
  /** What is at most so much goes to the left, which is `child`, what is more to the right, `child + 1`. */
  readonly threshold: Float64Array;
  readonly child: Int32Array;
  readonly channels: number;
  /** [nodes, channels] */
  readonly values: Float64Array;
}

/** A place where rows part. */
interface Split {
  readonly feature: number;
  /** The last bin that goes to the left. */
  readonly bin: number;
  readonly gain: number;
}

/** Rows that a node holds: a range of the order. */
interface Held {
  readonly node: number;
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  readonly split: Split | undefined;
}

/** Sorts the first elements of an array by insertion, which is fastest for a few. */
function sortFirst(array: Uint8Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const value = array[i] as number;
    let at = i;
    for (; at > 0 && (array[at - 1] as number) > value; at--) array[at] = array[at - 1] as number;
    array[at] = value;
  }
}

/** What the search for one split after another works on. */
interface Look {
  readonly channels: number;
  /** Rows by node. */
  readonly order: Int32Array;
  /** Values, weights and places in the histogram of a node's rows, in their order, since every feature reads them. */
  readonly values: Float64Array;
  readonly weights: Float64Array;
  readonly places: Int32Array;
  /** Of each bin the number of rows, their weight, and the sum of each channel; zero but for the bins that are touched. */
  readonly histogram: Float64Array;
  readonly touched: Uint8Array;
  /** How many bins are touched. */
  used: number;
  /** Sums of a node, and of those of its rows that go to the left. */
  readonly total: Float64Array;
  readonly left: Float64Array;
}

const lookAt = (order: Int32Array, channels: number): Look => ({
  channels,
  order,
  values: new Float64Array(order.length),
  weights: new Float64Array(order.length),
  places: new Int32Array(order.length),
  histogram: new Float64Array(256 * (2 + channels)),
  touched: new Uint8Array(256),
  used: 0,
  total: new Float64Array(channels),
  left: new Float64Array(channels),
});

/** Adds the rows of a node to the histogram of a feature. A function by itself, which V8 compiles to a loop of 4 ns a row; a closure takes five times that. */
function fillHistogram(look: Look, column: Uint8Array, from: number, to: number): void {
  const { order, values, weights, places, histogram, touched, channels } = look;
  const stride = 2 + channels;
  let used = 0;
  for (let i = from; i < to; i++) {
    const bin = column[order[i] as number] as number;
    const at = bin * stride;
    if (histogram[at] === 0) touched[used++] = bin;
    histogram[at] = (histogram[at] as number) + 1;
    histogram[at + 1] = (histogram[at + 1] as number) + (weights[i] as number);
    const own = at + (places[i] as number);
    histogram[own] = (histogram[own] as number) + (values[i] as number);
  }
  look.used = used;
}

/** The bin after which the rows of a histogram of `bins` part best, -1 where they do not, and how good that is; clears the histogram. */
function bestBin(
  { channels, histogram, touched, used, left, total }: Look,
  bins: number,
  node: { readonly leastLeaf: number; readonly penalty: number; readonly weight: number; readonly rows: number },
): { readonly bin: number; readonly gain: number } {
  const { leastLeaf, penalty, weight, rows } = node;
  const stride = 2 + channels;
  // Where rows touch few of the bins, those are sorted rather than all looked at.
  if (used * used < 4 * bins) sortFirst(touched, used);
  else for (let bin = 0, n = 0; bin < bins; bin++) if ((histogram[bin * stride] as number) > 0) touched[n++] = bin;
  let [leftRows, leftWeight, gain, best] = [0, 0, Number.NEGATIVE_INFINITY, -1];
  left.fill(0);
  for (let n = 0; n < used; n++) {
    const bin = touched[n] as number;
    const at = bin * stride;
    leftRows += histogram[at] as number;
    leftWeight += histogram[at + 1] as number;
    for (let c = 0; c < channels; c++) left[c] = (left[c] as number) + (histogram[at + 2 + c] as number);
    for (let i = at; i < at + stride; i++) histogram[i] = 0;
    if (n === used - 1 || leftRows < leastLeaf || rows - leftRows < leastLeaf) continue;
    let [ofLeft, ofRight] = [0, 0];
    for (let c = 0; c < channels; c++) {
      const a = left[c] as number;
      const b = (total[c] as number) - a;
      ofLeft += a * a;
      ofRight += b * b;
    }
    const score = ofLeft / (leftWeight + penalty) + ofRight / (weight - leftWeight + penalty);
    if (score > gain) {
      gain = score;
      // In the middle of the bins that no row has, which is where unseen rows part best.
      best = (bin + (touched[n + 1] as number)) >> 1;
    }
  }
  return { bin: best, gain };
}

/** A tree of the rows in `order`, which it sorts by leaf. */
export function growTree(
  { count, width, codes, edges }: Binned,
  { channels, channel, values, weights }: TreeTargets,
  order: Int32Array,
  { features, leastLeaf, depth: deepest, leaves, penalty }: Growth,
  random: Random,
): Tree {
  const nodes = { feature: [-1], threshold: [0], child: [0], values: [] as number[] };
  const look = lookAt(order, channels);
  const { total } = look;
  const candidates = Int32Array.from({ length: width }, (_, feature) => feature);
  const aside = new Int32Array(order.length);

  /** Makes the leaf of a range of rows and finds its best split. */
  function hold(node: number, from: number, to: number, depth: number): Held {
    total.fill(0);
    let [weight, squares] = [0, 0];
    for (let i = from; i < to; i++) {
      const row = order[i] as number;
      const [value, own] = [values[row] as number, weights[row] as number];
      const at = channel[row] as number;
      total[at] = (total[at] as number) + value;
      weight += own;
      squares += (value * value) / own;
      look.values[i] = value;
      look.weights[i] = own;
      look.places[i] = 2 + at;
    }
    let score = 0;
    for (let c = 0; c < channels; c++) {
      nodes.values[node * channels + c] = (total[c] as number) / (weight + penalty);
      score += (total[c] as number) ** 2 / (weight + penalty);
    }
    // All rows want the same: Σ v²/w = S²/W.
    const isPure = penalty === 0 && squares - score <= 1e-10 * squares;
    if (isPure || depth >= deepest || to - from < 2 * leastLeaf) return { node, from, to, depth, split: undefined };
    let best: Split | undefined;
    // As scikit-learn: further features are tried until one parts the rows.
    for (let tried = 0; tried < width && (tried < features || best === undefined); tried++) {
      if (features < width) {
        const other = tried + random.integer(width - tried);
        [candidates[tried], candidates[other]] = [candidates[other] as number, candidates[tried] as number];
      }
      const feature = candidates[tried] as number;
      const column = codes.subarray(feature * count, (feature + 1) * count);
      fillHistogram(look, column, from, to);
      const { bin, gain } = bestBin(look, (edges[feature] as Float64Array).length + 1, {
        leastLeaf,
        penalty,
        weight,
        rows: to - from,
      });
      const own = bin < 0 ? undefined : { feature, bin, gain };
      if (own && (best === undefined || own.gain > best.gain)) best = own;
    }
    return { node, from, to, depth, split: best && { ...best, gain: best.gain - score } };
  }

  /** Puts the rows of the left side first, in their order; says where the right side begins. */
  function part({ from, to }: Held, { feature, bin }: Split): number {
    let [next, kept] = [from, 0];
    for (let i = from; i < to; i++) {
      const row = order[i] as number;
      if ((codes[feature * count + row] as number) <= bin) order[next++] = row;
      else aside[kept++] = row;
    }
    order.set(aside.subarray(0, kept), next);
    return next;
  }

  const open = [hold(0, 0, order.length, 0)];
  let grown = 1;
  while (open.length > 0 && grown < leaves) {
    let next = open.length - 1;
    if (leaves < Number.POSITIVE_INFINITY)
      for (const [i, { split }] of open.entries()) if ((split?.gain ?? -1) > (open[next]?.split?.gain ?? -1)) next = i;
    const [held] = open.splice(next, 1) as [Held];
    const { node, depth, split } = held;
    if (split === undefined) continue;
    const middle = part(held, split);
    const child = nodes.feature.length;
    nodes.feature[node] = split.feature;
    nodes.threshold[node] = edges[split.feature]?.[split.bin] as number;
    nodes.child[node] = child;
    nodes.feature.push(-1, -1);
    nodes.threshold.push(0, 0);
    nodes.child.push(0, 0);
    open.push(hold(child, held.from, middle, depth + 1), hold(child + 1, middle, held.to, depth + 1));
    grown++;
  }
  return {
    feature: Int32Array.from(nodes.feature),
    threshold: Float64Array.from(nodes.threshold),
    child: Int32Array.from(nodes.child),
    channels,
    values: Float64Array.from(nodes.values),
  };
}

/** Adds what the leaf of each row says, times `scale`, to `sums` [rows, stride], from a column on. */
export function addTree(
  { feature, threshold, child, channels, values: said }: Tree,
  { count, width, values }: Rows,
  {
    sums,
    stride,
    column,
    scale,
  }: {
    readonly sums: Float64Array;
    readonly stride: number;
    readonly column: number;
    readonly scale: number;
  },
): void {
  for (let row = 0; row < count; row++) {
    let node = 0;
    for (let own = feature[0] as number; own >= 0; own = feature[node] as number)
      node = (child[node] as number) + Number((values[row * width + own] as number) > (threshold[node] as number));
    for (let c = 0; c < channels; c++) {
      const at = row * stride + column + c;
      sums[at] = (sums[at] as number) + scale * (said[node * channels + c] as number);
    }
  }
}
