/** How long the exchange between processes that train together takes: a model of sums over a network, by latency and bandwidth. */
import { OptionError } from "../../core/errors.ts";

/** What joins processes. */
export interface Link {
  /** Bytes a second that one process sends and receives. */
  readonly bandwidth: number;
  /** Seconds from the call that sends a small message until it is there, programs on both sides included. */
  readonly latency: number;
}

/** Latency of a link for which none is said: a usual Ethernet with TCP. */
const usualLatency = 50 / 1e6;

/** How many of them make a second. */
const latencyUnits: Readonly<Record<string, number>> = { us: 1e6, µs: 1e6, ms: 1e3, s: 1 };
/** Bits of a unit. */
const bandwidthUnits: Readonly<Record<string, number>> = { K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/**
 * A link as people write it, bits a second and the latency: `10Gb`, `100Mb,1ms`, `25Gb,20us`. Throws OptionError.
 * @param name of the option, for the error
 */
export function linkOf(text: string, name: string): Link {
  const [, rate, prefix = "", delay, unit = ""] =
    /^\s*(\d+(?:\.\d+)?)\s*([KMGTkmgt])b(?:it)?(?:\/s|ps)?\s*(?:,\s*(\d+(?:\.\d+)?)\s*(us|µs|ms|s)\s*)?$/.exec(text) ??
    [];
  const bandwidth = (Number(rate) * (bandwidthUnits[prefix.toUpperCase()] ?? Number.NaN)) / 8;
  const latency = delay === undefined ? usualLatency : Number(delay) / (latencyUnits[unit.toLowerCase()] ?? 1);
  if (!(bandwidth > 0) || !(latency >= 0))
    throw new OptionError(`${name} is "${text}"; pass bits a second, and the latency if you know it: 10Gb, 1Gb,200us`);
  return { bandwidth, latency };
}

/** Bytes up to which a sum goes up and down a tree; of longer ones each process sums a part, and hands it to all (see `sumAll`). */
const treeBytes = 2 ** 16;

/** Bytes that are summed at a time. */
const bytesAtATime = 4 * 2 ** 24;

/**
 * Seconds that a sum over processes takes (Thakur et al. 2005, sec. 4): small ones in 2 ⌈log₂ n⌉ messages of a tree, of large ones each process
 * sends 2 (n - 1) messages of an n-th.
 */
export function sumSeconds(bytes: number, processes: number, { bandwidth, latency }: Link): number {
  if (processes < 2) return 0;
  const message = (size: number) => latency + size / bandwidth;
  if (bytes <= treeBytes) return 2 * Math.ceil(Math.log2(processes)) * message(bytes);
  const times = Math.ceil(bytes / bytesAtATime);
  return times * 2 * (processes - 1) * message(bytes / times / processes);
}

/** What processes tell one another in a step. */
export interface StepExchange {
  /** Bytes of the gradients. */
  readonly gradients: number;
  /** Small sums: loss and figures, whether one stops, moments of normalizations. */
  readonly meetings: number;
  /** In how many buckets gradients are exchanged, each while others are computed; default 1. */
  readonly buckets?: number | undefined;
}

/** Share of a step that is its way forward: the way back takes twice as long. */
const forwardShare = 1 / 3;

/**
 * Seconds of a step on so many processes: an equal part of the work each, and what of the exchange is not hidden behind it. Of several buckets, equally
 * large, each is exchanged once it is computed and the one before is done; what it costs to compute them one after the other is not counted.
 */
export function stepOfProcesses(
  seconds: number,
  { gradients, meetings, buckets = 1 }: StepExchange,
  processes: number,
  link: Link,
): { readonly seconds: number; readonly exchange: number } {
  const small = 256;
  const work = seconds / processes;
  const ofBucket = sumSeconds(gradients / buckets, processes, link);
  let end = 0;
  for (let bucket = 1; bucket <= buckets; bucket++)
    end = Math.max(end, work * (forwardShare + ((1 - forwardShare) * bucket) / buckets)) + ofBucket;
  const exchange = end - work + meetings * sumSeconds(small, processes, link);
  return { seconds: work + exchange, exchange };
}
