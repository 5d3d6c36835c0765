/** JPEG files without metadata (ITU-T T.81, annex B; JFIF 1.02). */
import { exifOf, orientationOf, upright } from "./orientation.ts";
import { damaged, type Parts } from "./parts.ts";

const exifName = "Exif\0\0";

/** What segments for applications hold, by how they begin. */
const applications: readonly (readonly [marker: number, name: string, kind: string])[] = [
  [0xe0, "JFXX\0", "thumbnail"],
  [0xe1, "Exif\0", "EXIF"],
  [0xe1, "http://ns.adobe.com/", "XMP"],
  [0xe2, "MPF\0", "further pictures"],
  [0xed, "Photoshop 3.0\0", "IPTC"],
];

const isRestart = (marker: number): boolean => marker >= 0xd0 && marker <= 0xd7;

/** Leaves out metadata of a JPEG file, whose parts stand behind the mark of its start. */
export function jpegWithoutMetadata(parts: Parts): void {
  parts.keep(2);
  let orientation = upright;
  /** Orientation comes behind JFIF's segment, which is first; wherever it stood in the file. */
  let isPlaced = false;
  const place = () => {
    if (isPlaced) return;
    isPlaced = true;
    orientation = orientationAhead(parts);
    if (orientation !== upright) parts.insert(segmentOf(orientation));
  };
  for (;;) {
    if (parts.byte(0) !== 0xff) damaged(parts, "JPEG");
    const marker = parts.byte(1);
    if (marker === 0xff) {
      parts.at++;
      continue;
    }
    if (marker === 0xd9) break;
    const length = 2 + parts.integer(2, 2);
    const kind = kindOf(parts, marker, length);
    if (marker === 0xe0 && kind === undefined) {
      keepHeader(parts, length);
      continue;
    }
    place();
    if (kind !== undefined) parts.remove(length, kind);
    else if (marker === 0xda) parts.keep(length + lengthOfScan(parts, length));
    else parts.keep(length);
  }
  parts.keep(2);
  parts.removeRest();
}

/** What a segment holds that is no part of the picture; nothing of one that is. */
function kindOf(parts: Parts, marker: number, length: number): string | undefined {
  if (marker === 0xfe) return "comment";
  if (marker < 0xe0 || marker > 0xef) return undefined;
  const begins = (name: string) => length >= 4 + name.length && parts.text(4, name.length) === name;
  const isPicture =
    (marker === 0xe0 && length >= 18 && begins("JFIF\0")) ||
    (marker === 0xe2 && begins("ICC_PROFILE\0")) ||
    (marker === 0xee && begins("Adobe"));
  if (isPicture) return undefined;
  return applications.find(([own, name]) => own === marker && begins(name))?.[2] ?? "of an application";
}

/** Keeps JFIF's segment, without the thumbnail that it may end with. */
function keepHeader(parts: Parts, length: number): void {
  const header = Uint8Array.from(parts.peek(0, 18));
  header.set([0, 16], 2);
  header.set([0, 0], 16);
  parts.insert(header);
  parts.at += 18;
  if (length > 18) parts.remove(length - 18, "thumbnail");
}

/** What the first EXIF segment from here on says of the orientation. */
function orientationAhead(parts: Parts): number {
  for (let at = 0; parts.byte(at) === 0xff; ) {
    const marker = parts.byte(at + 1);
    if (marker === 0xda || marker === 0xd9) break;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = 2 + parts.integer(at + 2, 2);
    if (marker === 0xe1 && length >= 10 && parts.text(at + 4, 5) === "Exif\0")
      return orientationOf(parts.peek(at + 10, length - 10));
    at += length;
  }
  return upright;
}

/** Bytes of compressed picture behind the head of a scan: up to a marker that is neither a byte 255 nor a restart. */
function lengthOfScan(parts: Parts, start: number): number {
  for (let at = parts.find(0xff, start); ; at = parts.find(0xff, at + 1)) {
    const next = parts.byte(at + 1);
    if (next !== 0 && next !== 0xff && !isRestart(next)) return at - start;
  }
}

function segmentOf(orientation: number): Uint8Array {
  const exif = exifOf(orientation);
  const name = Array.from(exifName, (character) => character.charCodeAt(0));
  return Uint8Array.of(0xff, 0xe1, 0, 2 + name.length + exif.length, ...name, ...exif);
}
