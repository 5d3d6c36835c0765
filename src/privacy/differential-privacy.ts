/** Training with differential privacy: batches to train on, and the transform that makes updates private. */
import { OptionError } from "../core/errors.ts";
import { count, flag, fraction, oneOf, positive } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { foldIn, type Key, keyType } from "../core/random.ts";
import type { Batch, Dataset } from "../data/pipeline/dataset.ts";
import { whyUnnumbered } from "../data/pipeline/source.ts";
import type { SampleClipping } from "../train/engine/clipped-step.ts";
import type { GradientTransform } from "../train/transforms/transform.ts";
import {
  noiseFor,
  type PrivacyAccountant,
  type PrivacyPhase,
  type PrivacySpent,
  privacySpent,
} from "./accounting/index.ts";
import { keyedNoise, secureNoise } from "./gaussian-noise.ts";
import { capacityFor, poissonBatches } from "./poisson-batches.ts";
import { privateTransform } from "./private-updates.ts";
import { secretKey } from "./secret-key.ts";

/** How the gradient of each sample is bounded. */
export interface ClippingOptions {
  /** The Euclidean norm that no sample's gradient exceeds; default 1. With `quantile` the first one. */
  readonly limit?: number | undefined;
  /** Whether each layer is bounded by itself, all together by `limit`; default false. */
  readonly byLayer?: boolean | undefined;
  /** Lets limits follow this quantile of the norms, of which a noisy count is seen (Andrew et al. 2021); default they stay. */
  readonly quantile?: number | undefined;
  /**
   * How a sample's gradient is found: `"lengths"` by its norm alone where that is less work than the gradient, the default; `"each"` as a whole;
   * `"alone"` as that of a batch of one sample, for losses and operators that have no other way.
   */
  readonly way?: SampleClipping["way"] | undefined;
  /** Samples that are computed at once at most, in the memory that they take; default as many as an update has room for. */
  readonly rows?: number | undefined;
}

/** Options of `differentialPrivacy`. */
export interface DifferentialPrivacyOptions {
  /** What the whole training may spend. */
  readonly epsilon: number;
  /** The probability that epsilon does not hold; default 1e-5, or a tenth of 1 / samples where that is less. */
  readonly delta?: number | undefined;
  /** Epochs of the whole training; an epoch has as many updates as it had batches. */
  readonly epochs: number;
  /** How the gradient of each sample is bounded. */
  readonly clipping?: ClippingOptions | undefined;
  /** Draws samples and noise; default a secret one, of a training that cannot be repeated. Who knows it can take the noise away: to go on later, choose one and keep it. */
  readonly key?: Key | undefined;
  /** Takes noise from the system's secure source in place of the key, also against attackers who guess 64 bits. Default false. */
  readonly secure?: boolean | undefined;
  /** How privacy is accounted, see `privacySpent`; default `"prv"`. */
  readonly accountant?: PrivacyAccountant | undefined;
}

const checkClipping = optionsOf<ClippingOptions>("clipping", {
  limit: positive,
  byLayer: flag,
  quantile: fraction,
  way: oneOf("lengths", "each", "alone"),
  rows: count(),
});
const checkOptions = optionsOf<DifferentialPrivacyOptions>("differentialPrivacy", {
  epsilon: required(positive),
  delta: fraction,
  epochs: required(count()),
  clipping: checkClipping.type,
  key: keyType,
  secure: flag,
  accountant: oneOf<PrivacyAccountant>("prv", "rdp", "gdp"),
});

/** A training that spends a budget of privacy. */
export interface PrivateTraining<B extends Batch> {
  /** Batches of samples drawn at random, with their weights: 0 of padding. */
  readonly batches: Dataset<B>;
  /** For `training: { transforms }`, the only one. */
  readonly transform: GradientTransform;
  /** Standard deviation of the noise / the norm that a sample has at most. */
  readonly noiseMultiplier: number;
  /** Probability that a sample is in an update. */
  readonly sampleRate: number;
  /** The probability that epsilon does not hold. */
  readonly delta: number;
  /** What was done so far, for accountants. */
  history(): readonly PrivacyPhase[];
  /** What was spent so far, by the updates that the transform made. */
  spent(): PrivacySpent;
}

