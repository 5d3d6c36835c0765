/** Keys that nobody can guess. */
import type { Key } from "../core/random.ts";

/** A key from the system's secure source (Web Crypto), of 64 bits. */
export function secretKey(): Key {
  const [high = 0, low = 0] = globalThis.crypto.getRandomValues(new Uint32Array(2));
  return [high, low];
}
