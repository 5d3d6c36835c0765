/** The text of a file in blocks, decoded as it is read. */
import { isAscii, isUtf8 } from "node:buffer";
import { stat } from "node:fs/promises";
import { FileError, SardonyxError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { systemReason } from "../../storage/disk.node.ts";
import { openReader } from "../../storage/file-reader.node.ts";
import { encodingName, type FoundEncoding } from "./text-encoding.ts";

const blockSize = 1 << 20;
const [lineFeed, carriageReturn] = [10, 13];

/** The first bytes of a file, and whether they are all. Throws FileError when it is missing, no file or unreadable. */
export async function readHead(path: string, length = blockSize): Promise<{ head: Uint8Array; whole: boolean }> {
  const status = await stat(path).catch(() => undefined);
  if (!status) throw new FileError(`table: there is no file ${path}; check the path`);
  if (status.isDirectory()) throw new FileError(`table: ${path} is a folder, expected a file; name the file in it`);
  if (!status.isFile()) throw new FileError(`table: ${path} is no file; give the path of a file`);
  const handle = await opened(path);
  try {
    if (handle.size === 0)
      throw new FileError(`${path}: is empty (0 bytes), expected a table of at least one row; get the file anew`);
    const head = new Uint8Array(Math.min(length, handle.size));
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    return { head: head.subarray(0, bytesRead), whole: bytesRead === handle.size };
  } finally {
    await handle.close();
  }
}

const opened = (path: string) =>
  openReader(path).catch((error) => {
    if (error instanceof SardonyxError) throw error;
    throw new FileError(`table: cannot read ${path} (${systemReason(error)}); check its permissions`, { cause: error });
  });

/** Blocks of bytes, each ending at the end of a line where lines are shorter than a block. A block's memory is used again after the next one. */
export async function* byteBlocks(path: string, from: number): AsyncGenerator<Buffer> {
  const handle = await opened(path);
  // One is read while the other is in use.
  const buffers = [Buffer.allocUnsafeSlow(2 * blockSize), Buffer.allocUnsafeSlow(2 * blockSize)];
  let carried = 0;
  let position = from;
  const readNext = (at: number) => {
    const needed = carried + blockSize;
    let buffer = buffers[at % 2] as Buffer;
    if (buffer.length < needed) buffer = buffers[at % 2] = Buffer.allocUnsafeSlow(2 * needed);
    return handle.read(buffer, carried, blockSize, position);
  };
  let reading = readNext(0);
  try {
    for (let at = 0; ; at++) {
      const { bytesRead } = await reading;
      position += bytesRead;
      const filled = (buffers[at % 2] as Buffer).subarray(0, carried + bytesRead);
      if (bytesRead === 0) {
        if (filled.length > 0) yield filled;
        return;
      }
      const end = Math.max(filled.lastIndexOf(lineFeed), filled.lastIndexOf(carriageReturn)) + 1;
      if (end === 0 && filled.length > limits.recordLength)
        throw new FileError(
          `${path}: a line has more than ${limits.recordLength} characters, the limit recordLength; check that the file is a table`,
        );
      carried = filled.length - end;
      reading = readNext(at + 1);
      filled.copy(buffers[(at + 1) % 2] as Buffer, 0, end);
      if (end > 0) yield filled.subarray(0, end);
    }
  } finally {
    await reading.catch(() => undefined);
    await handle.close();
  }
}

/** Throws FileError for the line of a block that is no UTF-8. */
export function refuseLine(block: Buffer, lines: number, path: string): never {
  let [start, line] = [0, lines];
  while (start < block.length) {
    const found = block.indexOf(lineFeed, start);
    const end = found < 0 ? block.length : found + 1;
    line++;
    if (!isUtf8(block.subarray(start, end))) break;
    start = end;
  }
  throw new FileError(
    `${path}: line ${line} is no text in UTF-8, which the lines before it are; save the file in UTF-8, or say what it is: encoding: "windows-1252"`,
  );
}

function countLines(block: Buffer): number {
  let lines = 0;
  for (let at = block.indexOf(lineFeed); at >= 0; at = block.indexOf(lineFeed, at + 1)) lines++;
  return lines;
}

/** The text of a file behind its byte order mark. Throws FileError for a line that is no text in the encoding. */
export async function* textBlocks(path: string, { encoding, markLength }: FoundEncoding): AsyncGenerator<string> {
  if (encoding !== "utf-8") {
    const decoder = new TextDecoder(encoding);
    for await (const block of byteBlocks(path, markLength)) yield decoder.decode(block, { stream: true });
    const rest = decoder.decode();
    if (rest !== "")
      throw new FileError(`${path}: ends within a character of ${encodingName[encoding]}; it is cut off, get it anew`);
    return;
  }
  let lines = 0;
  for await (const block of byteBlocks(path, markLength)) {
    if (isAscii(block)) yield block.toString("latin1");
    else if (isUtf8(block)) yield block.toString("utf8");
    else refuseLine(block, lines, path);
    lines += countLines(block);
  }
}

/** Whether the whole file is UTF-8, as far as `most` bytes. */
export async function isUtf8File(path: string, most: number): Promise<boolean> {
  let seen = 0;
  for await (const block of byteBlocks(path, 0)) {
    if (!isUtf8(block)) return false;
    seen += block.length;
    if (seen > most) return true;
  }
  return true;
}
