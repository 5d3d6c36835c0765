/** Loops over vectors in WebAssembly: the memory that they work on, and their work in segments, which several threads share out. */

/** Elements whose sum is taken in float32 before it joins a float64 total. */
const block = 1 << 12;
/** Elements that a thread takes at once. Sums are added segment by segment, so that they are the same whoever took which. */
export const segmentElements = 1 << 20;

/** A compiled loop: `run` takes the addresses of its vectors, the bytes of each, and the scalars. */
export interface LoopCode {
  readonly module: WebAssembly.Module;
  /** Addresses of the vectors. */
  readonly bases: readonly number[];
}

/** Memory of vectors. */
export interface LoopMemory {
  readonly memory: WebAssembly.Memory;
  /** What vectors are views of: the memory's own buffer, or one of the same bytes where that is shared, which engines do not take. */
  readonly buffer: ArrayBuffer;
  /** Of shared memory: its pages, and what computes its loops. */
  readonly shared?: { readonly pages: number; readonly team: LoopTeam };
}

/** Computes a loop over the elements `start` to `end`, and gives their sum. */
export type RunLoop = (start: number, end: number, scalars: readonly number[]) => number;

/** Threads that compute loops together. */
export interface LoopTeam {
  loop(code: LoopCode): RunLoop;
}

/** Makes memory of so many bytes, all zero. */
export type MakeLoopMemory = (bytes: number) => LoopMemory;

const pageBytes = 1 << 16;
export const pagesOf = (bytes: number): number => Math.ceil(bytes / pageBytes);

/** Memory of one thread. */
export function ownMemory(bytes: number): LoopMemory {
  const memory = new WebAssembly.Memory({ initial: pagesOf(bytes) });
  return { memory, buffer: memory.buffer as ArrayBuffer };
}

/** A loop on a memory, by this thread. */
export function instantiate({ module, bases }: LoopCode, memory: WebAssembly.Memory): RunLoop {
  const run = new WebAssembly.Instance(module, { env: { memory } }).exports["run"] as (...args: number[]) => number;
  return (start, end, scalars) => {
    const args = [...bases, 0, ...scalars];
    let total = 0;
    for (let from = start; from < end; from += block) {
      for (let i = 0; i < bases.length; i++) args[i] = (bases[i] as number) + 4 * from;
      args[bases.length] = 4 * (Math.min(from + block, end) - from);
      total += run(...args);
    }
    return total;
  };
}

/** A loop in segments, one after the other. */
export const bySegments =
  (run: RunLoop): RunLoop =>
  (start, end, scalars) => {
    let total = 0;
    for (let from = start; from < end; from += segmentElements)
      total += run(from, Math.min(from + segmentElements, end), scalars);
    return total;
  };
