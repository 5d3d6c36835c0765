/** The gradient transform of private training: clipped sums of the batches of an update, noise, and what was spent. */
import { OptionError } from "../core/errors.ts";
import { add, mul, scalar } from "../ops/index.ts";
import { layerOfParameter, type SampleClipping } from "../train/engine/clipped-step.ts";
import { gradientsName, type Shard } from "../train/store/shard.ts";
import type { GradientTransform, Transformed } from "../train/transforms/transform.ts";
import type { NormalNoise } from "./gaussian-noise.ts";

/** How limits follow the norms of gradients. */
export interface AdaptiveLimits {
  /** The share of samples that are to be within their limit. */
  readonly quantile: number;
  /** Standard deviation of the noise on the number of samples within a limit. */
  readonly countNoise: number;
  /** How fast limits move. */
  readonly rate: number;
}

/** What updates are made with. */
export interface PrivateUpdates {
  /** Standard deviation of the noise on gradients / the norm that a sample has at most. */
  readonly noiseMultiplier: number;
  /** The norm that a sample's gradient has at most, of all parameters together; the first one where limits adapt. */
  readonly limit: number;
  readonly byLayer: boolean;
  readonly adaptive: AdaptiveLimits | undefined;
  /** Samples that an update is expected to have. */
  readonly samples: number;
  /** Batches of an update. */
  readonly parts: number;
  readonly way: SampleClipping["way"];
  /** Updates for which the budget suffices. */
  readonly mostUpdates: number;
  readonly noise: NormalNoise;
}

/** The name of the transform, under which it reports and remembers. */
export const privacyName = "privacy";

const slot = "clippedSum";

/** The transform, and how many updates it has made. */
export interface PrivateTransform {
  readonly transform: GradientTransform;
  updates(): number;
}

/**
 * A transform that bounds the gradient of each sample, adds those of an update up, and adds noise (Abadi et al. 2016, algorithm 1). With `adaptive` limits
 * follow a quantile of the norms, of which a noisy count alone is seen (Andrew et al. 2021, algorithm 1).
 */
export function privateTransform(options: PrivateUpdates): PrivateTransform {
  const { noiseMultiplier, limit, byLayer, adaptive, samples, parts, way, mostUpdates, noise } = options;
  let memory: Record<string, number> = {};
  let limits = Float32Array.of(limit);
  const clipping: SampleClipping = {
    get limits() {
      return limits;
    },
    byLayer,
    samples,
    parts,
    way,
  };
  const transform: GradientTransform = {
    name: privacyName,
    clipping,
    slots: parts > 1 ? [slot] : [],
    bind(shards, remembered) {
      memory = remembered;
      const groups = byLayer ? layersOf(shards) : 1;
      // A sample that is at the limit of every layer is at that of all.
      limits = Float32Array.from({ length: groups }, (_, i) => remembered[limitOf(i)] ?? limit / Math.sqrt(groups));
      const sums = parts > 1 ? sumsOf(shards) : undefined;
      return {
        async apply(gradients, { within, report }): Promise<Transformed> {
          const { updates = 0 } = memory;
          if (updates >= mostUpdates)
            throw new OptionError(
              `the budget of privacy is spent after ${mostUpdates} updates; train no longer, or begin anew with more epochs, which takes more noise`,
            );
          for (const [i, count] of (within ?? []).entries()) memory[insideOf(i)] = (memory[insideOf(i)] ?? 0) + count;
          const held = (memory["held"] ?? 0) + 1;
          memory["held"] = held % parts;
          if (sums) await sums.add(held === parts, gradients.scale);
          if (held < parts) return "held";
          gradients.scale = 1;
          const norm = Math.hypot(...limits);
          const deviation = (noiseMultiplier * norm) / samples;
          await gradients.edit((gradient, path) => {
            const drawn = noise(gradient.length, updates, path);
            for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] ?? 0) + deviation * (drawn[i] ?? 0);
          });
          if (adaptive) {
            const drawn = noise(groups, updates, "within");
            for (let i = 0; i < groups; i++) {
              // Counts of ±1/2 for each sample, which one moves by half.
              const share =
                ((memory[insideOf(i)] ?? 0) - samples / 2 + adaptive.countNoise * (drawn[i] ?? 0)) / samples + 0.5;
              limits[i] = (limits[i] ?? 0) * Math.exp(-adaptive.rate * (share - adaptive.quantile));
              memory[limitOf(i)] = limits[i] as number;
            }
          }
          for (let i = 0; i < groups; i++) memory[insideOf(i)] = 0;
          memory["updates"] = updates + 1;
          report({ limit: norm, deviation });
          return "changed";
        },
      };
    },
  };
  return { transform, updates: () => memory["updates"] ?? 0 };
}

/** Names under which the limit of a group, and its count of samples within it, are remembered. */
const [limitOf, insideOf] = [(group: number) => `limit${group}`, (group: number) => `within${group}`];

/** How many modules have parameters that are trained, in the order of the parameters. */
const layersOf = (shards: readonly Shard[]): number =>
  new Set(shards.flatMap(({ slots }) => slots.map(({ path }) => layerOfParameter(path)))).size;

/** Adds gradients up in a vector beside, and hands the last sum on. */
function sumsOf(shards: readonly Shard[]) {
  const loops = shards.map((shard) => ({
    length: shard.length,
    add: shard.loop([slot, gradientsName], 1, ([total, g], [scale]) => ({
      results: [total && g && scale && add(total, mul(g, scale))],
    })),
    handOn: shard.loop([slot, gradientsName], 1, ([total, g], [scale]) => ({
      results: [scalar(0), total && g && scale && add(total, mul(g, scale))],
    })),
  }));
  return {
    async add(isLast: boolean, scale: number): Promise<void> {
      for (const { length, add, handOn } of loops) await (isLast ? handOn : add)(0, length, [scale]);
    },
  };
}
