/** How a camera was turned, the one thing that EXIF says of how a picture looks (EXIF 2.32, sec. 4.6.4 A; TIFF 6.0). */

/** A picture that stands as it is stored. */
export const upright = 1;

const orientationTag = 0x0112;

/** The orientation in EXIF data, from 1 to 8; upright where it says none. */
export function orientationOf(exif: Uint8Array): number {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  if (view.byteLength < 8) return upright;
  const littleEndian = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, littleEndian);
  if (directory + 2 > view.byteLength) return upright;
  const entries = view.getUint16(directory, littleEndian);
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + 12 * entry;
    if (at + 12 > view.byteLength) return upright;
    if (view.getUint16(at, littleEndian) !== orientationTag) continue;
    const orientation = view.getUint16(at + 8, littleEndian);
    return orientation >= 1 && orientation <= 8 ? orientation : upright;
  }
  return upright;
}

/** EXIF data that say an orientation, and nothing else. */
export function exifOf(orientation: number): Uint8Array {
  const bytes = new Uint8Array(26);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x49492a00);
  view.setUint32(4, 8, true);
  view.setUint16(8, 1, true);
  view.setUint16(10, orientationTag, true);
  view.setUint16(12, 3, true);
  view.setUint32(14, 1, true);
  view.setUint16(18, orientation, true);
  return bytes;
}
