/** A file of JSON read whole: its size bounded, and where it is cut or wrong said by line. */
import { stat } from "node:fs/promises";
import { FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { limits } from "../../core/limits.ts";
import { reasonOf } from "../../data/tables/json-records.ts";
import { readBytes } from "../../storage/atomic.node.ts";

/** The bytes of a file of annotations. Throws FileError for one that is missing, and for one of more bytes than `limits.unpackedBytes`. */
export async function readBounded(path: string, most: number = limits.unpackedBytes): Promise<Uint8Array> {
  const { size } = await stat(path).catch(() => ({ size: 0 })); // what is missing readBytes says
  if (size > most)
    throw new FileError(
      `${path}: has ${size} bytes, and ${most} is the limit ${most === limits.unpackedBytes ? "unpackedBytes" : "recordLength"}; cut it in parts`,
    );
  return readBytes(path, "annotations");
}

/** What a file of JSON holds. Throws FileError with the line for one that is no JSON. */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = new TextDecoder("utf-8").decode(await readBounded(path));
  try {
    return parseJson(text);
  } catch (cause) {
    const [, place] = /position (\d+)/.exec((cause as Error).message) ?? [];
    const line = text.slice(0, place === undefined ? text.length : Number(place)).split("\n").length;
    throw new FileError(
      `${path}: line ${line}: is no JSON (${reasonOf(cause)}); the file may be cut: export or copy it again`,
      { cause },
    );
  }
}
