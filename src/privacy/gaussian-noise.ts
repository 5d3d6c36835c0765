/** Normal noise: from a key, the same each time; or from the system's secure source, which nobody can repeat. */
import { foldIn, type Key, Random } from "../core/random.ts";

/** Normal numbers of mean 0 and deviation 1, for a parameter of an update. */
export type NormalNoise = (length: number, update: number, path: string) => Float32Array;

/** From a key: a run repeats itself. Who knows the key can take the noise away. */
export const keyedNoise =
  (key: Key): NormalNoise =>
  (length, update, path) =>
    new Random(foldIn(key, "noise", update, path)).normals(length);

/** Bytes that the system gives at once. */
const mostBytes = 65_536;

/**
 * From the system's secure source (Web Crypto). Each number is a sum of four normal ones, halved, so that the low bits of its float do not give away what it was
 * added to (Holohan and Braghin 2021, sec. 5). A run does not repeat itself, and a resumed one is not the uninterrupted one.
 */
export const secureNoise: NormalNoise = (length) => {
  const numbers = new Float32Array(length);
  const uniforms = secureUniforms();
  for (let i = 0; i < length; i++) {
    let sum = 0;
    // Two pairs of Box and Muller (1958), of which both numbers are taken.
    for (let pair = 0; pair < 2; pair++) {
      const radius = Math.sqrt(-2 * Math.log(1 - uniforms()));
      const angle = 2 * Math.PI * uniforms();
      sum += radius * (Math.cos(angle) + Math.sin(angle));
    }
    numbers[i] = sum / 2;
  }
  return numbers;
};

/** Numbers in [0, 1) of 53 bits. */
function secureUniforms(): () => number {
  const words = new Uint32Array(mostBytes / 4);
  let next = words.length;
  return () => {
    if (next >= words.length) {
      globalThis.crypto.getRandomValues(words);
      next = 0;
    }
    const [high = 0, low = 0] = [words[next], words[next + 1]];
    next += 2;
    return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
  };
}
