/** Cyclic redundancy checks of 32 bits. */

/** A check with reversed polynomial `polynomial`: of PNG and ZIP 0xedb88320 (ISO 3309), Castagnoli's 0x82f63b78 (RFC 3720, appendix B.4). */
export function crc32Of(polynomial: number): (bytes: Uint8Array) => number {
  /** Remainders, one for each byte. */
  const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? polynomial : 0);
    return remainder;
  });
  return (bytes) => {
    let crc = 0xffffffff;
    for (const byte of bytes) crc = (crc >>> 8) ^ (remainders[(crc ^ byte) & 0xff] ?? 0);
    return (crc ^ 0xffffffff) >>> 0;
  };
}
