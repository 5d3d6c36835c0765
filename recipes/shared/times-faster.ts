/** How many times faster one network is than another, measured in turns on this machine. */
import { type CompileOptions, type Module, predictor, type Tensor } from "../../src/index.ts";

/** The ratio of the median times of runs that take turns, so that whatever else the machine does meets both alike. */
export async function timesFaster(
  [before, after]: readonly [Module, Module],
  x: Tensor,
  { compile, runs = 30 }: { readonly compile: CompileOptions; readonly runs?: number },
): Promise<number> {
  const asked = [before, after].map((model) => predictor(model, { compile }));
  const seconds = asked.map((): number[] => []);
  try {
    // The first two of each are for compiling and warming up.
    for (let i = -2; i < runs; i++)
      for (const [at, ask] of asked.entries()) {
        const began = performance.now();
        await ask(x);
        if (i >= 0) seconds[at]?.push(performance.now() - began);
      }
  } finally {
    for (const ask of asked) await ask.release();
  }
  const [slow = Number.NaN, fast = Number.NaN] = seconds.map((own) => own.sort((a, b) => a - b)[runs >> 1]);
  return slow / fast;
}
