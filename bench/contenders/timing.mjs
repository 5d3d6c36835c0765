// Owns how a step is timed, in Node and in a browser alike; torch.py and adam.c follow the same rule.

const warmUpMilliseconds = 1_000;
const enoughMilliseconds = 3_000;
const enoughRepetitions = 5;
const longestMilliseconds = 20_000;

/** The middle value, or the mean of the middle two. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Warms `step` up, then times it until it has run 3 seconds and 5 times, or 20 seconds however few times that is.
 * `calls` is how many calls make one repetition, for steps too short for the clock.
 * Returns the median milliseconds of one call, and the number of repetitions.
 */
export async function measure(step, { calls = 1 } = {}) {
  const repeat = async () => {
    const start = performance.now();
    for (let call = 0; call < calls; call++) await step();
    return performance.now() - start;
  };

  for (let spent = 0; spent < warmUpMilliseconds; ) spent += await repeat();

  const times = [];
  let spent = 0;
  while (spent < longestMilliseconds && (spent < enoughMilliseconds || times.length < enoughRepetitions)) {
    const time = await repeat();
    times.push(time);
    spent += time;
  }
  return { milliseconds: median(times) / calls, repetitions: times.length };
}
