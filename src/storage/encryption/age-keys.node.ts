/** Keys of age files: of X25519, whose recipients are `age1…`, and of passphrases (https://github.com/C2SP/C2SP/blob/main/age.md). */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  scryptSync,
  timingSafeEqual,
} from "node:crypto";
import { base64nopad, bech32 } from "@scure/base";
import { FileError, InternalError } from "../../core/errors.ts";
import type { AgeHeader, Stanza } from "./age-header.ts";

/** The file's key of a stanza's body; `undefined` where it was not wrapped by this key. */
function unwrap(body: Uint8Array, key: Uint8Array): Uint8Array | undefined {
  const opening = createDecipheriv("chacha20-poly1305", key, new Uint8Array(12), { authTagLength: 16 });
  opening.setAuthTag(body.subarray(16));
  const fileKey = opening.update(body.subarray(0, 16));
  try {
    opening.final();
  } catch {
    return undefined;
  }
  return fileKey;
}

/** A stanza's body: the file's key, wrapped by another. */
function wrap(fileKey: Uint8Array, key: Uint8Array): Uint8Array {
  const sealing = createCipheriv("chacha20-poly1305", key, new Uint8Array(12), { authTagLength: 16 });
  const body = [sealing.update(fileKey), sealing.final()];
  return new Uint8Array(Buffer.concat([...body, sealing.getAuthTag()]));
}

/** A secret key that opens what is encrypted to its recipient. */
export interface Identity {
  readonly key: KeyObject;
  /** The bytes of the recipient. */
  readonly recipient: Uint8Array;
}

const raw = (key: KeyObject): Uint8Array => Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url");

/** The identity of `AGE-SECRET-KEY-1…`; `undefined` for what is none. */
export function parseIdentity(text: string): Identity | undefined {
  const decoded = bech32.decodeUnsafe(text, false);
  if (decoded === undefined || !text.startsWith("AGE-SECRET-KEY-1")) return undefined;
  const secret = bech32.fromWordsUnsafe(decoded.words);
  if (secret?.length !== 32) return undefined;
  // PKCS #8 of a key of X25519 (RFC 8410).
  const wrapped = Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), secret]);
  const key = createPrivateKey({ key: wrapped, format: "der", type: "pkcs8" });
  return { key, recipient: raw(createPublicKey(key)) };
}

/** The bytes of a recipient of X25519, `age1…`; `undefined` for what is none. */
function parseRecipient(text: string): Uint8Array | undefined {
  const decoded = bech32.decodeUnsafe(text);
  if (decoded?.prefix !== "age" || text !== text.toLowerCase()) return undefined;
  const bytes = bech32.fromWordsUnsafe(decoded.words);
  return bytes?.length === 32 ? bytes : undefined;
}

/** Whether a text is a recipient of X25519, `age1…`. */
export const isRecipient = (text: string): boolean => parseRecipient(text) !== undefined;

const publicKeyOf = (bytes: Uint8Array): KeyObject =>
  createPublicKey({ key: { kty: "OKP", crv: "X25519", x: Buffer.from(bytes).toString("base64url") }, format: "jwk" });

