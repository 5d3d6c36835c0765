/** Small images that tell classes apart, for tests: bars across or down, bright or dark, on noise. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { foldIn, keyOf, Random } from "../../../core/random.ts";
import { Tensor } from "../../../core/tensor.ts";
import { encodePng } from "../../../draw/png.ts";

/** What an image shows. */
export interface Drawing {
  readonly across: boolean;
  readonly channels?: 1 | 3;
  readonly side?: number;
  readonly seed: number;
}

/** Writes an image of one bar as a PNG file, and gives where the bar lies, from 0 to 1. */
export function drawBar(path: string, { across, channels = 1, side = 16, seed }: Drawing): number {
  const random = new Random(foldIn(keyOf(seed), "bar"));
  const at = 2 + random.integer(side - 6);
  const bytes = new Uint8Array(channels * side * side);
  for (let i = 0; i < bytes.length; i++) {
    const [row, column] = [Math.floor(i / side) % side, i % side];
    const place = across ? row : column;
    // Of images in colour bars are red.
    const isBar = place >= at && place < at + 3 && i < side * side;
    bytes[i] = random.integer(60) + (isBar ? 150 : 0);
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, encodePng(new Tensor("uint8", [channels, side, side], bytes)));
  return at / side;
}
