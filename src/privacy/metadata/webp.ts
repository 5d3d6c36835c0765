/** WebP files without metadata (RFC 9649, sec. 2). */
import { exifOf, orientationOf, upright } from "./orientation.ts";
import { damaged, Parts } from "./parts.ts";

/** Chunks of the picture and its colours; all others are left out. */
const ofPicture = new Set(["VP8 ", "VP8L", "VP8X", "ALPH", "ICCP", "ANIM", "ANMF"]);
const kinds: Readonly<Record<string, string>> = { EXIF: "EXIF", "XMP ": "XMP" };
const headBytes = 12;
/** Of VP8X, that there are EXIF data, and XMP. */
const [exifFlag, xmpFlag] = [0x08, 0x04];
/** Bytes of a frame before its chunks. */
const frameBytes = 16;

/** Bytes of the chunk at `at`, filled up to an even number. */
function chunkBytes(parts: Parts, at: number): number {
  const size = parts.integer(at + 4, 4, true);
  return 8 + size + (size % 2);
}

/** Leaves out metadata of a WebP file. */
export function webpWithoutMetadata(parts: Parts): void {
  const size = parts.integer(4, 4, true) + 8;
  if (size < headBytes) damaged(parts, "WebP");
  const chunks = new Parts(parts.peek(0, size));
  chunks.at = headBytes;
  const orientation = orientationAhead(chunks);
  keepChunks(chunks, orientation);
  if (orientation !== upright) chunks.insert(chunkOf("EXIF", exifOf(orientation)));
  const kept = chunks.joined();
  const head = Uint8Array.from(parts.peek(0, headBytes));
  new DataView(head.buffer).setUint32(4, kept.length + 4, true);
  parts.insert(head);
  parts.insert(kept);
  parts.removed.push(...chunks.removed);
  parts.at = size;
  parts.removeRest();
}

function keepChunks(chunks: Parts, orientation: number): void {
  while (chunks.left > 0) {
    const type = chunks.text(0, 4);
    const length = chunkBytes(chunks, 0);
    if (!ofPicture.has(type)) chunks.remove(length, kinds[type] ?? "of an application");
    else if (type === "VP8X") keepFlags(chunks, length, orientation);
    else if (type === "ANMF") keepFrame(chunks, length);
    else chunks.keep(length);
  }
}

/** Keeps the chunk that says what else there is, and says so of what is kept. */
function keepFlags(chunks: Parts, length: number, orientation: number): void {
  const chunk = Uint8Array.from(chunks.peek(0, length));
  if (chunk.length < 9) damaged(chunks, "WebP");
  chunk[8] = ((chunk[8] as number) & ~(exifFlag | xmpFlag)) | (orientation === upright ? 0 : exifFlag);
  chunks.insert(chunk);
  chunks.at += length;
}

/** Keeps a frame of an animation, which has chunks of its own. */
function keepFrame(chunks: Parts, length: number): void {
  const body = chunks.peek(8, length - 8);
  if (body.length < frameBytes) damaged(chunks, "WebP");
  const frame = new Parts(body);
  frame.keep(frameBytes);
  keepChunks(frame, upright);
  chunks.insert(chunkOf("ANMF", frame.joined()));
  chunks.removed.push(...frame.removed);
  chunks.at += length;
}

/** What EXIF says of the orientation; only a file that says in VP8X what it has can have EXIF. */
function orientationAhead(chunks: Parts): number {
  if (chunks.left < 8 || chunks.text(0, 4) !== "VP8X") return upright;
  for (let at = 0; at < chunks.left; ) {
    const size = chunks.integer(at + 4, 4, true);
    if (chunks.text(at, 4) === "EXIF") {
      // Some writers put the name in which JPEG files wrap it before it.
      const isWrapped = size >= 6 && chunks.text(at + 8, 6) === "Exif\0\0";
      return orientationOf(isWrapped ? chunks.peek(at + 14, size - 6) : chunks.peek(at + 8, size));
    }
    at += chunkBytes(chunks, at);
  }
  return upright;
}

function chunkOf(type: string, body: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(8 + body.length + (body.length % 2));
  chunk.set(new TextEncoder().encode(type));
  new DataView(chunk.buffer).setUint32(4, body.length, true);
  chunk.set(body, 8);
  return chunk;
}
