/** The calls of MPI that ranks need, each a promise that is kept once the library has finished: they go on while others wait. */
import { RuntimeError } from "../../core/errors.ts";
import type { Range } from "../communicator.ts";
import type { Handle, HandleCell, MpiLibrary } from "./library.node.ts";

/** Elements of a single call: MPI counts them in 31 bits. */
const longest = 2 ** 28;

/** Elements of a single sum, of which there is a copy meanwhile. */
const longestSum = 2 ** 24;

/** Bytes from which a sum goes around in a ring. */
const ringBytes = 2 ** 16;

/** Milliseconds in which a call is looked after without rest, and more for its bytes: a rest is 1 ms at least. */
const spinning = { always: 5, bytesPerMillisecond: 2e5 } as const;

const tag = 17;

/** Bytes of a message that nobody waits for. */
export const messageBytes = 512;

/** Arrays of numbers that ranks exchange. */
type Numbers = Uint8Array | Uint16Array | Float32Array;

/** Called while a call waits, a few times a second at least; it may throw to end the waiting. */
export type Lookout = () => void;

/** A world of processes. Its functions are to be called from one thread, and collectives by all processes in one order. */
export class Calls {
  readonly rank: number;
  readonly size: number;
  readonly #mpi: MpiLibrary;
  /** For collectives, and for messages. */
  readonly #worlds: readonly [collectives: Handle, messages: Handle];
  readonly #functions: ReturnType<typeof functionsOf>;
  /** Memory of calls under way, which must stay. */
  readonly #held = new Set<readonly ArrayBufferLike[]>();
  /** Messages under way, whose bytes must stay. */
  #sent: { readonly request: HandleCell; readonly bytes: Uint8Array }[] = [];

  /** Throws RuntimeError where the library does not start. */
  constructor(mpi: MpiLibrary) {
    this.#mpi = mpi;
    this.#functions = functionsOf(mpi);
    const { init, setErrorHandler, duplicate, rank, size } = this.#functions;
    const [funneled, given] = [1, new Int32Array(1)];
    require("MPI_Init_thread", init(0n, 0n, funneled, given));
    require("MPI_Comm_set_errhandler", setErrorHandler(mpi.world, mpi.errorsReturn));
    const copy = () => {
      const cell = mpi.cell();
      require("MPI_Comm_dup", duplicate(mpi.world, cell));
      return cell[0] as Handle;
    };
    this.#worlds = [copy(), copy()];
    const [own, all] = [new Int32Array(1), new Int32Array(1)];
    require("MPI_Comm_rank", rank(mpi.world, own));
    require("MPI_Comm_size", size(mpi.world, all));
    this.rank = own[0] ?? 0;
    this.size = all[0] ?? 1;
  }

  /** Replaces each element by its sum over all. */
  async sum(values: Float32Array | Float64Array, lookout: Lookout): Promise<void> {
    const type = values instanceof Float32Array ? this.#mpi.float : this.#mpi.double;
    const [{ inPlace, sum: op }, [world]] = [this.#mpi, this.#worlds];
    for (let start = 0; start < values.length; start += longestSum) {
      const part = values.subarray(start, start + longestSum);
      // Open MPI sends all of what is summed in place over and over; of a copy each rank sends twice its own part, in a ring.
      const given = part.byteLength > ringBytes ? part.slice() : inPlace;
      await this.#finished("MPI_Iallreduce", [part, given], lookout, (request) =>
        this.#functions.allReduce(given, part, part.length, type, op, world, request),
      );
    }
  }

  /** The elements of all, each rank's in its part; own ones are there. */
  async gather(all: Numbers, parts: readonly Range[], lookout: Lookout): Promise<void> {
    const [{ inPlace }, [world]] = [this.#mpi, this.#worlds];
    const { type, counts, starts } = this.#placed(all, parts);
    await this.#finished("MPI_Iallgatherv", [all, counts, starts], lookout, (request) =>
      this.#functions.allGather(inPlace, 0, type, all, counts, starts, type, world, request),
    );
  }

