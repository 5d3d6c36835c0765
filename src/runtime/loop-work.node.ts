/** How threads share out the segments of a loop, through memory that all of them see. */
import { type RunLoop, segmentElements } from "./loops.ts";

/** Words of `LoopWork.control`. */
const [sequence, state, active, next, kernel, from, to, values, words] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;
/** What the state says. */
const [closed, open, over] = [0, 1, 2] as const;

/** Scalars that a loop has at most. */
const mostScalars = 64;
/** Segments of 4 GiB of float32. */
const mostSegments = 1 << 10;

/** What all threads of a team see. */
export interface LoopWork {
  readonly control: SharedArrayBuffer;
  /** The scalars of the loop, then the sum of each segment. */
  readonly numbers: SharedArrayBuffer;
}

export const newWork = (): LoopWork => ({
  control: new SharedArrayBuffer(4 * words),
  numbers: new SharedArrayBuffer(8 * (mostScalars + mostSegments)),
});

/** Whether a loop over so many elements has more than one segment. */
export const isShared = (start: number, end: number): boolean => end - start > segmentElements;

/** Segments of the loop that is open, until none is left. */
function takeSegments(word: Int32Array, numbers: Float64Array, run: RunLoop): void {
  const [start = 0, end = 0] = [word[from], word[to]];
  const scalars = Array.from(numbers.subarray(0, word[values]));
  for (;;) {
    const segment = Atomics.add(word, next, 1);
    const begin = start + segment * segmentElements;
    if (begin >= end) return;
    numbers[mostScalars + segment] = run(begin, Math.min(begin + segmentElements, end), scalars);
  }
}

/**
 * Computes a loop together with whoever helps, and gives its sum. A helper counts itself in before it looks whether the loop is open, and this
 * thread closes it before it waits for those that are counted: nobody is at work when another loop is described.
 */
export function runTogether(
  { control, numbers: shared }: LoopWork,
  id: number,
  run: RunLoop,
  [start, end, scalars]: Parameters<RunLoop>,
): number {
  const [word, numbers] = [new Int32Array(control), new Float64Array(shared)];
  numbers.set(scalars);
  [word[kernel], word[from], word[to], word[values]] = [id, start, end, scalars.length];
  Atomics.store(word, next, 0);
  Atomics.store(word, state, open);
  Atomics.add(word, sequence, 1);
  Atomics.notify(word, sequence);
  takeSegments(word, numbers, run);
  Atomics.store(word, state, closed);
  for (let count = Atomics.load(word, active); count > 0; count = Atomics.load(word, active))
    Atomics.wait(word, active, count);
  const segments = Math.ceil((end - start) / segmentElements);
  return numbers.subarray(mostScalars, mostScalars + segments).reduce((sum, own) => sum + own, 0);
}

/** Helps with all loops until the team is over. @param runOf the loop of a number, which this thread may hear of only now */
export function help({ control, numbers: shared }: LoopWork, runOf: (id: number) => RunLoop): void {
  const [word, numbers] = [new Int32Array(control), new Float64Array(shared)];
  for (let seen = 0; ; ) {
    Atomics.wait(word, sequence, seen);
    seen = Atomics.load(word, sequence);
    Atomics.add(word, active, 1);
    const now = Atomics.load(word, state);
    try {
      if (now === open) takeSegments(word, numbers, runOf(word[kernel] as number));
    } finally {
      Atomics.sub(word, active, 1);
      Atomics.notify(word, active);
    }
    if (now === over) return;
  }
}

/** Lets all helpers go. */
export function endWork({ control }: LoopWork): void {
  const word = new Int32Array(control);
  Atomics.store(word, state, over);
  Atomics.add(word, sequence, 1);
  Atomics.notify(word, sequence);
}
