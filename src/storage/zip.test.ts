/** Zip archives: entries as they are and packed ones, large archives' records, and what is refused. */
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { memorySource } from "../core/byte-source.ts";
import { FileError } from "../core/errors.ts";
import { readZip } from "./zip.ts";

const text = (words: string) => new TextEncoder().encode(words);
const words = text("some words that are some words ".repeat(20));
const archive = zipSync({ "plain.txt": [words, { level: 0 }], "folder/packed.txt": words });

function contentOf(bytes: Uint8Array, name: string): string {
  const entry = readZip(memorySource(bytes)).get(name);
  if (!entry) throw new Error(`no ${name}`);
  const source = entry.open();
  return new TextDecoder().decode(source.read(0, source.size));
}

/** A copy of the archive with a field of the entry of a name changed: 16 bits at a place in the list of entries. */
function changed(name: string, place: number, value: number): Uint8Array {
  const bytes = archive.slice();
  const whole = String.fromCharCode(...bytes);
  const entry = whole.lastIndexOf("PK\u0001\u0002", whole.lastIndexOf(name));
  new DataView(bytes.buffer).setUint16(entry + place, value, true);
  return bytes;
}

test("entries are read whether they are packed or not", () => {
  expect([...readZip(memorySource(archive)).keys()]).toEqual(["plain.txt", "folder/packed.txt"]);
  for (const name of ["plain.txt", "folder/packed.txt"])
    expect(contentOf(archive, name)).toBe("some words that are some words ".repeat(20));
});

test("a comment may stand behind the list", () => {
  const bytes = new Uint8Array([...archive, ...text("a comment")]);
  new DataView(bytes.buffer).setUint16(archive.length - 2, 9, true);
  expect(contentOf(bytes, "plain.txt")).toHaveLength(words.length);
});

test("the record of a large archive says where its list is", () => {
  const end = archive.length - 22;
  const old = new DataView(archive.buffer, archive.byteOffset + end);
  const bytes = new Uint8Array(archive.length + 76);
  bytes.set(archive.subarray(0, end));
  const view = new DataView(bytes.buffer);
  view.setUint32(end, 0x06064b50, true);
  view.setBigUint64(end + 32, BigInt(old.getUint16(10, true)), true);
  view.setBigUint64(end + 40, BigInt(old.getUint32(12, true)), true);
  view.setBigUint64(end + 48, BigInt(old.getUint32(16, true)), true);
  view.setUint32(end + 56, 0x07064b50, true);
  view.setBigUint64(end + 64, BigInt(end), true);
  bytes.set(archive.subarray(end), end + 76);
  view.setUint16(end + 76 + 10, 0xffff, true);
  view.setUint32(end + 76 + 16, 0xffffffff, true);
  expect(contentOf(bytes, "folder/packed.txt")).toHaveLength(words.length);
});

describe("what is refused", () => {
  test.each<[string, () => unknown, string]>([
    [
      "what is cut off",
      () => readZip(memorySource(archive.subarray(0, archive.length - 30))),
      "zip: its list of entries is not there",
    ],
    ["nothing", () => readZip(memorySource(new Uint8Array())), "zip: its list of entries is not there"],
    ["an encrypted entry", () => contentOf(changed("plain.txt", 8, 1), "plain.txt"), 'zip: "plain.txt" is encrypted'],
    [
      "another way of packing",
      () => contentOf(changed("plain.txt", 10, 93), "plain.txt"),
      "is packed by method 93, expected deflate",
    ],
    [
      "a size that is not the entry's",
      () => contentOf(changed("folder/packed.txt", 24, 600), "folder/packed.txt"),
      'zip: "folder/packed.txt"',
    ],
    [
      "a size beyond what deflate makes",
      () => contentOf(changed("folder/packed.txt", 26, 0x3fff), "folder/packed.txt"),
      "would unpack",
    ],
    [
      "a place beyond the end",
      () => contentOf(changed("plain.txt", 44, 0x7fff), "plain.txt"),
      "zip: a structure lies at bytes",
    ],
  ])("%s", (_, read, message) => {
    expect(read).toThrow(FileError);
    expect(read).toThrow(message);
  });
});
