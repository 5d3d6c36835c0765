/** How the text of a file is encoded, told by its first bytes. */
import { FileError } from "../../core/errors.ts";

/** Encodings of tables, by the names that TextDecoder has for them. */
export const textEncodings = ["utf-8", "utf-16le", "utf-16be", "windows-1252"] as const;

/** An encoding of a table's text. */
export type TextEncoding = (typeof textEncodings)[number];

/** An encoding, and how many bytes of a byte order mark stand before the text. */
export interface FoundEncoding {
  readonly encoding: TextEncoding;
  readonly markLength: number;
}

const beginsWith = (bytes: Uint8Array, ...start: readonly number[]): boolean =>
  start.every((byte, i) => bytes[i] === byte);

/** What other files begin with that are taken for tables, and what to do with one. */
const others: readonly (readonly [start: readonly number[], what: string, mend: string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], "a ZIP archive or an Excel workbook", "unpack it, or save its sheet as CSV"],
  [[0xd0, 0xcf, 0x11, 0xe0], "an old Excel workbook", "save its sheet as CSV"],
  [[0x1f, 0x8b], "compressed by gzip", "unpack it: gunzip -k FILE"],
  [[0x25, 0x50, 0x44, 0x46], "a PDF document", "export its table as CSV"],
  [[0x50, 0x41, 0x52, 0x31], "a Parquet file", "name it .parquet"],
  [[0x53, 0x51, 0x4c, 0x69, 0x74, 0x65], "an SQLite database", "export its table as CSV"],
  [[0xff, 0xfe, 0, 0], "text in UTF-32", "save it in UTF-8"],
  [[0, 0, 0xfe, 0xff], "text in UTF-32", "save it in UTF-8"],
];

/** Whether bytes are UTF-8; of a beginning of a file the last character may be cut off. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** UTF-16 without a mark: of plain letters every other byte is zero. */
function utf16Of(bytes: Uint8Array): TextEncoding | undefined {
  const pairs = Math.min(bytes.length, 4096) >> 1;
  let [even, odd] = [0, 0];
  for (let i = 0; i < pairs; i++) {
    if (bytes[2 * i] === 0) even++;
    if (bytes[2 * i + 1] === 0) odd++;
  }
  if (odd > 0.4 * pairs && even < 0.05 * pairs) return "utf-16le";
  return even > 0.4 * pairs && odd < 0.05 * pairs ? "utf-16be" : undefined;
}

/**
 * The encoding of a file from its first bytes: the byte order mark, else UTF-16 where every other byte is zero, else UTF-8 where the
 * bytes are valid, else windows-1252, of which Latin-1 is a part. Throws FileError, saying what was `expected`, for what is no text.
 */
export function sniffEncoding(head: Uint8Array, path: string, expected = "a table as text"): FoundEncoding {
  for (const [start, what, mend] of others)
    if (beginsWith(head, ...start))
      throw new FileError(`${path}: is ${what}, expected ${expected}; ${mend.replace("FILE", path)}`);
  if (beginsWith(head, 0xef, 0xbb, 0xbf)) return { encoding: "utf-8", markLength: 3 };
  if (beginsWith(head, 0xff, 0xfe)) return { encoding: "utf-16le", markLength: 2 };
  if (beginsWith(head, 0xfe, 0xff)) return { encoding: "utf-16be", markLength: 2 };
  const wide = utf16Of(head);
  if (wide) return { encoding: wide, markLength: 0 };
  const zero = head.indexOf(0);
  if (zero >= 0)
    throw new FileError(
      `${path}: byte ${zero} is zero, which no text has; expected ${expected}, such as in UTF-8: export the file anew`,
    );
  return { encoding: isUtf8(head) ? "utf-8" : "windows-1252", markLength: 0 };
}

/** The encoding as people name it. */
export const encodingName: Readonly<Record<TextEncoding, string>> = {
  "utf-8": "UTF-8",
  "utf-16le": "UTF-16",
  "utf-16be": "UTF-16 (big-endian)",
  "windows-1252": "Latin-1 (windows-1252)",
};
