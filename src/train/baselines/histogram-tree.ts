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

/** A tree of the rows in `order`, which it sorts by leaf. */
export function growTree(
  { count, width, codes, edges }: Binned,
  { channels, channel, values, weights }: TreeTargets,
  order: Int32Array,
  { features, leastLeaf, depth: deepest, leaves, penalty }: Growth,
  random: Random,
): Tree {
  const nodes = { feature: [-1], threshold: [0], child: [0], values: [] as number[] };
  const [counts, bins, touched] = [new Int32Array(256), new Float64Array(256), new Uint8Array(256)];
  const sums = new Float64Array(256 * channels);
  const [left, total] = [new Float64Array(channels), new Float64Array(channels)];
  const candidates = Int32Array.from({ length: width }, (_, feature) => feature);
  const aside = new Int32Array(order.length);

  /** The gain of the best bin of a feature, and whether it parts the rows at all. */
  function bestBin(feature: number, from: number, to: number, weight: number): Split | undefined {
    const column = feature * count;
    let used = 0;
    for (let i = from; i < to; i++) {
      const row = order[i] as number;
      const bin = codes[column + row] as number;
      if (counts[bin] === 0) touched[used++] = bin;
      counts[bin] = (counts[bin] as number) + 1;
      bins[bin] = (bins[bin] as number) + (weights[row] as number);
      const at = bin * channels + (channel[row] as number);
      sums[at] = (sums[at] as number) + (values[row] as number);
    }
    const own = touched.subarray(0, used);
    const most = (edges[feature] as Float64Array).length + 1;
    // Where rows touch few of the bins, those are sorted rather than all looked at.
    if (used * 6 < most) own.sort();
    else for (let bin = 0, at = 0; bin < most; bin++) if ((counts[bin] as number) > 0) touched[at++] = bin;
    let [rows, leftWeight, gain, best] = [0, 0, Number.NEGATIVE_INFINITY, -1];
    left.fill(0);
    for (let n = 0; n < used; n++) {
      const bin = own[n] as number;
      rows += counts[bin] as number;
      leftWeight += bins[bin] as number;
      for (let c = 0; c < channels; c++) left[c] = (left[c] as number) + (sums[bin * channels + c] as number);
      if (n === used - 1 || rows < leastLeaf || to - from - rows < leastLeaf) continue;
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
        best = (bin + (own[n + 1] as number)) >> 1;
      }
    }
    for (const bin of own) {
      counts[bin] = bins[bin] = 0;
      sums.fill(0, bin * channels, (bin + 1) * channels);
    }
    return best < 0 ? undefined : { feature, bin: best, gain };
  }

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
      const own = bestBin(candidates[tried] as number, from, to, weight);
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
