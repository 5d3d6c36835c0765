/** Keyed digests of values (HMAC, RFC 2104, with SHA-256): the same value has the same one wherever the key is the same, and nobody without the key can try values out. */
import { OptionError } from "../../core/errors.ts";

/** Bytes that a key has at least: 128 bits. */
export const leastKeyBytes = 16;

/** Values whose digests are remembered. */
const remembered = 10_000;

/** A function from texts to 32 bytes. */
export type Digest = (text: string) => Promise<Uint8Array>;

/** Throws OptionError for a key that could be guessed. */
export function digestBy(key: Uint8Array): Digest {
  if (key.length < leastKeyBytes)
    throw new OptionError(
      `redactText: the key has ${key.length} bytes, expected ${leastKeyBytes} at least, or names could be found by trying; make one of chance: crypto.getRandomValues(new Uint8Array(32))`,
    );
  const own = new Uint8Array(key);
  const imported = crypto.subtle.importKey("raw", own, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const known = new Map<string, Promise<Uint8Array>>();
  const encoder = new TextEncoder();
  return (text) => {
    let digest = known.get(text);
    if (!digest) {
      if (known.size >= remembered) known.clear();
      digest = imported
        .then((secret) => crypto.subtle.sign("HMAC", secret, encoder.encode(text)))
        .then((bytes) => new Uint8Array(bytes));
      known.set(text, digest);
    }
    return digest;
  };
}
