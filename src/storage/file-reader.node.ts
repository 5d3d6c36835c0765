/** Files read in parts while the process goes on with others, as what they hold. */
import { open } from "node:fs/promises";
import { looksEncrypted } from "./encryption/age-file.node.ts";
import { openFile } from "./file-source.node.ts";

/** An open file. */
export interface FileReader {
  /** Bytes that it holds. */
  readonly size: number;
  /** Reads bytes from `position` on into a buffer, fewer than \`length\` only at the end. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  close(): Promise<void>;
}

/** Opens a file. Throws what the system does, and what \`openFile\` does for one that is encrypted. */
export async function openReader(path: string): Promise<FileReader> {
  const handle = await open(path, "r");
  try {
    const head = new Uint8Array(1024);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    if (looksEncrypted(head.subarray(0, bytesRead))) {
      const opened = openEncrypted(path);
      await handle.close();
      return opened;
    }
    const { size } = await handle.stat();
    return {
      size,
      read: (buffer, offset, length, position) => handle.read(buffer, offset, length, position),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function openEncrypted(path: string): FileReader {
  const { size, read, close } = openFile(path);
  return {
    size,
    async read(buffer, offset, length, position) {
      const bytes = read(position, Math.max(0, Math.min(length, size - position)));
      buffer.set(bytes, offset);
      return { bytesRead: bytes.length };
    },
    close: async () => close(),
  };
}

const blockBytes = 1 << 18;

/** What a file holds, block by block. */
export async function* blocksOf(path: string): AsyncGenerator<Uint8Array> {
  const file = await openReader(path);
  try {
    for (let position = 0; ; ) {
      const block = new Uint8Array(blockBytes);
      const { bytesRead } = await file.read(block, 0, block.length, position);
      if (bytesRead === 0) return;
      yield block.subarray(0, bytesRead);
      position += bytesRead;
    }
  } finally {
    await file.close();
  }
}
