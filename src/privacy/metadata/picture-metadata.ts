/** What files of pictures say beside the picture: where, when, by whom and with what it was taken. It is left out without touching a pixel. */
import { FileError } from "../../core/errors.ts";
import { gifWithoutMetadata } from "./gif.ts";
import { jpegWithoutMetadata } from "./jpeg.ts";
import { Parts, type RemovedPart } from "./parts.ts";
import { pngWithoutMetadata } from "./png.ts";
import { webpWithoutMetadata } from "./webp.ts";

/** A picture's file without metadata. */
export interface CleanPicture {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What was left out, in the order of the file: of what kind, and how long. */
  readonly removed: readonly RemovedPart[];
}

/** How files begin, and what takes their metadata out. */
const formats: readonly (readonly [begin: string, offset: number, clean: (parts: Parts) => void])[] = [
  ["\xff\xd8\xff", 0, jpegWithoutMetadata],
  ["\x89PNG\r\n\x1a\n", 0, pngWithoutMetadata],
  ["WEBP", 8, webpWithoutMetadata],
  ["GIF87a", 0, gifWithoutMetadata],
  ["GIF89a", 0, gifWithoutMetadata],
];

/**
 * The file of a JPEG, PNG, WebP or GIF picture without EXIF (place, time, camera, owner), XMP, IPTC, comments, thumbnails, further pictures, and bytes after its end. What is known to
 * belong to the picture stays, everything else goes: the pixels are the same to the bit, and so are colour profiles and the orientation of the camera. What is seen in
 * the picture stays as well: faces, plates, screens. Throws FileError for other kinds of files, and for ones that are cut off or damaged.
 * @example const { bytes, removed } = withoutMetadata(await readFile("photo.jpg"));
 */
export function withoutMetadata(picture: Uint8Array): CleanPicture {
  const head = String.fromCharCode(...picture.subarray(0, 16));
  const clean = formats.find(([begin, offset]) => head.startsWith(begin, offset))?.[2];
  if (!clean)
    throw new FileError(
      "withoutMetadata: the bytes are no JPEG, PNG, WebP or GIF file; save the picture as one of these",
    );
  const parts = new Parts(picture);
  clean(parts);
  return { bytes: parts.joined(), removed: parts.removed };
}
