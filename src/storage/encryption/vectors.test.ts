/** age files as age's authors test all programs by them (https://github.com/C2SP/CCTV/tree/main/age). */
import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import * as vectors from "cctv-age";
import { expect, test } from "vitest";
import { type ByteSource, memorySource } from "../../core/byte-source.ts";
import { FileError, KeyError } from "../../core/errors.ts";
import { ageFile } from "./age-file.node.ts";
import type { AgeHeader } from "./age-header.ts";
import { isByPassphrase, keyByIdentity, keyByPassphrase, parseIdentity } from "./age-keys.node.ts";

interface Vector {
  /** What a reader has to find. */
  readonly expect: string;
  readonly fields: ReadonlyMap<string, readonly string[]>;
  readonly file: Uint8Array;
}

/** Lines of names and values, an empty one, then the file. */
function parseVector(bytes: Uint8Array): Vector {
  const text = Buffer.from(bytes).toString("latin1");
  const end = text.indexOf("\n\n");
  const fields = new Map<string, string[]>();
  for (const line of text.slice(0, end).split("\n")) {
    const [name = "", value = ""] = line.split(": ");
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  const file = bytes.subarray(end + 2);
  return { expect: fields.get("expect")?.[0] ?? "", fields, file: fields.has("compressed") ? inflateSync(file) : file };
}

/** What reading a file to its end comes to. */
function outcomeOf({ fields, file }: Vector): string {
  const keyOf = (header: AgeHeader): Uint8Array => {
    const identities = (fields.get("identity") ?? []).flatMap((text) => parseIdentity(text) ?? []);
    const key = isByPassphrase(header)
      ? (fields.get("passphrase") ?? []).map((text) => keyByPassphrase(header, text, "vector")).find(Boolean)
      : keyByIdentity(header, identities, "vector");
    if (key) return key;
    throw new KeyError("no match");
  };
  let source: ByteSource;
  const given = memorySource(file);
  try {
    source = ageFile(given, "vector", keyOf);
    if (source === given) return "not taken for an age file";
    return `success ${createHash("sha256").update(source.read(0, source.size)).digest("hex")}`;
  } catch (error) {
    if (error instanceof KeyError) return "no match";
    if (error instanceof FileError) return error.message;
    throw error;
  }
}

/** What an error says of each kind of failure. */
const sayings: Readonly<Record<string, RegExp>> = {
  "no match": /^no match$/,
  "HMAC failure": /header of its encryption was altered/,
  "header failure": /header|armor|not taken for an age file|work|cut off|only way to open|not known/,
  "payload failure": /altered|cut off|behind its end|empty part/,
  "armor failure": /armor|header|cut off: it does not end|not taken for an age file/,
};

// Identities and recipients of later versions of age are not read here.
const read = Object.entries(vectors).filter(
  ([, bytes]) => !/^identity: AGE-SECRET-KEY-PQ/m.test(Buffer.from(bytes).toString("latin1")),
);

test.for(read)("%s", ([, bytes]) => {
  const vector = parseVector(bytes);
  const outcome = outcomeOf(vector);
  if (vector.expect === "success") expect(outcome).toBe(`success ${vector.fields.get("payload")?.[0]}`);
  else expect(outcome).toMatch(sayings[vector.expect] as RegExp);
});

test("all vectors but those of other types of keys are tried", () => {
  expect(read.length).toBeGreaterThan(100);
});