/** The key that wraps a file's, of the two sides' shared secret. */
const wrappingKey = (shared: Uint8Array, share: Uint8Array, recipient: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", shared, Buffer.concat([share, recipient]), "age-encryption.org/v1/X25519", 32));

/** A file's key wrapped for a recipient of X25519. Throws InternalError for a text that is none. */
export function stanzaFor(text: string, fileKey: Uint8Array): Stanza {
  const recipient = parseRecipient(text);
  if (!recipient) throw new InternalError("a file is encrypted to what is no recipient");
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  const share = raw(publicKey);
  const shared = diffieHellman({ privateKey, publicKey: publicKeyOf(recipient) });
  const body = wrap(fileKey, wrappingKey(shared, share, recipient));
  return { type: "X25519", arguments: [base64nopad.encode(share)], body };
}

/** Throws FileError for a stanza that is not as its type is. */
function requireForm(
  { arguments: given, body }: Stanza,
  lengths: readonly number[],
  place: string,
): readonly Uint8Array[] {
  const decoded = lengths.map((length, i) => {
    try {
      const bytes = base64nopad.decode(given[i] ?? "");
      return bytes.length === length ? bytes : undefined;
    } catch {
      return undefined;
    }
  });
  const whole = decoded.filter((bytes) => bytes !== undefined);
  if (whole.length < lengths.length || body.length !== 32)
    throw new FileError(`${place}: the header of its encryption is damaged: a recipient is not whole; get it anew`);
  return whole;
}

/** The key of a file that is encrypted to one of some identities; `undefined` where it is to others. Throws FileError for a damaged header. */
export function keyByIdentity(
  header: AgeHeader,
  identities: readonly Identity[],
  place: string,
): Uint8Array | undefined {
  for (const stanza of header.stanzas) {
    if (stanza.type !== "X25519") continue;
    const [share = new Uint8Array()] = requireForm(stanza, stanza.arguments.length === 1 ? [32] : [-1], place);
    const publicKey = publicKeyOf(share);
    for (const { key, recipient } of identities) {
      let shared: Uint8Array;
      try {
        shared = diffieHellman({ privateKey: key, publicKey });
      } catch {
        // A point of low order, which no sender makes.
        throw new FileError(
          `${place}: the header of its encryption is damaged: a recipient's share is none; get it anew`,
        );
      }
      const fileKey = unwrap(stanza.body, wrappingKey(shared, share, recipient));
      if (fileKey) return fileKey;
    }
  }
  return undefined;
}

/** Whether a file is encrypted by a passphrase. */
export const isByPassphrase = ({ stanzas }: AgeHeader): boolean => stanzas.some(({ type }) => type === "scrypt");

/** The most work, as a power of two, that a file may ask for: of a gigabyte of memory. */
const mostWork = 20;

/** The key of a file that is encrypted by a passphrase; `undefined` where it is another one. Throws FileError for a damaged header. */
export function keyByPassphrase(header: AgeHeader, passphrase: string, place: string): Uint8Array | undefined {
  const [stanza, ...others] = header.stanzas;
  if (!stanza || others.length > 0)
    throw new FileError(
      `${place}: a passphrase is not the only way to open it, which age does not allow; encrypt it anew`,
    );
  const [, logarithm = ""] = stanza.arguments;
  if (stanza.arguments.length !== 2 || !/^[1-9]\d?$/.test(logarithm))
    throw new FileError(`${place}: the header of its encryption is damaged: its work factor is none; get it anew`);
  const [salt = new Uint8Array()] = requireForm(stanza, [16], place);
  if (Number(logarithm) > mostWork)
    throw new FileError(
      `${place} asks for 2^${logarithm} rounds of scrypt, more than 2^${mostWork}; encrypt it anew with less work`,
    );
  const cost = 2 ** Number(logarithm);
  const salted = Buffer.concat([Buffer.from("age-encryption.org/v1/scrypt"), salt]);
  const key = scryptSync(passphrase, salted, 32, { N: cost, r: 8, p: 1, maxmem: 2 * 128 * 8 * cost + (1 << 20) });
  return unwrap(stanza.body, key);
}

/** The code of a header, by which whoever knows the file's key sees that it was not altered. */
export function macOf(authenticated: Uint8Array, fileKey: Uint8Array): Uint8Array {
  const key = new Uint8Array(hkdfSync("sha256", fileKey, new Uint8Array(), "header", 32));
  return createHmac("sha256", key).update(authenticated).digest();
}

/** Whether a header is as whoever knows the file's key wrote it. */
export const isAuthentic = ({ authenticated, mac }: AgeHeader, fileKey: Uint8Array): boolean =>
  timingSafeEqual(macOf(authenticated, fileKey), mac);
