/**
 * The header of an age file, version 1: to whom it is encrypted (https://github.com/C2SP/C2SP/blob/main/age.md). `age-encryption` reads it only in promises, for which models
 * that name files beside them do not wait, and writes it in ten times as long: a run writes hundreds.
 */
import { base64nopad } from "@scure/base";
import { FileError } from "../../core/errors.ts";

/** What a file opens with that was encrypted to one recipient. */
export interface Stanza {
  readonly type: string;
  readonly arguments: readonly string[];
  readonly body: Uint8Array;
}

/** The header of a file. */
export interface AgeHeader {
  readonly stanzas: readonly Stanza[];
  /** The bytes that `mac` is of. */
  readonly authenticated: Uint8Array;
  readonly mac: Uint8Array;
  /** Bytes of the header. */
  readonly length: number;
}

const magic = "age-encryption.org/";
const version = `${magic}v1`;

/** Whether bytes begin as a file of any version of age does. */
export const isAge = (head: Uint8Array): boolean =>
  head.length >= magic.length && magic === String.fromCharCode(...head.subarray(0, magic.length));

/** The most bytes that a header may have: those of some 4,000 recipients. */
export const longestHeader = 1 << 20;

/** A header at the beginning of a file. Throws FileError for another version, and for one that is damaged. */
export function parseHeader(bytes: Uint8Array, place: string): AgeHeader {
  let position = 0;
  const line = (): string => {
    const end = bytes.indexOf(10, position);
    if (end < 0) throw new FileError(`${place} is cut off in the header of its encryption; get it anew`);
    const text = String.fromCharCode(...bytes.subarray(position, end));
    position = end + 1;
    return text;
  };
  const damaged = () =>
    new FileError(`${place}: the header of its encryption is damaged before byte ${position}; get it anew`);
  const decode = (text: string): Uint8Array => {
    try {
      return base64nopad.decode(text);
    } catch {
      throw damaged();
    }
  };
  const first = line();
  if (first !== version)
    throw new FileError(
      `${place} is encrypted as "${first}", which is not known; expected ${version}: encrypt it anew with age`,
    );
  const stanzas: Stanza[] = [];
  for (;;) {
    const start = position;
    const [mark, ...words] = line().split(" ");
    if (words.some((word) => !/^[\x21-\x7e]+$/.test(word))) throw damaged();
    if (mark === "---" && stanzas.length > 0) {
      const mac = decode(words.length === 1 ? (words[0] as string) : "-");
      if (mac.length !== 32) throw damaged();
      return { stanzas, authenticated: bytes.subarray(0, start + 3), mac, length: position };
    }
    const [type, ...rest] = words;
    if (mark !== "->" || type === undefined) throw damaged();
    const body: Uint8Array[] = [];
    do {
      const part = decode(line());
      if (part.length > 48) throw damaged();
      body.push(part);
    } while (body.at(-1)?.length === 48);
    stanzas.push({ type, arguments: rest, body: Buffer.concat(body) });
  }
}

/** Bytes that a line of a stanza's body holds. */
const lineBytes = 48;

/** A header without its code: the bytes that `mac` is of. */
export function authenticatedPart(stanzas: readonly Stanza[]): Uint8Array {
  const lines = stanzas.flatMap(({ type, arguments: given, body }) => {
    // A line that is not full ends a body.
    const count = Math.floor(body.length / lineBytes) + 1;
    const parts = Array.from({ length: count }, (_, i) => body.subarray(i * lineBytes, (i + 1) * lineBytes));
    return [["->", type, ...given].join(" "), ...parts.map((part) => base64nopad.encode(part))];
  });
  return new TextEncoder().encode([version, ...lines, "---"].join("\n"));
}

/** The bytes of a header. */
export function encodeHeader({ authenticated, mac }: Pick<AgeHeader, "authenticated" | "mac">): Uint8Array {
  const end = new TextEncoder().encode(` ${base64nopad.encode(mac)}\n`);
  const bytes = new Uint8Array(authenticated.length + end.length);
  bytes.set(authenticated);
  bytes.set(end, authenticated.length);
  return bytes;
}
