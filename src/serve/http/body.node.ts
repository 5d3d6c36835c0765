/** Bodies of requests, whole and bounded: each by itself, and all that are held at once. */
import type { IncomingMessage } from "node:http";
import { byteText } from "../../core/number-text.ts";
import { busy, HttpError } from "../http-error.ts";

/** Bytes of the bodies that are held. */
export class HeldBytes {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get held(): number {
    return this.#held;
  }

  /** Throws HttpError where there is no room for more. */
  take(bytes: number): void {
    if (this.#held + bytes > this.#most)
      throw busy("the server holds as much as it may of other requests; send it again in a moment");
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

/** A body that was read, and the bytes that are held for it until they are given back. */
export interface ReadBody {
  readonly bytes: Uint8Array;
  readonly held: number;
}

/** Throws HttpError for a body that is coded. */
function requirePlain(request: IncomingMessage): void {
  const coding = request.headers["content-encoding"];
  if (coding !== undefined && coding !== "identity")
    throw new HttpError(415, `the body is coded by ${JSON.stringify(coding.slice(0, 40))}; send it as it is`);
}

/** A body as it comes, for a reader that bounds it. Throws HttpError for one that is coded or does not come whole, and the signal's reason. */
export async function* bodyParts(request: IncomingMessage, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  requirePlain(request);
  const stop = () => request.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const parts = (request as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    for (;;) {
      const next = await parts.next().catch(() => undefined);
      signal.throwIfAborted();
      if (next?.done !== false) break;
      yield next.value;
    }
    if (!request.complete) throw brokenOff();
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

const brokenOff = (): HttpError => new HttpError(400, "the body ended before it was whole; send it again");

/**
 * Reads a body. Throws HttpError for one that is too large, coded, or does not come whole, and the signal's reason.
 * @param option what lets more be taken, for who is refused; none where the limit is fixed
 */
export async function readBody(
  request: IncomingMessage,
  most: number,
  room: HeldBytes,
  signal: AbortSignal,
  option?: string,
): Promise<ReadBody> {
  requirePlain(request);
  const length = Number(request.headers["content-length"] ?? 0);
  if (length > most) throw tooLarge(most, option);
  const parts: Buffer[] = [];
  let held = 0;
  const stop = () => request.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      if (held + part.length > most) throw tooLarge(most, option);
      room.take(part.length);
      held += part.length;
      parts.push(part);
    }
    signal.throwIfAborted();
    if (!request.complete) throw brokenOff();
  } catch (error) {
    room.give(held);
    if (error instanceof HttpError) throw error;
    signal.throwIfAborted();
    throw brokenOff();
  } finally {
    signal.removeEventListener("abort", stop);
  }
  const { buffer, byteOffset, length: size } = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  // Slices of a Buffer are no copies, as those of all other arrays are.
  return { bytes: new Uint8Array(buffer, byteOffset, size), held };
}

const tooLarge = (most: number, option?: string): HttpError =>
  new HttpError(
    413,
    `the body is larger than the ${byteText(most)} that are taken; send less at once${option ? `, or raise it: ${option}` : ""}`,
  );
