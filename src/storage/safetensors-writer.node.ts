/** safetensors files written tensor by tensor, so that they need not fit into memory. */
import { open } from "node:fs/promises";
import { InternalError } from "../core/errors.ts";
import { isSystemError, refusedWrite } from "./disk.node.ts";
import { recipientsAt } from "./encryption/recipients.node.ts";
import { FileSealer } from "./encryption/sealer.node.ts";
import { encodeSafetensorsHeader, type TensorToWrite } from "./safetensors.ts";

/**
 * Writes a new safetensors file, encrypted to the recipients of its folder, and waits until it is on the disk. It is not whole before that: write it into a folder that takes its
 * place when all is done. Throws FileError for what the disk refuses, OptionError as `encodeSafetensorsHeader`, and what `bytesOf` throws.
 * @param bytesOf the bytes of a tensor, asked for one after another in the order of the file
 * @returns bytes of the file before it is encrypted
 */
export async function writeSafetensors<T extends TensorToWrite>(
  path: string,
  tensors: readonly T[],
  bytesOf: (tensor: T) => Uint8Array,
  metadata?: Readonly<Record<string, string>>,
): Promise<number> {
  const { bytes, order, dataBytes } = encodeSafetensorsHeader(tensors, metadata);
  const to = recipientsAt(path);
  const sealer = to.length > 0 ? await FileSealer.for(to) : undefined;
  try {
    const file = await open(path, "wx");
    const write = async (content: Uint8Array) => {
      for (const part of sealer?.push(content) ?? [content]) await file.writeFile(part);
    };
    try {
      if (sealer) await file.writeFile(sealer.start);
      await write(bytes);
      let written = 0;
      for (const tensor of order) {
        const own = bytesOf(tensor);
        written += own.length;
        await write(own);
      }
      if (sealer) await file.writeFile(sealer.end());
      if (written !== dataBytes)
        throw new InternalError(`${path}: ${written} bytes of tensors were written where its header says ${dataBytes}`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw isSystemError(cause) ? refusedWrite(path, cause) : cause;
  }
  return bytes.length + dataBytes;
}
