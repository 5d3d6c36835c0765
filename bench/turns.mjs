// Owns the turns that contenders take on a work, and what their rounds come to.
import { median } from "./contenders/timing.mjs";

/** One result out of a contender's rounds: the median time, and the highest memory where that was measured. */
function combine(contender, work, runs) {
  const failed = runs.find((run) => run.skipped !== undefined);
  if (failed !== undefined) return { contender, work, skipped: failed.skipped };
  const combined = {
    ...runs[0],
    contender,
    work,
    milliseconds: median(runs.map((run) => run.milliseconds)),
    rounds: runs.map((run) => run.milliseconds),
  };
  if (runs[0].peakBytes !== undefined) combined.peakBytes = Math.max(...runs.map((run) => run.peakBytes));
  return combined;
}

/**
 * The results of a work by the contenders that enter it. `run(contender, work)` resolves to what one run measured, or to `{ skipped }`
 * with a sentence; a contender with `skipped` of its own is not run, one whose `slow` names the work runs in the first round only.
 */
export async function inTurns(work, entered, rounds, run) {
  const runs = new Map(entered.map(({ name, skipped }) => [name, skipped === undefined ? [] : [{ skipped }]]));
  // In turns (A B A B), so that a change in the machine's speed touches every contender alike.
  for (let round = 0; round < rounds; round++) {
    for (const contender of entered) {
      const { name, slow = [] } = contender;
      const sofar = runs.get(name);
      const gaveUp = sofar.some(({ skipped }) => skipped !== undefined);
      if (gaveUp || (round > 0 && slow.includes(work))) continue;
      process.stderr.write(`${work}, round ${round + 1} of ${rounds}: ${name}\n`);
      sofar.push(await run(contender, work));
    }
  }
  return entered.map(({ name }) => combine(name, work, runs.get(name)));
}
