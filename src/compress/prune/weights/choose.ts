/** Chooses single weights: those of the least score, of all layers together, of each, or of each few that lie side by side. */
import { OptionError } from "../../../core/errors.ts";
import { count, eitherOf, oneOf } from "../../../core/option-types.ts";
import { type OptionType, optionsOf, required } from "../../../core/options.ts";
import type { Shape } from "../../../core/shape.ts";

/** Of every `m` elements that lie side by side in a row of a weight, `n` stay. */
export interface KeptPattern {
  /** How many stay, fewer than `m`. */
  readonly n: number;
  /** Of how many; the rows of a weight, of all but its first axis, must be a multiple. */
  readonly m: number;
}

/** Among which weights the least are chosen. */
export type PruneBy = "global" | "layer" | KeptPattern;

export const pruneByType: OptionType<PruneBy> = eitherOf<"global" | "layer", KeptPattern>(
  oneOf("global", "layer"),
  optionsOf<KeptPattern>("by", { n: required(count()), m: required(count(2)) }).type,
  '"global", "layer", or a pattern such as { n: 2, m: 4 }',
);

/** The scores of the elements of a weight. */
export interface ScoredWeight {
  readonly path: string;
  readonly shape: Shape;
  readonly scores: Float32Array;
}

/** Which elements go: for each weight, 1 where one does. */
export type Pruned = ReadonlyMap<string, Uint8Array>;

/** The place of the best element of a weight, which always stays, so that no layer is cut off. */
const best = ({ scores }: ScoredWeight): number =>
  scores.reduce((at, score, i) => (score > (scores[at] as number) ? i : at), 0);

/** @param sparsity share that goes, of all weights together or of each; a pattern says it itself */
export function choosePruned(weights: readonly ScoredWeight[], by: PruneBy, sparsity: number): Pruned {
  if (by === "global") return leastOf(weights, sparsity);
  if (by === "layer") return new Map(weights.flatMap((weight) => [...leastOf([weight], sparsity)]));
  return new Map(weights.map((weight) => [weight.path, leastOfEach(weight, by)]));
}

/** The least of all elements; of equal ones those that come first. */
function leastOf(weights: readonly ScoredWeight[], sparsity: number): Pruned {
  const length = weights.reduce((sum, { scores }) => sum + scores.length, 0);
  const pruned = new Map(weights.map(({ path, scores }) => [path, new Uint8Array(scores.length)]));
  const going = Math.min(Math.floor(sparsity * length), length - weights.length);
  if (going <= 0) return pruned;
  const all = new Float32Array(length - weights.length);
  let next = 0;
  const staying = new Map(weights.map((weight) => [weight, best(weight)]));
  for (const weight of weights)
    for (const [i, score] of weight.scores.entries()) if (i !== staying.get(weight)) all[next++] = score;
  all.sort();
  const threshold = all[going - 1] as number;
  let room = going;
  for (const score of all) if (score < threshold) room--;
  for (const weight of weights) {
    const own = pruned.get(weight.path) as Uint8Array;
    for (const [i, score] of weight.scores.entries())
      if (i !== staying.get(weight) && (score < threshold || (score === threshold && room-- > 0))) own[i] = 1;
  }
  return pruned;
}

/** Of every m elements side by side all but the n greatest. */
function leastOfEach({ scores }: ScoredWeight, { n, m }: KeptPattern): Uint8Array {
  const pruned = new Uint8Array(scores.length);
  for (let start = 0; start < scores.length; start += m) {
    const order = Array.from({ length: m }, (_, i) => start + i).sort(
      (a, b) => (scores[a] as number) - (scores[b] as number) || a - b,
    );
    for (const at of order.slice(0, m - n)) pruned[at] = 1;
  }
  return pruned;
}

/** Throws OptionError for a pattern that keeps all, and for one that does not divide the rows of a weight. */
export function requirePattern(
  where: string,
  by: PruneBy,
  weights: readonly Pick<ScoredWeight, "path" | "shape">[],
): void {
  if (typeof by === "string") return;
  const { n, m } = by;
  if (n >= m)
    throw new OptionError(`${where}: of every ${m} elements ${n} are to stay; pass fewer, such as { n: 2, m: 4 }`);
  const rowOf = ({ shape }: Pick<ScoredWeight, "shape">) =>
    shape.slice(1).reduce((product, extent) => product * extent, 1);
  const stray = weights.find((weight) => rowOf(weight) % m !== 0);
  if (stray)
    throw new OptionError(
      `${where}: a row of "${stray.path}" has ${rowOf(stray)} elements, which is no multiple of ${m}; exclude it: exclude: "${stray.path}"`,
    );
}
