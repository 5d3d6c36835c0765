/** Rows in a file, for what the frozen part of a model gives and memory has no room for. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileError } from "../../core/errors.ts";
import { positive, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { onDisk, systemReason } from "../../storage/disk.node.ts";
import type { RowPlace } from "./kept-rows.ts";

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
      return {
        capacity,
        write(row, given) {
          try {
            for (let done = 0; done < rowBytes; )
              done += writeSync(file, given, done, rowBytes - done, row * rowBytes + done);
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
