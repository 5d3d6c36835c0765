/** The number of threads of a computation, unless an option gives it. */
import { availableParallelism } from "node:os";

/**
 * What the environment's OMP_NUM_THREADS says, which PyTorch and NumPy's libraries read too; else one a core.
 * @param processes that share the machine; default 1
 */
export function defaultThreads(processes = 1): number {
  const said = Number(process.env["OMP_NUM_THREADS"]);
  return Number.isSafeInteger(said) && said > 0 ? said : Math.max(1, Math.floor(availableParallelism() / processes));
}
