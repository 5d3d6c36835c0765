/** Worker threads of this package's own modules, from its sources as well as compiled. */
import { Worker } from "node:worker_threads";

/**
 * Starts the module at an address, named as it is compiled (`….js`), in a thread. TypeScript, as in tests and in your own recipes, needs a loader
 * in the thread too; Node 20 ignores `--import` there, so that the loader is registered by the thread's first lines. Compiled files need none.
 * @param from `import.meta.url` of the caller
 * @param loads another module that the thread loads, which may be TypeScript
 */
export function startThread(path: string, from: string, workerData: unknown, loads?: string): Worker {
  const isSource = from.endsWith(".ts");
  const entry = new URL(isSource ? path.replace(/\.js$/, ".ts") : path, from);
  if (!isSource && !loads?.endsWith(".ts")) return new Worker(entry, { workerData });
  const loader = import.meta.resolve("tsx/esm/api");
  const firstLines = `import(${JSON.stringify(loader)}).then(({ register }) => (register(), import(${JSON.stringify(entry.href)})))`;
  return new Worker(firstLines, { eval: true, workerData });
}
