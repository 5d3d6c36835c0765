/** An age file as a source of what it holds, of which any part is read without the rest. */
import { type ByteSource, memorySource, requireRange } from "../../core/byte-source.ts";
import { FileError } from "../../core/errors.ts";
import { type AgeHeader, isAge, longestHeader, parseHeader } from "./age-header.ts";
import { isAuthentic } from "./age-keys.node.ts";
import { chunkBytes, openChunk, payloadKey, saltBytes, sealedChunkBytes, tagBytes } from "./age-payload.node.ts";
import { dearmored, isArmored } from "./armor.ts";

/** Bytes of a file that are read first: its header, if it has no more than some 15 recipients. */
const firstBytes = 4096;

/** Whether bytes begin as an age file does, also one in ASCII armor. */
export const looksEncrypted = (head: Uint8Array): boolean => isAge(head) || isArmored(head);

/**
 * What a file holds: of an age file, also of one in ASCII armor, what was encrypted, of another one its own bytes. Throws FileError for an age file
 * that is cut off, damaged or altered, here where its header or its end shows it, else when the part is read; and what `keyOf` throws.
 * @param place what errors call the file
 */
export function ageFile(source: ByteSource, place: string, keyOf: (header: AgeHeader) => Uint8Array): ByteSource {
  const head = source.read(0, Math.min(firstBytes, source.size));
  if (isArmored(head)) return ageFile(memorySource(dearmored(source.read(0, source.size), place)), place, keyOf);
  if (!isAge(head)) return source;
  const isWhole = /\n--- [^\n]*\n/.test(String.fromCharCode(...head));
  const header = parseHeader(isWhole ? head : source.read(0, Math.min(longestHeader, source.size)), place);
  const fileKey = keyOf(header);
  if (!isAuthentic(header, fileKey))
    throw new FileError(
      `${place}: the header of its encryption was altered after it was written; somebody may have meddled with it, get it anew`,
    );
  const start = header.length + saltBytes;
  if (source.size < start + tagBytes) throw cutOff(place, 0);
  const key = payloadKey(fileKey, source.read(header.length, saltBytes));
  return payloadSource({ source, start, key, place });
}

/** A payload in its file. */
interface Payload {
  readonly source: ByteSource;
  /** Where the first chunk begins. */
  readonly start: number;
  readonly key: Uint8Array;
  readonly place: string;
}

const cutOff = (place: string, chunks: number) =>
  new FileError(
    `${place} is cut off after ${chunks * chunkBytes} bytes of what it holds; the copy is not whole, get it anew`,
  );

function payloadSource({ source, start, key, place }: Payload): ByteSource {
  const sealedBytes = source.size - start;
  const chunks = Math.ceil(sealedBytes / sealedChunkBytes);
  const size = sealedBytes - chunks * tagBytes;
  const open = (index: number): Uint8Array => {
    const at = start + index * sealedChunkBytes;
    const sealed = source.read(at, Math.min(sealedChunkBytes, source.size - at));
    const isLast = index === chunks - 1;
    const plain = openChunk(key, sealed, index, isLast);
    if (plain) return plain;
    const asOther = openChunk(key, sealed, index, !isLast) !== undefined;
    if (asOther && isLast) throw cutOff(place, chunks);
    if (asOther)
      throw new FileError(
        `${place} has ${source.size - at - sealed.length} bytes behind its end, which nobody encrypted with it; get it anew`,
      );
    const last = isLast ? ", or the file is cut off there" : "";
    throw new FileError(
      `${place}: the part from byte ${index * chunkBytes} on was altered after it was encrypted${last}; nothing of it is used, get the file anew`,
    );
  };
  // The last chunk says whether the file is whole; there is one of nothing only where nothing was encrypted.
  let [kept, plain] = [chunks - 1, open(chunks - 1)];
  if (plain.length === 0 && chunks > 1)
    throw new FileError(`${place}: its encryption ends with an empty part; get it anew`);
  const chunk = (index: number): Uint8Array => {
    if (index !== kept) [kept, plain] = [index, open(index)];
    return plain;
  };
  return {
    size,
    read(offset, length) {
      requireRange(this, offset, length, `a part of ${place}`);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const at = offset + done;
        const within = at % chunkBytes;
        const part = chunk(Math.floor(at / chunkBytes)).subarray(within, within + length - done);
        bytes.set(part, done);
        done += part.length;
      }
      return bytes;
    },
  };
}
