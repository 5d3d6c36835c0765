/** Files encrypted as they are written, in age's format. */
import { randomBytes } from "node:crypto";
import { InternalError } from "../../core/errors.ts";
import { authenticatedPart, encodeHeader, parseHeader } from "./age-header.ts";
import { keyByPassphrase, macOf, stanzaFor } from "./age-keys.node.ts";
import { PayloadSealer, payloadKey, saltBytes, tagBytes } from "./age-payload.node.ts";

/** To whom files are encrypted: recipients of X25519, `age1…`; or who knows a passphrase. */
export type SealedTo = readonly string[] | { readonly passphrase: string };

/** Bytes of the key of a file. */
const fileKeyBytes = 16;

/** The header of a new file, and its key. */
interface NewHeader {
  readonly header: Uint8Array;
  readonly fileKey: Uint8Array;
}

function headerFor(recipients: readonly string[]): NewHeader {
  const fileKey = randomBytes(fileKeyBytes);
  const authenticated = authenticatedPart(recipients.map((recipient) => stanzaFor(recipient, fileKey)));
  return { header: encodeHeader({ authenticated, mac: macOf(authenticated, fileKey) }), fileKey };
}

/** The library writes it with a payload of nothing, which is cut away. */
async function headerBy(passphrase: string): Promise<NewHeader> {
  // Loaded by who encrypts.
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  const empty = await encrypter.encrypt(new Uint8Array());
  const header = empty.subarray(0, empty.length - saltBytes - tagBytes);
  const fileKey = keyByPassphrase(parseHeader(header, "a header"), passphrase, "a header");
  if (!fileKey) throw new InternalError("age-encryption wrote a header that its passphrase does not open");
  return { header, fileKey };
}

/** A file that is being encrypted: `start`, then what `push` and `end` return, one behind the other. */
export class FileSealer {
  /** The header, and what stands before the payload. */
  readonly start: Uint8Array;
  readonly #payload: PayloadSealer;

  private constructor(start: Uint8Array, payload: PayloadSealer) {
    [this.start, this.#payload] = [start, payload];
  }

  /** Begins a file, with a key of its own. */
  static async for(to: SealedTo): Promise<FileSealer> {
    const { header, fileKey } = "passphrase" in to ? await headerBy(to.passphrase) : headerFor(to);
    const salt = randomBytes(saltBytes);
    return new FileSealer(Buffer.concat([header, salt]), new PayloadSealer(payloadKey(fileKey, salt)));
  }

  push(bytes: Uint8Array): readonly Uint8Array[] {
    return this.#payload.push(bytes);
  }

  end(): Uint8Array {
    return this.#payload.end();
  }
}

/** Whether nothing is encrypted. */
export const isNobody = (to: SealedTo): boolean => !("passphrase" in to) && to.length === 0;

/** Content encrypted; as it is where it is to nobody. */
export async function sealed(to: SealedTo, content: Uint8Array | string): Promise<Uint8Array | string> {
  if (isNobody(to)) return content;
  const sealer = await FileSealer.for(to);
  const chunks = sealer.push(typeof content === "string" ? Buffer.from(content) : content);
  return Buffer.concat([sealer.start, ...chunks, sealer.end()]);
}

/** As `sealed`, of bytes that come block by block. */
export async function* sealedBlocks(
  to: SealedTo,
  blocks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (isNobody(to)) return yield* blocks;
  const sealer = await FileSealer.for(to);
  yield sealer.start;
  for await (const block of blocks) yield* sealer.push(block);
  yield sealer.end();
}
