/** What the processes of a world sum and hand one another: each call a promise that is kept once the library has finished. */
import type { Range } from "../communicator.ts";
import { isDone, type MpiFunctions, requireSuccess } from "./functions.node.ts";
import type { Handle, HandleCell, MpiLibrary } from "./library.node.ts";

/** Elements of a single call: MPI counts them in 31 bits. */
const longest = 2 ** 28;

/** Elements of a single sum, of which there is a copy meanwhile. */
const longestSum = 2 ** 24;

/** Bytes from which a sum goes around in a ring. */
const ringBytes = 2 ** 16;

/** Milliseconds in which a call is looked after without rest, and more for its bytes: a rest is 1 ms at least. */
const spinning = { always: 5, bytesPerMillisecond: 2e5 } as const;

/** Arrays of numbers that ranks exchange. */
type Numbers = Uint8Array | Uint16Array | Float32Array;

/** Called while a call waits, a few times a second at least; it may throw to end the waiting. */
export type Lookout = () => void;

/** Is told how many more calls, or fewer, are under way. */
export type UnderWay = (change: 1 | -1) => void;

/** One line between all processes. Its functions are to be called by all in one order; on different lines that does not matter. */
export class Line {
  readonly #mpi: MpiLibrary;
  readonly #functions: MpiFunctions;
  readonly #world: Handle;
  readonly #size: number;
  readonly #underWay: UnderWay;
  /** Memory of calls under way, which must stay. */
  readonly #held = new Set<readonly ArrayBufferLike[]>();

  constructor(
    {
      mpi,
      functions,
      world,
      size,
    }: {
      readonly mpi: MpiLibrary;
      readonly functions: MpiFunctions;
      readonly world: Handle;
      readonly size: number;
    },
    underWay: UnderWay = () => undefined,
  ) {
    this.#mpi = mpi;
    this.#functions = functions;
    this.#world = world;
    this.#size = size;
    this.#underWay = underWay;
  }

  /** Replaces each element by its sum over all. */
  async sum(values: Float32Array | Float64Array, lookout: Lookout): Promise<void> {
    const type = values instanceof Float32Array ? this.#mpi.float : this.#mpi.double;
    const { inPlace, sum: op } = this.#mpi;
    for (let start = 0; start < values.length; start += longestSum) {
      const part = values.subarray(start, start + longestSum);
      // Open MPI sends all of what is summed in place over and over; of a copy each rank sends twice its own part, in a ring.
      const given = part.byteLength > ringBytes ? part.slice() : inPlace;
      await this.#finished("MPI_Iallreduce", [part, given], lookout, (request) =>
        this.#functions.allReduce(given, part, part.length, type, op, this.#world, request),
      );
    }
  }

  /** The elements of all, each rank's in its part; own ones are there. */
  async gather(all: Numbers, parts: readonly Range[], lookout: Lookout): Promise<void> {
    const { inPlace } = this.#mpi;
    const { type, counts, starts } = this.#placed(all, parts);
    await this.#finished("MPI_Iallgatherv", [all, counts, starts], lookout, (request) =>
      this.#functions.allGather(inPlace, 0, type, all, counts, starts, type, this.#world, request),
    );
  }

  /** Sends each rank its part, and receives what each has for this one, equally long, one after the other. */
  async deal(values: Numbers, parts: readonly Range[], received: Numbers, lookout: Lookout): Promise<void> {
    const length = received.length / this.#size;
    const from = this.#placed(values, parts);
    const to = this.#placed(
      received,
      parts.map((_, rank) => ({ start: rank * length, end: (rank + 1) * length })),
    );
    const arrays = [received, values, from.counts, from.starts, to.counts, to.starts];
    await this.#finished("MPI_Ialltoallv", arrays, lookout, (request) =>
      this.#functions.allToAll(
        ...[values, from.counts, from.starts, from.type],
        ...[received, to.counts, to.starts, to.type, this.#world, request],
      ),
    );
  }

  /** Fills the bytes with those of rank 0. */
  async broadcast(bytes: Uint8Array, lookout: Lookout): Promise<void> {
    for (let start = 0; start < bytes.length; start += longest) {
      const part = bytes.subarray(start, start + longest);
      await this.#finished("MPI_Ibcast", [part], lookout, (request) =>
        this.#functions.broadcast(part, part.length, this.#mpi.byte, 0, this.#world, request),
      );
    }
  }

  /** Where parts begin and how long they are, as MPI counts: numbers that it has no type for are bytes. */
  #placed(values: Numbers, parts: readonly Range[]) {
    const isFloat = values instanceof Float32Array;
    const unit = isFloat ? 1 : values.BYTES_PER_ELEMENT;
    return {
      type: isFloat ? this.#mpi.float : this.#mpi.byte,
      counts: Int32Array.from(parts, ({ start, end }) => unit * (end - start)),
      starts: Int32Array.from(parts, ({ start }) => unit * start),
    };
  }

  /** @param arrays what MPI reads and writes until it is done: the first is the longest, addresses are passed over */
  async #finished(
    name: string,
    arrays: readonly (ArrayBufferView | bigint)[],
    lookout: Lookout,
    begin: (request: HandleCell) => number,
  ): Promise<void> {
    const views = arrays.filter((own) => typeof own !== "bigint");
    // A short array has no memory of its own, which stays where it is, before its buffer is asked for; and what nothing holds is collected.
    const held = views.map(({ buffer }) => buffer);
    this.#held.add(held);
    const request = this.#mpi.cell();
    requireSuccess(name, begin(request));
    this.#underWay(1);
    const began = performance.now();
    const spins = spinning.always + (views[0]?.byteLength ?? 0) / spinning.bytesPerMillisecond;
    while (!isDone(this.#functions, this.#mpi, name, request)) {
      const waited = performance.now() - began;
      await new Promise<void>((resolve) => (waited < spins ? setImmediate(resolve) : setTimeout(resolve, 1)));
      lookout();
    }
    this.#underWay(-1);
    // Where the waiting was ended, MPI goes on with them.
    this.#held.delete(held);
  }
}
