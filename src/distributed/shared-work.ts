/** Whole pieces of work given to ranks: trials of a search, networks of an experiment, seeds. */
import { type Communicator, together } from "./communicator.ts";

/** Key of an object that stands for a number that JSON lacks. */
const marker = "$number";

/** What each rank has, in their order: plain data, whose numbers may not be finite. */
export async function gatherData<T>(communicator: Communicator, own: T): Promise<readonly T[]> {
  const pack = (_: string, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? { [marker]: String(value) } : value;
  const unpack = (_: string, value: unknown) => {
    const packed = (value as Readonly<Record<string, unknown>> | null)?.[marker];
    return typeof packed === "string" ? Number(packed) : value;
  };
  const texts = await communicator.gather(JSON.stringify([own], pack));
  return texts.map((text) => (JSON.parse(text, unpack) as readonly [T])[0]);
}

/** What rank 0 has, on each. */
export async function leadersData<T>(communicator: Communicator | undefined, read: () => Promise<T>): Promise<T> {
  if (!communicator) return read();
  const [first] = await gatherData(communicator, communicator.rank === 0 ? await read() : undefined);
  return first as T;
}

/**
 * Does each piece of work on one rank, as many at once as there are ranks, and gives what they come to on every rank, in their order. What a
 * piece comes to is plain data.
 */
export async function* shareOut<Piece, Result>(
  communicator: Communicator | undefined,
  pieces: readonly Piece[],
  work: (piece: Piece) => Promise<Result>,
): AsyncGenerator<{ readonly piece: Piece; readonly result: Result }> {
  if (!communicator) {
    for (const piece of pieces) yield { piece, result: await work(piece) };
    return;
  }
  const { rank, size } = communicator;
  for (let first = 0; first < pieces.length; first += size) {
    const block = pieces.slice(first, first + size);
    const own = block[rank];
    const results = await together(communicator, async () => {
      communicator.doing("training on its own");
      return gatherData(communicator, own === undefined ? undefined : await work(own));
    });
    for (const [i, piece] of block.entries()) yield { piece, result: results[i] as Result };
  }
}
