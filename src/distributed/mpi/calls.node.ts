/** A world of processes that MPI started: the lines on which they exchange numbers, and messages that nobody waits for. */
import { functionsOf, isDone, requireSuccess } from "./functions.node.ts";
import type { Handle, HandleCell, MpiLibrary } from "./library.node.ts";
import { Line } from "./line.node.ts";
import { Progress } from "./progress.node.ts";

/** The level of MPI at which a thread may look after calls that another began. */
const multiple = 3;

const tag = 17;

/** Bytes of a message that nobody waits for. */
export const messageBytes = 512;

/** A world of processes. Its functions are to be called from one thread. */
export class Calls {
  readonly rank: number;
  readonly size: number;
  /** For what ranks do in their common order; and behind it, for what goes on while they compute. */
  readonly lines: readonly [Line, ...Line[]];
  readonly #mpi: MpiLibrary;
  readonly #functions: ReturnType<typeof functionsOf>;
  readonly #messages: Handle;
  readonly #progress: Progress | undefined;
  /** Messages under way, whose bytes must stay. */
  #sent: { readonly request: HandleCell; readonly bytes: Uint8Array }[] = [];

  /** @param aside how many lines there are for what goes on meanwhile. Throws RuntimeError where the library does not start. */
  constructor(mpi: MpiLibrary, aside: number) {
    this.#mpi = mpi;
    const functions = functionsOf(mpi);
    this.#functions = functions;
    const given = new Int32Array(1);
    requireSuccess("MPI_Init_thread", functions.init(0n, 0n, multiple, given));
    requireSuccess("MPI_Comm_set_errhandler", functions.setErrorHandler(mpi.world, mpi.errorsReturn));
    const world = () => {
      const cell = mpi.cell();
      requireSuccess("MPI_Comm_dup", functions.duplicate(mpi.world, cell));
      return cell[0] as Handle;
    };
    const [own, all] = [new Int32Array(1), new Int32Array(1)];
    requireSuccess("MPI_Comm_rank", functions.rank(mpi.world, own));
    requireSuccess("MPI_Comm_size", functions.size(mpi.world, all));
    const [rank = 0] = own;
    const [size = 1] = all;
    this.rank = rank;
    this.size = size;
    const line = (progress?: Progress) =>
      new Line({ mpi, functions, world: world(), size }, (change) => progress?.change(change));
    const first = line();
    this.#messages = world();
    // What such a library does not look after itself waits until this thread comes back to it.
    this.#progress = given[0] === multiple ? new Progress(mpi, world()) : undefined;
    this.lines = [first, ...Array.from({ length: aside }, () => line(this.#progress))];
  }

  /** Sends a message, of `messageBytes` at most, which nobody waits for. */
  send(to: number, text: string): void {
    const bytes = new Uint8Array(messageBytes);
    new TextEncoder().encodeInto(text, bytes);
    const request = this.#mpi.cell();
    requireSuccess(
      "MPI_Isend",
      this.#functions.send(bytes, bytes.length, this.#mpi.byte, to, tag, this.#messages, request),
    );
    this.#sent.push({ request, bytes });
    this.sending();
  }

  /** How many messages are still on their way out. */
  sending(): number {
    this.#sent = this.#sent.filter(({ request }) => !isDone(this.#functions, this.#mpi, "MPI_Isend", request));
    return this.#sent.length;
  }

  /** The messages that came. */
  *received(): Generator<string> {
    const { anySource, statusIgnore, byte } = this.#mpi;
    const there = new Int32Array(1);
    for (;;) {
      requireSuccess("MPI_Iprobe", this.#functions.probe(anySource, tag, this.#messages, there, statusIgnore));
      if (!there[0]) return;
      const bytes = new Uint8Array(messageBytes);
      requireSuccess(
        "MPI_Recv",
        this.#functions.receive(bytes, bytes.length, byte, anySource, tag, this.#messages, statusIgnore),
      );
      const end = bytes.indexOf(0);
      yield new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
    }
  }

  /** Leaves the world, once all have come to the end. */
  async finalize(): Promise<void> {
    await this.#progress?.end();
    requireSuccess("MPI_Finalize", this.#functions.finalize());
  }
}
