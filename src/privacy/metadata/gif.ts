/** GIF files without metadata (GIF89a specification). */
import { damaged, type Parts } from "./parts.ts";

/** Extensions of applications that say how a picture looks: how often it is repeated, its colours. */
const ofPicture = new Set(["NETSCAPE2.0", "ANIMEXTS1.0", "ICCRGBG1012"]);

/** Bytes of a table of colours that a packed field tells of. */
const tableBytes = (packed: number): number => (packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0);

/** Leaves out metadata of a GIF file. */
export function gifWithoutMetadata(parts: Parts): void {
  parts.keep(13 + tableBytes(parts.byte(10)));
  for (;;) {
    const begin = parts.byte(0);
    if (begin === 0x3b) break;
    if (begin === 0x2c) {
      const head = 10 + tableBytes(parts.byte(9)) + 1;
      parts.keep(head + blocksBytes(parts, head));
    } else if (begin === 0x21) {
      const length = 2 + blocksBytes(parts, 2);
      const kind = kindOf(parts);
      if (kind === undefined) parts.keep(length);
      else parts.remove(length, kind);
    } else damaged(parts, "GIF");
  }
  parts.keep(1);
  parts.removeRest();
}

/** What an extension holds that is no part of the picture; nothing of one that is. */
function kindOf(parts: Parts): string | undefined {
  const label = parts.byte(1);
  if (label === 0xfe) return "comment";
  if (label !== 0xff) return undefined;
  const name = parts.text(3, Math.min(11, parts.byte(2)));
  if (ofPicture.has(name)) return undefined;
  return name === "XMP DataXMP" ? "XMP" : "of an application";
}

/** Bytes of blocks up to the empty one, which ends them. */
function blocksBytes(parts: Parts, start: number): number {
  let at = start;
  for (let size = parts.byte(at); size > 0; size = parts.byte(at)) at += 1 + size;
  return at + 1 - start;
}
