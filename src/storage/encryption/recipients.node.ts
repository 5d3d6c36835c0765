/** To whom a folder's files are encrypted: those in its `.age-recipients`, or in that of a folder above it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FileError, OptionError } from "../../core/errors.ts";
import { shownPath } from "../shown-path.node.ts";
import { isRecipient } from "./age-keys.node.ts";
import { askPassphrase } from "./ask-passphrase.node.ts";
import { keyVariables } from "./key-variables.node.ts";
import { findAbove, ownIdentity } from "./keys-at-hand.node.ts";
import { type SealedTo, sealed } from "./sealer.node.ts";

/** The file of a folder that holds its recipients, one a line, as passage has it. */
export const recipientsFile = ".age-recipients";

/** Files of a folder that say how its others are encrypted, and are not. */
export const encryptionFiles: readonly string[] = [recipientsFile, ownIdentity];

/** Recipients by lines. Throws FileError for a line that is none. */
function parseRecipients(text: string, place: string): readonly string[] {
  const recipients = text.split(/\r?\n/).flatMap((line, i) => {
    const word = line.trim();
    if (word === "" || word.startsWith("#")) return [];
    if (isRecipient(word)) return [word];
    const what = word.startsWith("AGE-SECRET-KEY-") ? "an identity, which is secret" : "no recipient of X25519";
    throw new FileError(`${place}: line ${i + 1} is ${what}; expected age1…, the public key that age-keygen prints`);
  });
  if (recipients.length === 0) throw new FileError(`${place} names no recipient; write a line age1… into it`);
  return recipients;
}

/** The recipients of a file that is written at a path; none where no folder names any. Throws FileError for a damaged list. */
export function recipientsAt(path: string): readonly string[] {
  const found = findAbove(path, recipientsFile);
  return found === undefined ? [] : parseRecipients(readFileSync(found, "utf8"), shownPath(found));
}

/** To whom somebody asked to encrypt. */
export interface EncryptTo {
  readonly recipients: readonly string[];
  readonly passphrase?: string | undefined;
}

/**
 * What `--encrypt-to` says: recipients `age1…`, files of recipients, and the word `passphrase`, apart by commas. Asks for the passphrase where the
 * environment has none. Throws OptionError for something else, FileError for a file that names no recipients.
 */
export function encryptTo(text: string): EncryptTo {
  const words = text.split(",").map((word) => word.trim());
  const asked = words.includes("passphrase");
  const recipients = words.filter((word) => word !== "passphrase").flatMap(recipientsOf);
  return { recipients: [...new Set(recipients)], passphrase: asked ? newPassphrase() : undefined };
}

function recipientsOf(word: string): readonly string[] {
  if (isRecipient(word)) return [word];
  if (word.startsWith("AGE-SECRET-KEY-"))
    throw new OptionError(
      "an identity is secret, and opens files; encrypt to its recipient, age1…, which age-keygen -y prints",
    );
  if (word.startsWith("age1"))
    throw new OptionError(
      `"${word}" is no recipient of X25519: a character is wrong or missing, or it is of another type; copy the public key that age-keygen prints`,
    );
  if (word === "" || !existsSync(word))
    throw new OptionError(
      `cannot encrypt to "${word}": it is no recipient and no file; pass age1…, a file of such lines, or the word passphrase`,
    );
  return parseRecipients(readFileSync(word, "utf8"), word);
}

/** A passphrase of the environment, or typed twice. Throws OptionError where there is none. */
function newPassphrase(): string {
  const given = process.env[keyVariables.passphrase];
  if (given) return given;
  const typed = askPassphrase("New passphrase: ");
  if (!typed)
    throw new OptionError(
      `there is no passphrase to encrypt with; type it on a terminal, or put it into ${keyVariables.passphrase}`,
    );
  if (askPassphrase("Again: ") !== typed) throw new OptionError("the two passphrases differ; try again");
  process.env[keyVariables.passphrase] = typed;
  return typed;
}

/** As a single file is encrypted. Throws OptionError for a passphrase beside recipients, which age does not have. */
export function sealedTo({ recipients, passphrase }: EncryptTo): SealedTo {
  if (passphrase === undefined) return recipients;
  if (recipients.length === 0) return { passphrase };
  throw new OptionError("a file is encrypted by a passphrase or to recipients, not both; leave one out");
}

/** The files that make another folder one whose files are encrypted as those of a folder are; none where they are not. */
export function encryptionOfFolder(folder: string): Readonly<Record<string, Uint8Array | string>> {
  const recipients = recipientsAt(join(folder, recipientsFile));
  const own = findAbove(join(folder, ownIdentity), ownIdentity);
  if (recipients.length === 0) return {};
  return {
    ...(own !== undefined && { [ownIdentity]: new Uint8Array(readFileSync(own)) }),
    [recipientsFile]: `${recipients.join("\n")}\n`,
  };
}

/** A new identity as age-keygen writes it, and its recipient. */
export async function newIdentity(): Promise<{ readonly recipient: string; readonly text: string }> {
  const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  return { recipient, text: `# created: ${new Date().toISOString()}\n# public key: ${recipient}\n${identity}\n` };
}

/**
 * The files that make a folder one whose files are encrypted. By a passphrase it gets an identity of its own, which the passphrase opens: that takes a
 * second, and a run writes many files.
 */
export async function encryptionOf({
  recipients,
  passphrase,
}: EncryptTo): Promise<Readonly<Record<string, Uint8Array | string>>> {
  if (passphrase === undefined) return { [recipientsFile]: `${recipients.join("\n")}\n` };
  const { recipient, text } = await newIdentity();
  return {
    [ownIdentity]: await sealed({ passphrase }, text),
    [recipientsFile]: `${[recipient, ...recipients].join("\n")}\n`,
  };
}
