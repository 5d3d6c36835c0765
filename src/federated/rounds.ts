/** What a federation is run by: the options that simulation and coordinator share, the record of rounds, and who takes part in one. */
import { OptionError } from "../core/errors.ts";
import { count, having, matching, positive, positiveShare } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../core/random.ts";
import type { Schedule } from "../train/schedules.ts";
import { type Aggregation, mean } from "./aggregations.ts";
import { type Compression, checkCompression } from "./compression.ts";
import { checkNoise, type NoiseOptions } from "./noise.ts";
import { fedAvg } from "./strategies/fed-avg.ts";
import type { Strategy } from "./strategies/strategy.ts";

/** How a federation learns. */
export interface FederationOptions {
  /** The algorithm; default `fedAvg()`. */
  readonly strategy?: Strategy;
  /**
   * How updates become one; default `mean()`. With `secureMean()` the coordinator learns their sum alone; the others hold against clients that lie, and take every client for
   * one.
   */
  readonly aggregation?: Aggregation;
  /** Noise that protects clients; default none. */
  readonly noise?: NoiseOptions;
  /** How updates are written; default float32. The values that clients are sent are float32. */
  readonly compression?: Compression;
  /** Share of the clients that take part in a round, drawn anew for each; default 1. */
  readonly share?: number;
  /** Passes over a client's data in a round; default 1. */
  readonly localEpochs?: number;
  /**
   * What the clients' learning rate is multiplied by in each round: a number above 0, or a schedule of the rounds, 0 for the first, such as `cosine({ rate: 1, steps: rounds
   * })`. Where data differ, FedAvg needs rates that fall to come to rest (Li et al. 2020, "On the Convergence of FedAvg on Non-IID Data", sec. 3.3).
   * Default 1.
   */
  readonly rate?: number | Schedule;
  /** What sampling and training derive from; default `keyOf(0)`. */
  readonly key?: Key;
}

export const checkFederation = optionsOf<FederationOptions>("federation", {
  strategy: having<Strategy>("advance", "a strategy such as fedAvg()"),
  aggregation: having<Aggregation>("combine", "an aggregation such as mean()"),
  noise: checkNoise.type,
  compression: checkCompression.type,
  share: positiveShare,
  localEpochs: count(),
  rate: matching<number | Schedule>(
    "a number above 0, or a schedule of the rounds",
    (value) => typeof value === "function" || (typeof value === "number" && value > 0 && Number.isFinite(value)),
  ),
  key: keyType,
});

/** When a round begins, and when it ends without all of its clients. */
export interface RoundPolicy {
  /** Clients that must be there before a round begins; default 1. */
  readonly clients?: number;
  /** The fewest updates that a round is made of; default all of its clients'. With fewer at its end it begins again, with other clients. */
  readonly updates?: number;
  /** Seconds after which a round ends without those who have not answered; default 600. */
  readonly seconds?: number;
}

export const checkPolicy = optionsOf<RoundPolicy>("rounds", { clients: count(), updates: count(), seconds: positive });

/** What a round was. */
export interface RoundRecord {
  /** Its number, 1 for the first. */
  readonly round: number;
  /** The clients whose updates count, by name. */
  readonly clients: readonly string[];
  /** Of those drawn, the ones that do not count, with the reason. */
  readonly dropped: Readonly<Record<string, string>>;
  /** Samples of the clients that count. */
  readonly samples: number;
  /** Mean training loss of these samples; not known where noise protects it. */
  readonly loss?: number | undefined;
  /** Bytes of the tasks that clients were sent, each once. */
  readonly bytesDown: number;
  /** Bytes of the updates that came, refused ones too. */
  readonly bytesUp: number;
}

/**
 * The name of a client by its number, of so many: `"007"`. All are equally long, so that their order is that of the numbers.
 */
export const clientName = (client: number, clients: number): string =>
  String(client).padStart(String(Math.max(0, clients - 1)).length, "0");

/** Clients by name, in the order in which sums are made. */
export const inOrder = (names: Iterable<string>): string[] => [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));

/** How many clients a round has of those that are there. */
export const clientsOfRound = (present: number, share: number): number =>
  Math.min(present, Math.max(1, Math.round(share * present)));

/** The clients of a round, by a key: a share of those that are there, one at least, in order. */
export function sampleClients(
  present: Iterable<string>,
  share: number,
  key: Key,
  round: number,
  attempt = 0,
): string[] {
  const all = inOrder(present);
  const length = clientsOfRound(all.length, share);
  const order = new Random(foldIn(key, "sample", round, attempt)).permutation(all.length);
  return inOrder(Array.from(order.subarray(0, length), (place) => all[place] as string));
}

/** The options of a federation with their defaults. */
export type FederationParts = Required<Omit<FederationOptions, "noise">> & {
  readonly compression: Required<Compression>;
  readonly noise: NoiseOptions | undefined;
};

/** The options with their defaults. Throws OptionError for parts that do not go together. */
export function federationOf(options: FederationOptions = {}): FederationParts {
  const { strategy = fedAvg(), aggregation = mean(), compression = {}, share = 1, localEpochs = 1, rate = 1 } = options;
  const { encoding = "float32", share: kept = 0.1 } = compression;
  const { noise } = options;
  const returns = (strategy.local?.remembers.length ?? 0) > 0;
  if (!aggregation.isMean && returns)
    throw new OptionError(
      `${strategy.name} adds up what all clients return, which ${aggregation.name} does not; take mean() with it, or fedAvg() with ${aggregation.name}`,
    );
  if (aggregation.isSecure && encoding !== "float32")
    throw new OptionError(
      `${aggregation.name} adds up masked numbers, which cannot be written as ${encoding}; leave the compression out`,
    );
  if (noise && returns)
    throw new OptionError(
      `${strategy.name} returns more than a change, which noise does not protect; take fedAvg() with noise`,
    );
  if (noise && encoding === "topK")
    throw new OptionError(
      "noise is of all elements, and topK sends a share of them; compress by int8 or float16, or not at all",
    );
  if (noise && noise.by !== "clients" && !aggregation.isMean)
    throw new OptionError(
      `noise by the coordinator is as much as a mean needs, and ${aggregation.name} is none; take mean() or secureMean(), or noise by clients`,
    );
  return {
    ...{ strategy, aggregation, share, localEpochs, rate, noise },
    compression: { encoding, share: kept },
    key: options.key ?? keyOf(0),
  };
}
