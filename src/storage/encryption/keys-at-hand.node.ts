/** The keys that this process has: identities that `SARDONYX_IDENTITY` names, those of a run's own folder, passphrases. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { memorySource } from "../../core/byte-source.ts";
import { FileError, KeyError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { systemReason } from "../disk.node.ts";
import { shownPath } from "../shown-path.node.ts";
import { ageFile } from "./age-file.node.ts";
import type { AgeHeader } from "./age-header.ts";
import { type Identity, isByPassphrase, keyByIdentity, keyByPassphrase, parseIdentity } from "./age-keys.node.ts";
import { askPassphrase } from "./ask-passphrase.node.ts";
import { identityFiles, keyVariables } from "./key-variables.node.ts";

/** The file of a folder that holds its own identity, encrypted by a passphrase. */
export const ownIdentity = "identity.age";

/** The nearest file of a name in the folder of a path and those above it. */
export function findAbove(path: string, name: string): string | undefined {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    const found = join(folder, name);
    if (existsSync(found)) return found;
    if (dirname(folder) === folder) return undefined;
  }
}

/** The passphrase of the environment, else what a person types. Throws KeyError where there is neither. */
export function passphraseFor(what: string): string {
  const given = process.env[keyVariables.passphrase];
  if (given !== undefined && given !== "") return given;
  const typed = askPassphrase(`Passphrase of ${what}: `);
  if (!typed)
    throw new KeyError(
      `${what} is encrypted by a passphrase, and there is none; type it on a terminal, or put it into ${keyVariables.passphrase}`,
    );
  // For all files after this one, and for processes and threads that read them.
  process.env[keyVariables.passphrase] = typed;
  return typed;
}

/** The key of a file that is encrypted by a passphrase. Throws KeyError for a wrong one. */
function byPassphrase(header: AgeHeader, place: string): Uint8Array {
  const key = keyByPassphrase(header, passphraseFor(place), place);
  if (key) return key;
  delete process.env[keyVariables.passphrase];
  throw new KeyError(
    `the passphrase is not that of ${place}; try again (it is also read from ${keyVariables.passphrase})`,
  );
}

/** What files of identities held, by path and time: work of a second each where a passphrase opens them. */
const known = new Map<string, readonly Identity[]>();

/** The identities of a file as `age-keygen` writes it, also of one that is encrypted by a passphrase. Throws FileError for another file. */
export function identitiesIn(path: string): readonly Identity[] {
  const place = shownPath(path);
  try {
    const { mtimeMs, size } = statSync(path);
    const mark = `${resolve(path)} ${mtimeMs} ${size}`;
    const before = known.get(mark);
    if (before) return before;
    const file = ageFile(memorySource(readFileSync(path)), place, (header) => {
      if (isByPassphrase(header)) return byPassphrase(header, place);
      throw new FileError(`${place} is an identity that is encrypted to another one; decrypt it before`);
    });
    const identities = parseIdentities(new TextDecoder().decode(file.read(0, file.size)), place);
    known.set(mark, identities);
    return identities;
  } catch (error) {
    if (error instanceof FileError || error instanceof KeyError) throw error;
    const reason = systemReason(error) === "ENOENT" ? "it is not there" : systemReason(error);
    throw new FileError(
      `the identity ${place} cannot be read: ${reason}; pass the path of a file as age-keygen writes it (--identity, ${keyVariables.identity})`,
      { cause: error },
    );
  }
}

/** Identities by lines. Errors name a line, and say nothing of what is in it. */
function parseIdentities(text: string, place: string): readonly Identity[] {
  const identities = text.split(/\r?\n/).flatMap((line, i) => {
    if (line.trim() === "" || line.startsWith("#")) return [];
    const identity = parseIdentity(line.trim());
    if (identity) return [identity];
    const what = line.startsWith("age1") ? "a recipient, which only encrypts" : "no identity of X25519";
    throw new FileError(`${place}: line ${i + 1} is ${what}; expected AGE-SECRET-KEY-1…, as age-keygen writes it`);
  });
  if (identities.length > 0) return identities;
  throw new FileError(`${place} holds no identity; expected a line AGE-SECRET-KEY-1…, as age-keygen writes it`);
}

/** The key of an encrypted file, by what is at hand. Throws KeyError where nothing opens it. */
export function fileKeyFor(path: string, header: AgeHeader): Uint8Array {
  const place = shownPath(path);
  if (isByPassphrase(header)) return byPassphrase(header, place);
  const files = identityFiles();
  const given = files.flatMap(identitiesIn);
  const key = keyByIdentity(header, given, place);
  if (key) return key;
  const own = findAbove(path, ownIdentity);
  const byOwn = own && keyByIdentity(header, identitiesIn(own), place);
  if (byOwn) return byOwn;
  const to = `${place} is encrypted to ${recipientsText(header)}`;
  throw new KeyError(
    files.length === 0
      ? `${to}, and no identity is given; pass the file of the one that opens it: --identity FILE, or ${keyVariables.identity}`
      : `${to}, and ${given.length === 1 ? "the identity" : `none of the ${given.length} identities`} in ${files.map(shownPath).join(", ")} ${given.length === 1 ? "is not its" : "is one of theirs"}; pass the right one (--identity FILE)`,
  );
}

/** How many recipients a file has, by their type. */
function recipientsText({ stanzas }: AgeHeader): string {
  // What age adds so that readers pass over what they do not know.
  const types = stanzas.map(({ type }) => type).filter((type) => !type.endsWith("-grease"));
  const counted = [...new Set(types)].map((type) => {
    const count = types.filter((own) => own === type).length;
    return `${plural(count, "recipient")} of ${type}`;
  });
  return counted.join(" and ") || "nobody";
}