/** The share of delta for updates that drew more samples than there is room for. */
const ofCapacity = 1e-3;

/**
 * Makes a training (epsilon, delta)-differentially private where one sample is added or removed: by what is learned nobody can tell with more certainty than
 * that whether a sample was among the data (Dwork and Roth 2014, def. 2.4; DP-SGD, Abadi et al. 2016). Each update draws every sample by itself with the same
 * probability, bounds the gradient of each, and adds noise; how much is reckoned before the training. What is logged of losses and metrics of the training part
 * is not covered; nor is what you choose by looking at validation data.
 *
 * `batches` is what you would train on; its batch size is how many samples an update is expected to have. Throws OptionError for an epsilon that cannot
 * be reached, and a delta above 1 / samples, DataError for a stream, whose samples cannot be drawn. A model that mixes samples, such as by batch
 * normalization, is refused when it is first trained.
 * @example
 * const privacy = differentialPrivacy(train, { epsilon: 3, epochs: 20 });
 * await fit(model, privacy.batches, { loss: crossEntropy(), optimizer: adam(), epochs: 20, training: { transforms: [privacy.transform] } });
 * console.log(privacy.spent().epsilon);
 */
export function differentialPrivacy<B extends Batch>(
  batches: Dataset<B>,
  options: DifferentialPrivacyOptions,
): PrivateTraining<B> {
  const {
    epsilon,
    epochs,
    clipping = {},
    key = secretKey(),
    secure = false,
    accountant = "prv",
    ...given
  } = checkOptions(options);
  const { limit = 1, byLayer = false, quantile, way = "lengths", rows: mostRows } = clipping;
  const { drawable } = batches.source;
  if (!drawable)
    throw new OptionError(
      `differentialPrivacy: samples cannot be drawn of these batches, since ${whyUnnumbered(batches.source)}; use data of which any sample can be had, such as fromTensors or fromIndexed, and leave out what changes batches by their order`,
    );
  const { samples, size } = drawable;
  const delta = given.delta ?? Math.min(1e-5, 0.1 / samples);
  const sampleRate = Math.min(1, size / samples);
  const updates = Math.max(1, Math.round(samples / size));
  const steps = updates * epochs;
  // Of updates that would be larger than their room a part is taken: what that may give away is set aside (Chua et al. 2024).
  const aside = ofCapacity * delta;
  const { noiseMultiplier } = noiseFor({ epsilon, delta: delta - aside, sampleRate, steps, accountant, samples });
  const capacity = capacityFor(samples, sampleRate, steps, aside / (1 + Math.exp(epsilon)));
  const rows = way === "alone" ? 1 : Math.min(mostRows ?? capacity, capacity);
  const parts = Math.ceil(capacity / rows);
  // Of the noise that is reckoned a part goes on counts, and gradients get as much more (Andrew et al. 2021, theorem 1).
  const countNoise = size / 20;
  const onGradients =
    quantile === undefined ? noiseMultiplier : (noiseMultiplier ** -2 - (2 * countNoise) ** -2) ** -0.5;
  if (!(onGradients > 0))
    throw new OptionError(
      `differentialPrivacy: counting ${size} samples of an update with noise leaves none of the budget for gradients; use larger batches, or leave quantile out`,
    );
  const { transform, updates: made } = privateTransform({
    noiseMultiplier: onGradients,
    limit,
    byLayer,
    adaptive: quantile === undefined ? undefined : { quantile, countNoise, rate: 0.2 },
    samples: size,
    parts,
    way,
    mostUpdates: steps,
    noise: secure ? secureNoise : keyedNoise(key),
  });
  const history = (): readonly PrivacyPhase[] => (made() === 0 ? [] : [{ noiseMultiplier, sampleRate, steps: made() }]);
  const sampling = { sampleRate, capacity, updates, parts, rows, key: foldIn(key, "samples") };
  return {
    batches: poissonBatches(drawable, sampling),
    transform,
    noiseMultiplier,
    sampleRate,
    delta,
    history,
    spent: () => ({ ...privacySpent(history(), { delta: delta - aside, accountant, samples }), delta }),
  };
}
