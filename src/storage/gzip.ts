/** gzip, unpacked by what both Node and browsers bring along. */
import { FileError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";

/** Whether the bytes begin as a gzip file does. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * The bytes within a gzip file. Throws FileError, opening with `what` the file is, when it is damaged, cut off or unpacks
 * to more than `limit` bytes (`limits.unpackedBytes`).
 */
export async function gunzip(
  bytes: Uint8Array,
  what: string,
  limit: number = limits.unpackedBytes,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let total = 0;
  try {
    const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
    const reader = packed.pipeThrough(new DecompressionStream("gzip")).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      total += value.length;
      if (total > limit) throw new Error(`it unpacks to more than ${limit} bytes, the limit unpackedBytes`);
      parts.push(value);
    }
  } catch (error) {
    throw new FileError(
      `${what}: cannot be unpacked as gzip (${(error as Error).message}); the file is damaged or cut off, get it again`,
      { cause: error },
    );
  }
  const whole = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
