/**
 * Rows in a file, for what the frozen part of a model gives and memory has no room for. They tell of the data: the file is encrypted by a key that
 * only this process has, so that whoever finds what a killed one leaves can do nothing with it.
 */
import { createCipheriv, randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileError } from "../../core/errors.ts";
import { positive, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { onDisk, systemReason } from "../../storage/disk.node.ts";
import type { RowPlace } from "./kept-rows.ts";

/**
 * Encrypts rows, and decrypts them again: AES-256 in counter mode, whose counter begins with the number of the row. A row is written once, so that
 * no counter is used for two contents.
 */
function cipherOfRows(): (row: number, bytes: Uint8Array) => Uint8Array {
  const key = randomBytes(32);
  return (row, bytes) => {
    const counter = Buffer.alloc(16);
    counter.writeUIntBE(row, 0, 6);
    return createCipheriv("aes-256-ctr", key, counter).update(bytes);
  };
}

/** Options of `diskRows`. */
export interface DiskRowsOptions {
  /** The most that the file may grow to. */
  readonly bytes: number;
  /** Where it lies; default the system's folder for temporary files. */
  readonly folder?: string;
}

const checkOptions = optionsOf<DiskRowsOptions>("diskRows", { bytes: required(positive), folder: string });

/**
 * Room on disk for the option `training.cache.disk`. The file is removed when training ends, and when the process does. Throws FileError when
 * the disk is full.
 * @example training: { cache: { memory: 256e6, disk: diskRows({ bytes: 8e9 }) } }
 */
export function diskRows(options: DiskRowsOptions): RowPlace {
  const { bytes, folder = tmpdir() } = checkOptions(options);
  return {
    open(rowBytes, rows) {
      const capacity = Math.min(rows, Math.floor(bytes / rowBytes));
      const within = onDisk(folder, () => mkdtempSync(join(folder, "sardonyx-rows-")));
      const path = join(within, "rows");
      const file = onDisk(path, () => openSync(path, "w+"));
      const remove = () => rmSync(within, { recursive: true, force: true });
      process.once("exit", remove);
      const coded = cipherOfRows();
      return {
        capacity,
        write(row, given) {
          try {
            const bytes = coded(row, given);
            for (let done = 0; done < rowBytes; )
              done += writeSync(file, bytes, done, rowBytes - done, row * rowBytes + done);
          } catch (error) {
            throw new FileError(
              `what the frozen layers gave could not be kept in ${path}: ${systemReason(error)}; make room, or train without: training: { cache: false }`,
              { cause: error },
            );
          }
        },
        read(row, into) {
          for (let done = 0; done < rowBytes; )
            done += readSync(file, into, done, rowBytes - done, row * rowBytes + done);
          into.set(coded(row, into));
        },
        close() {
          process.off("exit", remove);
          closeSync(file);
          remove();
        },
      };
    },
  };
}
