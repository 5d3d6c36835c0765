/** To whom what commands write is encrypted. */
import { resolve } from "node:path";
import { OptionError } from "../core/errors.ts";
import { writeFileAtomic } from "../storage/atomic.node.ts";
import { encryptFolder, isEncrypted } from "../storage/encryption/encrypted-folder.node.ts";
import { encryptTo, sealedTo } from "../storage/encryption/recipients.node.ts";
import { shownPath } from "../storage/shown-path.node.ts";
import { type Option, text } from "./command.ts";
import type { Output } from "./output.ts";

/** The option of commands that write. */
export const encryptToOption: Option<string> = {
  ...text("RECIPIENT", "encrypt what is written: age1…, a file of such lines, or passphrase (asked for)"),
  repeats: true,
};

/** Makes the folder of what a command writes one whose files are encrypted, where that was asked. */
export async function encryptOut(folder: string, to: string | undefined): Promise<void> {
  if (to !== undefined) await encryptFolder(folder, encryptTo(to));
}

/** What is written, and of what. */
export interface WrittenOutput {
  /** What \`--encrypt-to\` says. */
  readonly encryptTo: string | undefined;
  /** The run that it was made of, or the file. */
  readonly of?: string | undefined;
}

/**
 * Writes a file that a person asked for, encrypted to whom they said, or to the recipients of its folder. Notes where a file that was made of an
 * encrypted run is not. Throws OptionError for a name that promises encryption which nobody asked for.
 */
export async function writeOutput(
  path: string,
  content: Uint8Array | string,
  { encryptTo: to, of }: WrittenOutput,
  output: Output,
): Promise<void> {
  if (to !== undefined) return writeFileAtomic(path, content, sealedTo(encryptTo(to)));
  const isSealed = isEncrypted(resolve(path, ".."));
  if (path.endsWith(".age") && !isSealed)
    throw new OptionError(
      `${shownPath(path)} ends with .age, and nothing says to whom it is encrypted; pass --encrypt-to`,
    );
  await writeFileAtomic(path, content);
  if (of !== undefined && !isSealed && isEncrypted(of))
    output.warn(
      `Note: ${shownPath(path)} is not encrypted, and ${shownPath(of)} is; --encrypt-to encrypts it.`,
      "caution",
    );
}
