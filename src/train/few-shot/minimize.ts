/** Minima of smooth functions of vectors: L-BFGS (Liu and Nocedal 1989) with a weak Wolfe line search (Lewis and Overton 2013). */

/** A function's value, and its gradient. */
export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

export interface MinimizeOptions {
  readonly maxIterations: number;
  /** The largest element of a gradient that counts for zero. */
  readonly tolerance: number;
}

/** Steps that the curvature is estimated of. */
const memory = 10;
/** Of the slope, how much a step must lessen the value and flatten the slope (Nocedal and Wright 2006, section 3.1). */
const [decrease, flattening] = [1e-4, 0.9];
const longestSearch = 50;

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};
/** a + scale b */
const along = (a: Float64Array, scale: number, b: Float64Array): Float64Array =>
  a.map((value, i) => value + scale * (b[i] as number));
const largest = (a: Float64Array): number => a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** A step and the change of the gradient along it. */
interface Step {
  readonly s: Float64Array;
  readonly y: Float64Array;
  /** 1 / y·s */
  readonly rho: number;
}

/** -H g, with H of the last steps: the two-loop recursion (Nocedal and Wright 2006, algorithm 7.4). */
function directionOf(gradient: Float64Array, steps: readonly Step[]): Float64Array {
  let q: Float64Array = gradient.map((value) => -value);
  const alphas = [...steps].reverse().map(({ s, y, rho }) => {
    const alpha = rho * dot(s, q);
    q = along(q, -alpha, y);
    return alpha;
  });
  const last = steps.at(-1);
  if (last) {
    const scale = 1 / (last.rho * dot(last.y, last.y));
    q = q.map((value) => value * scale);
  }
  for (const [i, { s, y, rho }] of steps.entries()) {
    const alpha = alphas[steps.length - 1 - i] as number;
    q = along(q, alpha - rho * dot(y, q), s);
  }
  return q;
}

/** A minimum of a function, from `start` on; the best point so far where the iterations end before. */
export function minimize(
  evaluate: (x: Float64Array) => Evaluated,
  start: Float64Array,
  { maxIterations, tolerance }: MinimizeOptions,
): Float64Array {
  let x = start;
  let at = evaluate(x);
  const steps: Step[] = [];
  for (let iteration = 0; iteration < maxIterations && largest(at.gradient) > tolerance; iteration++) {
    const direction = directionOf(at.gradient, steps);
    const slope = dot(direction, at.gradient);
    // Without steps to learn of, the first is short.
    const first = steps.length === 0 ? Math.min(1, 1 / largest(at.gradient)) : 1;
    const found = search(evaluate, x, at, direction, slope, first);
    if (found === undefined) break;
    const [next, evaluated] = found;
    const [s, y] = [along(next, -1, x), along(evaluated.gradient, -1, at.gradient)];
    const curvature = dot(s, y);
    if (curvature > 0) steps.push({ s, y, rho: 1 / curvature });
    if (steps.length > memory) steps.shift();
    [x, at] = [next, evaluated];
  }
  return x;
}

/** A point along a direction that lessens the value and the slope enough, by bisection; `undefined` where rounding hides it. */
function search(
  evaluate: (x: Float64Array) => Evaluated,
  x: Float64Array,
  { value }: Evaluated,
  direction: Float64Array,
  slope: number,
  first: number,
): readonly [Float64Array, Evaluated] | undefined {
  let [low, high, length] = [0, Number.POSITIVE_INFINITY, first];
  for (let i = 0; i < longestSearch; i++) {
    const next = along(x, length, direction);
    const evaluated = evaluate(next);
    if (!(evaluated.value <= value + decrease * length * slope)) high = length;
    else if (dot(direction, evaluated.gradient) < flattening * slope) low = length;
    else return [next, evaluated];
    length = high < Number.POSITIVE_INFINITY ? (low + high) / 2 : 2 * low;
  }
  return undefined;
}
