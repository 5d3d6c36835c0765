/** The bytes of what a client keeps from round to round: one safetensors file. */
import { FileError, SardonyxError } from "../core/errors.ts";
import { Tensor } from "../core/tensor.ts";
import { decodeSafetensors, encodeSafetensors } from "../storage/safetensors.ts";
import type { ClientMemory } from "./client.ts";

const format = "sardonyx-client-1";
const parts = ["before", "next"] as const;

/** The bytes of a memory. */
export function encodeMemory({ federation, round, ...vectors }: ClientMemory): Uint8Array {
  const tensors = parts.flatMap((part) =>
    Object.entries(vectors[part]).map(([name, own]) => [`${part}/${name}`, new Tensor("float32", [own.length], own)]),
  );
  return encodeSafetensors(Object.fromEntries(tensors), { format, federation, round: String(round) });
}

/** Reads it back. Throws FileError for bytes of something else. */
export function decodeMemory(bytes: Uint8Array): ClientMemory {
  try {
    const { tensors, metadata } = decodeSafetensors(bytes);
    const round = Number(metadata["round"]);
    if (metadata["format"] !== format || !Number.isSafeInteger(round))
      throw new FileError(`the file's format is "${metadata["format"]}", expected ${format}`);
    const [before, next] = parts.map((part) =>
      Object.fromEntries(
        Object.entries(tensors)
          .filter(([name, { dtype }]) => name.startsWith(`${part}/`) && dtype === "float32")
          .map(([name, { data }]) => [name.slice(part.length + 1), data as Float32Array]),
      ),
    );
    return { federation: metadata["federation"] ?? "", round, before: before ?? {}, next: next ?? {} };
  } catch (cause) {
    const why = cause instanceof SardonyxError ? cause.message : String(cause);
    throw new FileError(`what a client of a federation keeps cannot be read: ${why}; remove the file to begin anew`, {
      cause,
    });
  }
}
