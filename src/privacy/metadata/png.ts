/** PNG files without metadata (PNG, third edition, sec. 11). */
import { crc32Of } from "../../core/crc32.ts";
import { exifOf, orientationOf, upright } from "./orientation.ts";
import type { Parts } from "./parts.ts";

/** Chunks of the picture and its colours; all others are left out. */
const ofPicture = new Set(
  "IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs sPLT acTL fcTL fdAT".split(" "),
);
const kinds: Readonly<Record<string, string>> = {
  eXIf: "EXIF",
  tEXt: "text",
  zTXt: "text",
  iTXt: "text",
  tIME: "time",
};
const signatureBytes = 8;
const crc32 = crc32Of(0xedb88320);

/** Leaves out metadata of a PNG file. */
export function pngWithoutMetadata(parts: Parts): void {
  parts.keep(signatureBytes);
  const orientation = orientationAhead(parts);
  for (let type = ""; type !== "IEND"; ) {
    type = parts.text(4, 4);
    const length = 12 + parts.integer(0, 4);
    if (!ofPicture.has(type)) parts.remove(length, kinds[type] ?? "of an application");
    else {
      parts.keep(length);
      if (type === "IHDR" && orientation !== upright) parts.insert(chunkOf(orientation));
    }
  }
  parts.removeRest();
}

function orientationAhead(parts: Parts): number {
  for (let at = 0; ; ) {
    const type = parts.text(at + 4, 4);
    const length = parts.integer(at, 4);
    if (type === "IEND") return upright;
    if (type === "eXIf") return orientationOf(parts.peek(at + 8, length));
    at += 12 + length;
  }
}

function chunkOf(orientation: number): Uint8Array {
  const exif = exifOf(orientation);
  const chunk = new Uint8Array(12 + exif.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, exif.length);
  chunk.set(new TextEncoder().encode("eXIf"), 4);
  chunk.set(exif, 8);
  view.setUint32(8 + exif.length, crc32(chunk.subarray(4, 8 + exif.length)));
  return chunk;
}
