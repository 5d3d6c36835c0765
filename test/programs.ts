/** What programs print: examples of the documents, and those in docs/examples. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const runner = fileURLToPath(new URL("run-programs.mjs", import.meta.url));

/** Starts TypeScript programs one after the other in one process; gives for each path a promise of what it prints. */
export function startPrograms(paths: readonly string[]): (path: string) => Promise<string> {
  const settle = new Map<
    string,
    { readonly resolve: (printed: string) => void; readonly reject: (error: Error) => void }
  >();
  const printed = new Map(
    paths.map((path) => {
      const promise = new Promise<string>((resolve, reject) => settle.set(path, { resolve, reject }));
      // Whoever asks sees the error; one that nobody asks for must not end the process.
      promise.catch(() => undefined);
      return [path, promise];
    }),
  );
  const child = spawn(process.execPath, ["--import", "tsx", runner, ...paths], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  createInterface(child.stdout).on("line", (line) => {
    const { path, printed: text, error } = JSON.parse(line) as { path: string; printed: string; error?: string };
    if (error === undefined) settle.get(path)?.resolve(text);
    else settle.get(path)?.reject(new Error(`${path}: ${error}\nIt printed:\n${text}`));
  });
  child.on("close", (code) => {
    for (const [path, { reject }] of settle) reject(new Error(`${path} did not run: the process ended with ${code}`));
  });
  return (path) => printed.get(path) ?? Promise.reject(new Error(`${path} was not started`));
}
