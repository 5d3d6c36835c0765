/** A thread that helps with the loops of a memory. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { InternalError } from "../core/errors.ts";
import { help, type LoopWork } from "./loop-work.node.ts";
import { instantiate, type LoopCode, type RunLoop } from "./loops.ts";

/** What the thread is given. */
export interface ThreadData {
  readonly memory: WebAssembly.Memory;
  readonly work: LoopWork;
}

/** A loop that there is from now on. */
export interface NewLoop {
  readonly id: number;
  readonly code: LoopCode;
}

const { memory, work } = workerData as ThreadData;
const loops = new Map<number, RunLoop>();

help(work, (id) => {
  // It was sent before the loop was opened.
  while (!loops.has(id)) {
    const message = parentPort && (receiveMessageOnPort(parentPort)?.message as NewLoop | undefined);
    if (!message) throw new InternalError(`a loop is numbered ${id}, and its thread was not told of it`);
    loops.set(message.id, instantiate(message.code, memory));
  }
  return loops.get(id) as RunLoop;
});
