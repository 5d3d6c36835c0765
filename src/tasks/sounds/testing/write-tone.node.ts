/** Short sounds that tell classes apart, for tests: tones that rise or fall, in noise. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { foldIn, keyOf, Random } from "../../../core/random.ts";
import { encodeWav } from "../../../data/sound/wav.ts";

/** What a sound is. */
export interface Tone {
  readonly rises: boolean;
  readonly rate?: number;
  readonly seconds?: number;
  readonly seed: number;
}

/** Writes a tone as a WAV file. */
export function writeTone(path: string, { rises, rate = 8000, seconds = 0.5, seed }: Tone): void {
  const random = new Random(foldIn(keyOf(seed), "tone"));
  const low = random.uniform(300, 600);
  const high = low * random.uniform(3, 5);
  const samples = Float32Array.from({ length: Math.round(rate * seconds) }, (_, i) => {
    const share = i / (rate * seconds);
    const [from, to] = rises ? [low, high] : [high, low];
    // The integral of a frequency that moves evenly.
    const turns = (i / rate) * (from + ((to - from) * share) / 2);
    return 0.3 * Math.sin(2 * Math.PI * turns) + 0.05 * random.normal();
  });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, encodeWav({ rate, channels: [samples] }));
}
