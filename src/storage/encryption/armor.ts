/** ASCII armor of age files, as mails carry them. */
import { base64 } from "@scure/base";
import { FileError } from "../../core/errors.ts";

const armorBegin = "-----BEGIN AGE ENCRYPTED FILE-----";
const armorEnd = "-----END AGE ENCRYPTED FILE-----";

/** Whether bytes begin as a file in armor does, which blanks may precede. */
export const isArmored = (head: Uint8Array): boolean =>
  new TextDecoder().decode(head.subarray(0, 1024)).trimStart().startsWith(armorBegin);

/** The bytes of a file in armor. Throws FileError for one that is cut off or damaged. */
export function dearmored(bytes: Uint8Array, place: string): Uint8Array {
  const lines = new TextDecoder().decode(bytes).replaceAll("\r\n", "\n").trim().split("\n");
  if (lines.at(-1) !== armorEnd)
    throw new FileError(`${place} is cut off: it does not end with ${armorEnd}; get it anew`);
  const parts = lines.slice(1, -1);
  const damaged = parts.findIndex(
    (line, i) => line.length === 0 || line.length > 64 || (line.length < 64 && i < parts.length - 1),
  );
  if (damaged >= 0) throw new FileError(`${place}: line ${damaged + 2} of its armor is damaged; get it anew`);
  if (parts.length === 0) throw new FileError(`${place}: there is nothing in its armor; get it anew`);
  try {
    return base64.decode(parts.join(""));
  } catch {
    throw new FileError(`${place}: its armor is damaged, it is not base64; get it anew`);
  }
}
