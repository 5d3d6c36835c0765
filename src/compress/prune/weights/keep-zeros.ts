/** Keeps weights at zero while training goes on, and prunes more of them as it does. */
import { OptionError } from "../../../core/errors.ts";
import { count, fraction, oneOf, pathPatternsType, positiveFraction } from "../../../core/option-types.ts";
import { optionsOf, required } from "../../../core/options.ts";
import { matchesPath, type PathPatterns } from "../../../core/path-pattern.ts";
import { mul, sub } from "../../../ops/index.ts";
import { gradientsName, parametersName, type Shard, type Slot } from "../../../train/store/shard.ts";
import type { GradientTransform, Transformed } from "../../../train/transforms/transform.ts";
import { choosePruned, type ScoredWeight } from "./choose.ts";
import { sizesOf } from "./plan.ts";

/** The vector that has 1 where a weight is to stay zero: beside the parameters, so that checkpoints have it. */
const prunedName = "pruned";

/** Weights that a transform is about, in a shard. */
const weightsOf = ({ slots }: Shard, exclude: PathPatterns | undefined): readonly Slot[] => {
  const patterns = exclude === undefined ? [] : [exclude].flat();
  return slots.filter(
    ({ path, parameter }) => parameter.shape.length > 1 && !patterns.some((pattern) => matchesPath(path, pattern)),
  );
};

/** Options of `keepZeros`. */
export interface KeepZerosOptions {
  /** Parameters whose zeros may move, by their paths. Default none. */
  readonly exclude?: PathPatterns;
}

const checkKeep = optionsOf<KeepZerosOptions>("keepZeros", { exclude: pathPatternsType });

/**
 * A gradient transform that keeps weights at zero which are zero as training begins, whatever the optimizer does: their gradients are
 * zero before any clipping, and after each update they are put to zero again, so that neither momentum nor weight decay moves them.
 * Which they are a checkpoint holds. Weights are parameters of two axes or more; one that is zero all over, such as a new adapter's,
 * trains.
 * @example
 * await pruneWeights(model, { sparsity: 0.9 });
 * await fit(model, train, { loss, optimizer, epochs: 2, training: { transforms: [keepZeros()] } });
 */
export function keepZeros(options: KeepZerosOptions = {}): GradientTransform {
  const { exclude } = checkKeep(options);
  return masking("keepZeros", exclude, () => undefined);
}

/** Options of `pruneGradually`. */
export interface PruneGraduallyOptions {
  /** Share of the weights that is zero in the end, above 0 and below 1. */
  readonly sparsity: number;
  /** Share that is zero at `begin`; default 0. */
  readonly from?: number;
  /** The update at which pruning begins, counted from 0; default 0. */
  readonly begin?: number;
  /** The update at which the last weights are pruned; what is left trains on in those after it. */
  readonly end: number;
  /** Updates from one pruning to the next, in which what is left recovers; default 100. */
  readonly every?: number;
  /** Among which the least are chosen: of all weights together, or of each layer by itself; default `"global"`. */
  readonly by?: "global" | "layer";
  /** Parameters that stay whole, by their paths. Default none. */
  readonly exclude?: PathPatterns;
}

const checkGradual = optionsOf<PruneGraduallyOptions>("pruneGradually", {
  sparsity: required(positiveFraction),
  from: fraction,
  begin: count(0),
  end: required(count()),
  every: count(),
  by: oneOf("global", "layer"),
  exclude: pathPatternsType,
});

/**
 * A gradient transform that prunes the smallest weights while a model trains, more and more of them, and keeps them at zero as
 * `keepZeros` does: s(t) = s₁ + (s₀ − s₁)(1 − (t − begin) / (end − begin))³ (Zhu and Gupta 2017, "To prune, or not to prune", equation
 * 1), fast at first, while much is redundant. Steps report the share that is zero as `sparsity`. A resumed run goes on with what it
 * had pruned. Throws OptionError for an end that is not after the beginning, and for more zeros at first than in the end.
 * @example
 * const transforms = [pruneGradually({ sparsity: 0.9, begin: 500, end: 2000 })];
 * await fit(model, train, { loss, optimizer, epochs: 4, training: { transforms } });
 */
