/** A rate that falls along a cosine as steps are done, or as time runs out. */
import { positive } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { cosine, type Schedule } from "../../train/schedules.ts";

/** Options of `cosineInTime`. */
export interface CosineInTimeOptions {
  /** Highest rate. */
  readonly rate: number;
  /** Steps of the run, where the time is enough for them. */
  readonly steps: number;
  /** Seconds that the run may take, from the first step on. */
  readonly seconds: number;
}

const checkOptions = optionsOf<CosineInTimeOptions>("cosineInTime", {
  rate: required(positive),
  steps: required(positive),
  seconds: required(positive),
});

/** Share of the steps in which the rate rises. */
const warmup = 0.05;
/** Share of the time that does not count: a run that is a little behind at first has its steps alone decide. */
const slack = 0.25;

/**
 * Half a cosine wave over the steps, after a linear rise; where the time ends before the steps do, it falls with the time, so that a run which
 * is cut off has come to small steps all the same. Runs whose time suffices repeat bit for bit.
 */
export function cosineInTime(options: CosineInTimeOptions): Schedule {
  const { rate, steps, seconds } = checkOptions(options);
  const falling = cosine({ rate, steps, warmup: Math.ceil(warmup * steps) });
  let began: number | undefined;
  return (step) => {
    began ??= performance.now();
    const passed = (performance.now() - began) / 1000 / seconds;
    return falling(Math.max(step, (steps * (passed - slack)) / (1 - slack)));
  };
}
