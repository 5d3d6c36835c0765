/**
 * The payload of an age file: chunks of 64 KiB, each sealed by ChaCha20-Poly1305, so that any part of a file is read without the rest
 * (https://github.com/C2SP/C2SP/blob/main/age.md, "Payload"). `age-encryption` has streams from a file's beginning alone.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";

/** Bytes of a chunk before it is sealed; only the last one may be shorter. */
export const chunkBytes = 64 * 1024;
/** Bytes that sealing adds to a chunk, by which it is authenticated. */
export const tagBytes = 16;
/** Bytes of a chunk that is sealed. */
export const sealedChunkBytes = chunkBytes + tagBytes;
/** Bytes between a file's header and its chunks: the salt of their key. */
export const saltBytes = 16;

const cipher = "chacha20-poly1305";
const authTagLength = tagBytes;

/** The key of the chunks of a file. */
export const payloadKey = (fileKey: Uint8Array, salt: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", fileKey, salt, "payload", 32));

/** The nonce of a chunk: its number in 11 bytes, and one that tells the last. */
function nonceOf(index: number, isLast: boolean): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** A chunk sealed. */
export function sealChunk(key: Uint8Array, plain: Uint8Array, index: number, isLast: boolean): Uint8Array {
  const sealing = createCipheriv(cipher, key, nonceOf(index, isLast), { authTagLength });
  const sealed = new Uint8Array(plain.length + tagBytes);
  sealed.set(sealing.update(plain));
  sealing.final();
  sealed.set(sealing.getAuthTag(), plain.length);
  return sealed;
}

/** What a sealed chunk holds; `undefined` where it is not what was sealed as this chunk. */
export function openChunk(key: Uint8Array, sealed: Uint8Array, index: number, isLast: boolean): Uint8Array | undefined {
  if (sealed.length < tagBytes) return undefined;
  const opening = createDecipheriv(cipher, key, nonceOf(index, isLast), { authTagLength });
  opening.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const { buffer, byteOffset, length } = opening.update(sealed.subarray(0, sealed.length - tagBytes));
  try {
    opening.final();
  } catch {
    return undefined;
  }
  return new Uint8Array(buffer, byteOffset, length);
}

/** A payload sealed as it is made; what `push` and `end` return is to be written one behind the other. */
export class PayloadSealer {
  readonly #key: Uint8Array;
  readonly #waiting = new Uint8Array(chunkBytes);
  #filled = 0;
  #index = 0;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The chunks that are full with these bytes, and not the last. */
  push(bytes: Uint8Array): Uint8Array[] {
    const sealed: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      // A chunk that is full may be the last one until there is more.
      if (this.#filled === chunkBytes) {
        sealed.push(sealChunk(this.#key, this.#waiting, this.#index++, false));
        this.#filled = 0;
      }
      if (this.#filled === 0 && bytes.length - at > chunkBytes) {
        sealed.push(sealChunk(this.#key, bytes.subarray(at, at + chunkBytes), this.#index++, false));
        at += chunkBytes;
        continue;
      }
      const taken = bytes.subarray(at, at + chunkBytes - this.#filled);
      this.#waiting.set(taken, this.#filled);
      this.#filled += taken.length;
      at += taken.length;
    }
    return sealed;
  }

  /** The last chunk. */
  end(): Uint8Array {
    const last = sealChunk(this.#key, this.#waiting.subarray(0, this.#filled), this.#index, true);
    this.#waiting.fill(0);
    return last;
  }
}
