// Owns what a contender does in its page: it measures the work that the address names, and hands the driver what came of it.
import { measure } from "../contenders/timing.mjs";

const asked = new URLSearchParams(location.search);

/** The backend that the driver asks of a library that has several. */
export const backend = asked.get("backend");
/** The threads that each contender is to have. */
export const threads = Number(asked.get("threads"));

/** A page has it of the driver; a worker tells its page. */
const report = globalThis.report ?? ((result) => globalThis.postMessage(result));

/**
 * Measures a work. `steps` maps its name to a function that builds it and returns `{ step }`; a step resolves to its loss.
 * `report`, which the driver puts into the page, takes the result: milliseconds, repetitions and losses, or `skipped` with the
 * contender's own message.
 */
export async function contend(steps) {
  const work = asked.get("work");
  try {
    const { step } = await steps[work]();
    const losses = [];
    const measured = await measure(async () => losses.push(await step()));
    await report({
      ...measured,
      losses: { first: losses[0], last: losses.at(-1), steps: losses.length },
    });
  } catch (error) {
    await report({ skipped: String(error?.message ?? error) });
  }
}
