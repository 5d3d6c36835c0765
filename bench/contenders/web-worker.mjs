// Owns the browser globals (Worker, self, navigator) that jax-js needs before it uses more than one thread in Node.
import { resolveObjectURL } from "node:buffer";
import { Worker as NodeWorker } from "node:worker_threads";

// A browser worker's own globals, written with what a Node worker has.
const prelude = `
  const { parentPort } = require("node:worker_threads");
  globalThis.self = globalThis;
  globalThis.postMessage = (message) => parentPort.postMessage(message);
  parentPort.on("message", (data) => self.onmessage({ data }));
`;

/** A browser's Worker over a Node worker, for a script given as an object URL. */
class BrowserWorker {
  #started;
  onmessage = null;
  onerror = null;

  constructor(url) {
    // Blob.text() is asynchronous, so messages posted before the script is known wait for it.
    this.#started = resolveObjectURL(url)
      .text()
      .then((script) => {
        const worker = new NodeWorker(prelude + script, { eval: true });
        worker.on("message", (data) => this.onmessage?.({ data }));
        worker.on("error", (error) => this.onerror?.(error));
        return worker;
      });
  }

  postMessage(message) {
    this.#started = this.#started.then((worker) => {
      worker.postMessage(message);
      return worker;
    });
  }
}

/** Gives this process the globals with which jax-js finds `threads` processors and starts as many workers. */
export function installBrowserGlobals(threads) {
  Object.defineProperty(globalThis, "navigator", {
    value: { hardwareConcurrency: threads, userAgent: "node" },
    configurable: true,
  });
  globalThis.Worker = BrowserWorker;
}
