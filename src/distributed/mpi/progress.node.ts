/** Keeps calls of MPI going while this thread computes: without a call into the library most of them stand still. */
import type { Worker } from "node:worker_threads";
import { startThread } from "../../core/thread.node.ts";
import type { Handle, MpiLibrary } from "./library.node.ts";

/** What the thread is told through shared memory. */
export const [resting, looking, ending] = [0, 1, 2] as const;

/** What the thread needs. */
export interface ProgressData {
  /** Of the library. */
  readonly file: string;
  readonly isOpenMpi: boolean;
  /** A world in which there are no messages. */
  readonly world: Handle;
  /** Holds one of the words above. */
  readonly word: SharedArrayBuffer;
}

/** A thread that calls the library as long as something is under way; it starts with the first call. */
export class Progress {
  readonly #data: ProgressData;
  readonly #word: Int32Array;
  #worker: Worker | undefined;
  #count = 0;

  /** @param world one that nothing else uses */
  constructor({ file, family }: MpiLibrary, world: Handle) {
    const word = new SharedArrayBuffer(4);
    this.#word = new Int32Array(word);
    this.#data = { file, isOpenMpi: family === "Open MPI", world, word };
  }

  /** To be called when a call begins (1), and when it is over (-1). */
  change(by: 1 | -1): void {
    this.#count += by;
    if (!this.#worker) {
      this.#worker = startThread("./progress-thread.node.js", import.meta.url, this.#data);
      // Without it calls go on when this thread comes back to them, and the process may end.
      this.#worker.on("error", () => undefined);
      this.#worker.unref();
    }
    this.#say(this.#count > 0 ? looking : resting);
  }

  /** Ends the thread: MPI must not be left while it calls. */
  async end(): Promise<void> {
    if (!this.#worker) return;
    const ended = new Promise((resolve) => this.#worker?.once("exit", resolve));
    this.#worker.ref();
    this.#say(ending);
    await ended;
  }

  #say(word: number): void {
    Atomics.store(this.#word, 0, word);
    Atomics.notify(this.#word, 0);
  }
}
