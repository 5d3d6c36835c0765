/** Checksums of files: computed as a stream, compared with what their publisher states. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { FileError } from "../core/errors.ts";
import { systemReason } from "./disk.node.ts";
import { kindOfOther } from "./file-source.node.ts";

/** `gitBlob` is git's name of a file: SHA-1 of `blob`, the size, a zero byte and the content. */
export type ChecksumAlgorithm = "sha256" | "gitBlob" | "md5";

/** The size of a file, and its checksum by one or more algorithms, in hexadecimal. */
export interface ExpectedFile {
  readonly bytes: number;
  readonly sha256?: string;
  readonly gitBlob?: string;
  /** Old data sets publish only MD5: it detects damage, not malice. */
  readonly md5?: string;
}

/** Checksum of a file in hexadecimal, read as a stream. Throws FileError when it cannot be read. */
export async function checksumOfFile(path: string, algorithm: ChecksumAlgorithm): Promise<string> {
  try {
    const hash = createHash(algorithm === "gitBlob" ? "sha1" : algorithm);
    const status = await stat(path);
    const kind = kindOfOther(status);
    if (kind !== undefined) throw new Error(`it is ${kind}`);
    if (algorithm === "gitBlob") hash.update(`blob ${status.size}\0`);
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array);
    return hash.digest("hex");
  } catch (error) {
    throw new FileError(`cannot read ${path} (${systemReason(error)}) for its checksum; check the path`, {
      cause: error,
    });
  }
}

/** What differs between a file and what is expected of it, as words; undefined when it agrees. */
export async function differenceOf(path: string, expected: ExpectedFile): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return "it does not exist";
  if (found.size !== expected.bytes) return `it has ${found.size} bytes, expected ${expected.bytes}`;
  for (const algorithm of ["sha256", "gitBlob", "md5"] as const) {
    const wanted = expected[algorithm];
    if (wanted === undefined) continue;
    const actual = await checksumOfFile(path, algorithm);
    if (actual !== wanted) return `its ${algorithm} is ${actual}, expected ${wanted}`;
  }
  return undefined;
}
