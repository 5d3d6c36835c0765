/** Times of several ways to do the same, measured in turns, so that what else the machine does falls on all alike. */
import { median } from "../../core/lists.ts";

/** Rounds before it counts, and the time that rounds may take together. */
const [warm, budget] = [2, 2000];

/**
 * Median milliseconds of each task over rounds in which all take their turn.
 * @param most rounds at most; default 30. There are at least 3, and no more than fit into two seconds
 */
export async function interleaved(tasks: readonly (() => Promise<unknown>)[], most = 30): Promise<readonly number[]> {
  const times: number[][] = tasks.map(() => []);
  const start = performance.now();
  for (let round = -warm; round < most; round++) {
    for (const [i, task] of tasks.entries()) {
      const from = performance.now();
      await task();
      if (round >= 0) times[i]?.push(performance.now() - from);
    }
    if (round >= 2 && performance.now() - start > budget) break;
  }
  return times.map(median);
}