  /** Sends each rank its part, and receives what each has for this one, equally long, one after the other. */
  async deal(values: Numbers, parts: readonly Range[], received: Numbers, lookout: Lookout): Promise<void> {
    const [world] = this.#worlds;
    const length = received.length / this.size;
    const from = this.#placed(values, parts);
    const to = this.#placed(
      received,
      parts.map((_, rank) => ({ start: rank * length, end: (rank + 1) * length })),
    );
    const arrays = [received, values, from.counts, from.starts, to.counts, to.starts];
    await this.#finished("MPI_Ialltoallv", arrays, lookout, (request) =>
      this.#functions.allToAll(
        ...[values, from.counts, from.starts, from.type],
        ...[received, to.counts, to.starts, to.type, world, request],
      ),
    );
  }

  /** Fills the bytes with those of rank 0. */
  async broadcast(bytes: Uint8Array, lookout: Lookout): Promise<void> {
    for (let start = 0; start < bytes.length; start += longest) {
      const part = bytes.subarray(start, start + longest);
      await this.#finished("MPI_Ibcast", [part], lookout, (request) =>
        this.#functions.broadcast(part, part.length, this.#mpi.byte, 0, this.#worlds[0], request),
      );
    }
  }

  /** Sends a message, of `messageBytes` at most, which nobody waits for. */
  send(to: number, text: string): void {
    const bytes = new Uint8Array(messageBytes);
    new TextEncoder().encodeInto(text, bytes);
    const request = this.#mpi.cell();
    require("MPI_Isend", this.#functions.send(bytes, bytes.length, this.#mpi.byte, to, tag, this.#worlds[1], request));
    this.#sent.push({ request, bytes });
    this.sending();
  }

  /** How many messages are still on their way out. */
  sending(): number {
    this.#sent = this.#sent.filter(({ request }) => !this.#isDone("MPI_Isend", request));
    return this.#sent.length;
  }

  /** The messages that came. */
  *received(): Generator<string> {
    const { anySource, statusIgnore, byte } = this.#mpi;
    const there = new Int32Array(1);
    for (;;) {
      require("MPI_Iprobe", this.#functions.probe(anySource, tag, this.#worlds[1], there, statusIgnore));
      if (!there[0]) return;
      const bytes = new Uint8Array(messageBytes);
      require("MPI_Recv", this.#functions.receive(
        bytes,
        bytes.length,
        byte,
        anySource,
        tag,
        this.#worlds[1],
        statusIgnore,
      ));
      const end = bytes.indexOf(0);
      yield new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
    }
  }

  /** Leaves the world, once all have come to the end. */
  finalize(): void {
    require("MPI_Finalize", this.#functions.finalize());
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
    require(name, begin(request));
    const began = performance.now();
    const spins = spinning.always + (views[0]?.byteLength ?? 0) / spinning.bytesPerMillisecond;
    while (!this.#isDone(name, request)) {
      const waited = performance.now() - began;
      await new Promise<void>((resolve) => (waited < spins ? setImmediate(resolve) : setTimeout(resolve, 1)));
      lookout();
    }
    // Where the waiting was ended, MPI goes on with them.
    this.#held.delete(held);
  }

  #isDone(name: string, request: HandleCell): boolean {
    const flag = new Int32Array(1);
    require(name, this.#functions.test(request, flag, this.#mpi.statusIgnore));
    return flag[0] !== 0;
  }
}

/** Throws RuntimeError unless a call succeeded. */
function require(name: string, code: number): void {
  if (code !== 0)
    throw new RuntimeError(
      `${name} failed with MPI's code ${code}: the connection to another process is lost, or memory ran out; see what it printed, and start again`,
    );
}

/** The functions, with the types of their arguments as mpi.h has them. */
const functionsOf = ({ call }: MpiLibrary) => ({
  init: call("MPI_Init_thread", "**i*"),
  setErrorHandler: call("MPI_Comm_set_errhandler", "HH"),
  duplicate: call("MPI_Comm_dup", "H*"),
  rank: call("MPI_Comm_rank", "H*"),
  size: call("MPI_Comm_size", "H*"),
  allReduce: call("MPI_Iallreduce", "**iHHH*"),
  allGather: call("MPI_Iallgatherv", "*iH***HH*"),
  allToAll: call("MPI_Ialltoallv", "***H***HH*"),
  broadcast: call("MPI_Ibcast", "*iHiH*"),
  test: call("MPI_Test", "***"),
  send: call("MPI_Isend", "*iHiiH*"),
  probe: call("MPI_Iprobe", "iiH**"),
  receive: call("MPI_Recv", "*iHiiH*"),
  finalize: call("MPI_Finalize", ""),
});
