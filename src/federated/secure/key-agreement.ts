/** The cryptography of secure aggregation, of kept libraries: agreed keys (X25519, HKDF), masks from seeds (ChaCha20), sealed shares (ChaCha20-Poly1305). */
import { chacha20, chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { FederationError } from "../../core/errors.ts";
import type { Ring } from "./ring.ts";

/** Bytes of keys and seeds. */
export const keyBytes = 32;

/** 32 bytes that nobody can guess, from the system's secure source (Web Crypto). */
export const secretBytes = (): Uint8Array => globalThis.crypto.getRandomValues(new Uint8Array(keyBytes));

/** A secret key and the public one that others know. */
export interface KeyPair {
  readonly secret: Uint8Array;
  readonly public: Uint8Array;
}

/** The pair of a secret key of 32 bytes. */
export const keyPair = (secret: Uint8Array): KeyPair => ({ secret, public: x25519.getPublicKey(secret) });

/**
 * The key of 32 bytes that two parties have in common, each by its secret and the other's public key (RFC 7748; derived by RFC 5869). Throws FederationError for a
 * public key that makes it known to everybody.
 * @param purpose keys of other purposes say nothing of this one
 */
export function agreedKey(secret: Uint8Array, publicKey: Uint8Array, purpose: string): Uint8Array {
  let shared: Uint8Array;
  try {
    shared = x25519.getSharedSecret(secret, publicKey);
  } catch (cause) {
    throw new FederationError("secure aggregation: a public key is none that is safe; leave that client out", {
      cause,
    });
  }
  return hkdf(sha256, shared, undefined, utf8ToBytes(purpose), keyBytes);
}

// A key is used once, so that its nonce may be the same each time.
const nonce = new Uint8Array(12);

/** The mask that a seed of 32 bytes stands for. */
export const maskOf = (seed: Uint8Array, elements: number): Ring =>
  new Uint32Array(chacha20(seed, nonce, new Uint8Array(8 * elements)).slice().buffer);

/** Seals bytes under a key that is used for nothing else. */
export const seal = (key: Uint8Array, bytes: Uint8Array): Uint8Array => chacha20poly1305(key, nonce).encrypt(bytes);

/** Opens them. Throws FederationError for bytes that were not sealed under this key, or changed since. */
export function unseal(key: Uint8Array, bytes: Uint8Array, where: string): Uint8Array {
  try {
    return chacha20poly1305(key, nonce).decrypt(bytes);
  } catch (cause) {
    throw new FederationError(
      `${where} was changed on its way; look at what lies between the coordinator and clients`,
      {
        cause,
      },
    );
  }
}
