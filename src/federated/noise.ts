/** Noise that protects what clients learned from: by the coordinator on the mean, or by clients on what they send, and what each client has spent. */
import { oneOf, positive } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { type Key, keyType } from "../core/random.ts";
import { gaussianEpsilon } from "../privacy/accounting/gaussian.ts";
import { keyedNoise, secureNoise } from "../privacy/gaussian-noise.ts";
import type { ChangeNoise } from "./messages.ts";
import type { RoundRecord } from "./rounds.ts";

/** Who adds noise. */
export const noiseSources = ["coordinator", "clients"] as const;

/** How much noise a federation adds. */
export interface NoiseOptions {
  /** Standard deviation of the noise, in multiples of `clip`. */
  readonly multiplier: number;
  /** The norm that a client's change has at most: longer ones are made shorter. */
  readonly clip: number;
  /**
   * `coordinator`: it adds noise to the sum of the changes, which it sees; what is learned protects each client from everybody else. `clients`: each adds it to what it
   * sends, all of it; with `secureMean` each adds a part, of which the sum has as much as by the coordinator, who then sees nothing else. Default `coordinator`.
   */
  readonly by?: (typeof noiseSources)[number];
  /** Of the noise, for simulations that can be repeated; default the system's secure source. */
  readonly key?: Key;
}

export const checkNoise = optionsOf<NoiseOptions>("noise", {
  multiplier: required(positive),
  clip: required(positive),
  by: oneOf(...noiseSources),
  key: keyType,
});

/**
 * What a client does to its change.
 * @param summands of how many clients at least the coordinator learns nothing but the sum
 */
export const changeNoise = ({ multiplier, clip, by }: NoiseOptions, summands: number): ChangeNoise => ({
  clip,
  deviation: by === "clients" ? (multiplier * clip) / Math.sqrt(summands) : 0,
});

/** Makes a change so long at most, in place: each element by the same factor. */
export function clipTo(change: Float32Array, clip: number): void {
  const norm = Math.sqrt(change.reduce((sum, value) => sum + value * value, 0));
  // Rounding to float32 lengthens by less than this.
  const factor = norm > clip ? (clip / norm) * (1 - 1e-6) : 1;
  if (factor < 1) for (let i = 0; i < change.length; i++) change[i] = (change[i] as number) * factor;
}

/** Adds normal noise, in place. @param key of this noise alone; `undefined` for the system's secure source */
export function addNoise(change: Float32Array, deviation: number, key: Key | undefined): void {
  if (deviation === 0) return;
  const noise = (key ? keyedNoise(key) : secureNoise)(change.length, 0, "federation");
  for (let i = 0; i < change.length; i++) change[i] = (change[i] as number) + deviation * (noise[i] as number);
}

/** What a client has spent. */
export interface ClientSpent {
  /** Rounds whose sum has its update. */
  readonly rounds: number;
  /** Epsilon of all of them together. */
  readonly epsilon: number;
}

/**
 * What each client has spent at a delta, by name: of so many rounds that its updates were part of, each a Gaussian mechanism, composed exactly (Dong, Roth and Su
 * 2022). It protects all of a client's data at once: whatever they had been, even none, in rounds that everybody may know it took part in; so that its being drawn by chance
 * counts for nothing. With noise by the coordinator, or by clients in secure aggregation, for what is learned; by clients without it, for what they send.
 */
export function spentByClients(
  history: readonly Pick<RoundRecord, "clients">[],
  { multiplier }: Pick<NoiseOptions, "multiplier">,
  delta: number,
): Record<string, ClientSpent> {
  const rounds = new Map<string, number>();
  for (const { clients } of history) for (const name of clients) rounds.set(name, (rounds.get(name) ?? 0) + 1);
  return Object.fromEntries(
    [...rounds].map(([name, count]) => [
      name,
      { rounds: count, epsilon: gaussianEpsilon(Math.sqrt(count) / multiplier, delta) },
    ]),
  );
}
