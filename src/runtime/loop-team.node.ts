/**
 * Vectors in memory that several threads share. onnxruntime-node takes no tensor in a SharedArrayBuffer; koffi, where it is installed, makes an ArrayBuffer of the
 * same bytes, which it takes.
 */
import { createRequire } from "node:module";
import type { Worker } from "node:worker_threads";
import { startThread } from "../core/thread.node.ts";
import type { NewLoop, ThreadData } from "./loop-thread.node.ts";
import { endWork, isShared, type LoopWork, newWork, runTogether } from "./loop-work.node.ts";
import {
  bySegments,
  instantiate,
  type LoopMemory,
  type LoopTeam,
  type MakeLoopMemory,
  ownMemory,
  pagesOf,
} from "./loops.ts";

/** Bytes from which on several threads are worth their start. */
const leastBytes = 1 << 26;

/** An ArrayBuffer of the bytes of a shared memory. */
type Alias = (shared: SharedArrayBuffer) => ArrayBuffer;

/** The aliases that koffi makes; nothing where it is not installed, or cannot make them. */
function aliasByKoffi(): Alias | undefined {
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    const library = koffi.load(process.platform === "darwin" ? "libSystem.B.dylib" : "libc.so.6");
    // Copies nothing, and returns where it would have copied to.
    const copy = library.func("void *memcpy(void *to, void *from, size_t count)");
    return (shared) => koffi.view(copy(new Uint8Array(shared), new Uint8Array(shared), 0), shared.byteLength);
  } catch {
    return undefined;
  }
}

/** The memory lives as long as what aliases it: tensors outlive whoever made them. */
const aliased = new WeakMap<ArrayBuffer, WebAssembly.Memory>();
/** Threads end when their memory is gone. */
const ended = new FinalizationRegistry<LoopWork>(endWork);

/** Threads that help with the loops of a memory; they start with the first loop that is long enough. */
class Team implements LoopTeam {
  readonly #memory: WebAssembly.Memory;
  readonly #helpers: number;
  readonly #codes: NewLoop[] = [];
  readonly work = newWork();
  #workers: readonly Worker[] | undefined;

  constructor(memory: WebAssembly.Memory, helpers: number) {
    this.#memory = memory;
    this.#helpers = helpers;
  }

  loop(code: NewLoop["code"]) {
    const run = instantiate(code, this.#memory);
    const loop: NewLoop = { id: this.#codes.length, code };
    this.#codes.push(loop);
    for (const worker of this.#workers ?? []) worker.postMessage(loop);
    const alone = bySegments(run);
    return (...call: Parameters<typeof run>): number => {
      if (!isShared(call[0], call[1])) return alone(...call);
      this.#workers ??= Array.from({ length: this.#helpers }, () => this.#start());
      return runTogether(this.work, loop.id, run, call);
    };
  }

  #start(): Worker {
    const data: ThreadData = { memory: this.#memory, work: this.work };
    const worker = startThread("./loop-thread.node.js", import.meta.url, data);
    // Without it this thread computes all.
    worker.on("error", () => undefined);
    worker.unref();
    for (const loop of this.#codes) worker.postMessage(loop);
    return worker;
  }
}

/** Memory whose loops so many threads compute, where it is large and threads can share it; else that of one thread. */
export function loopMemories(threads: number): MakeLoopMemory {
  let alias: Alias | undefined;
  return (bytes) => {
    if (threads < 2 || bytes < leastBytes) return ownMemory(bytes);
    alias ??= aliasByKoffi();
    return (alias && sharedMemory(bytes, alias, threads - 1)) ?? ownMemory(bytes);
  };
}

function sharedMemory(bytes: number, alias: Alias, helpers: number): LoopMemory | undefined {
  const pages = pagesOf(bytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  try {
    const buffer = alias(memory.buffer as unknown as SharedArrayBuffer);
    const team = new Team(memory, helpers);
    aliased.set(buffer, memory);
    ended.register(buffer, team.work);
    return { memory, buffer, shared: { pages, team } };
  } catch {
    // A Node whose buffers may not lie outside its own heap.
    return undefined;
  }
}