export function pruneGradually(options: PruneGraduallyOptions): GradientTransform {
  const { sparsity, from = 0, begin = 0, end, every = 100, by = "global", exclude } = checkGradual(options);
  if (end <= begin)
    throw new OptionError(`pruneGradually: pruning begins at update ${begin} and ends at ${end}; pass a later end`);
  if (from > sparsity)
    throw new OptionError(
      `pruneGradually: ${from} of the weights are zero at first and ${sparsity} in the end; pass a smaller from`,
    );
  return masking("pruneGradually", exclude, (update) => {
    if (update < begin || update > end || ((update - begin) % every !== 0 && update !== end)) return undefined;
    return { by, sparsity: sparsity + (from - sparsity) * (1 - (update - begin) / (end - begin)) ** 3 };
  });
}

/** How much is pruned at an update. */
interface Pruning {
  readonly sparsity: number;
  readonly by: "global" | "layer";
}

/** @param dueAt what is pruned before an update, counted from 0; `undefined`: nothing */
function masking(
  name: string,
  exclude: PathPatterns | undefined,
  dueAt: (update: number) => Pruning | undefined,
): GradientTransform {
  return {
    name,
    slots: [prunedName],
    bind(shards, memory) {
      const loops = shards.map((shard) => {
        const erasing = (vector: string) =>
          shard.loop([vector, prunedName], 0, ([own, pruned]) => ({
            results: [own && pruned && mul(own, sub(1, pruned)), undefined],
          }));
        return { length: shard.length, gradients: erasing(gradientsName), parameters: erasing(parametersName) };
      });
      /** Of each shard its weights, as parameters and as what is pruned of them. */
      const eachWeight = async (visit: (weight: Float32Array, pruned: Float32Array, slot: Slot) => void) => {
        for (const shard of shards) {
          for (const vector of [parametersName, prunedName]) await shard.fetch(vector);
          const dataOf = (vector: string, slot: Slot) => shard.view(vector, slot).data as Float32Array;
          for (const slot of weightsOf(shard, exclude))
            visit(dataOf(parametersName, slot), dataOf(prunedName, slot), slot);
          shard.written(prunedName);
          await shard.settle();
        }
      };
      const erase = async () => {
        for (const { length, parameters } of loops) await parameters(0, length, []);
      };
      /** Of parameters that were not seen before: what is zero now is to stay so. */
      const takeUp = () =>
        eachWeight((weight, pruned, { path }) => {
          const key = `seen ${path}`;
          if (memory[key] !== undefined) return;
          memory[key] = 1;
          if (weight.some((own) => own !== 0)) for (const [i, own] of weight.entries()) if (own === 0) pruned[i] = 1;
        });
      /** Prunes, and gives the share that is zero then. */
      const prune = async ({ by, sparsity }: Pruning): Promise<number> => {
        const weights: ScoredWeight[] = [];
        await eachWeight((weight, _, { path, parameter: { shape } }) =>
          weights.push({ path, shape, scores: sizesOf(weight) }),
        );
        const chosen = choosePruned(weights, by, sparsity);
        let [zeros, all] = [0, 0];
        await eachWeight((_, pruned, { path }) => {
          const gone = chosen.get(path);
          for (let i = 0; i < pruned.length; i++) {
            if (gone?.[i] === 1) pruned[i] = 1;
            zeros += pruned[i] as number;
          }
          all += pruned.length;
        });
        await erase();
        return zeros / all;
      };
      let isKnown = false;
      return {
        async apply(_, { report }): Promise<Transformed> {
          if (!isKnown) await takeUp();
          isKnown = true;
          const { updates = 0, prunedAt = -1 } = memory;
          const due = prunedAt < updates ? dueAt(updates) : undefined;
          if (due) Object.assign(memory, { prunedAt: updates, sparsity: await prune(due) });
          if (memory["sparsity"] !== undefined) report({ sparsity: memory["sparsity"] });
          for (const { length, gradients: erased } of loops) await erased(0, length, []);
          return "changed";
        },
        async updated() {
          memory["updates"] = (memory["updates"] ?? 0) + 1;
          await erase();
        },
      };
    },
  };
}
