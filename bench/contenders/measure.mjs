// Owns what a JavaScript contender in Node does: it times its work and prints one line.

import { peakBytes } from "../../scripts/resident-memory.mjs";
import { measure } from "./timing.mjs";

/** The number of threads the driver asked for, in the variable that OpenMP reads too. */
export const threads = Number(process.env.OMP_NUM_THREADS ?? 2);

/**
 * Runs the work named on the command line and prints its one JSON line.
 * `steps` maps a work's name to a function that builds it and returns `{ step, calls?, note?, products? }`; `products` gives what
 * the step's products would take alone.
 */
export async function contend({ contender, version, steps, note: contenderNote }) {
  const work = process.argv[2];
  const print = (result) => process.stdout.write(`${JSON.stringify({ contender, work, ...result })}\n`);
  const build = steps[work];
  if (build === undefined) {
    print({ skipped: `${contender} has no program for the work '${work}'.` });
    return;
  }
  try {
    const { step, note = contenderNote, products, ...options } = await build();
    const measured = { ...(await measure(step, options)), peakBytes: peakBytes() };
    print({ ...measured, ...(products && { products: await products() }), version, note });
  } catch (error) {
    print({ skipped: `${contender} stopped: ${String(error.message).split("\n")[0]}` });
  }
}
