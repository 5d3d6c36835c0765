/** The tar reader on archives that the system's tar makes. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { memorySource } from "../core/byte-source.ts";
import { FileError } from "../core/errors.ts";
import { readTar, tarFiles } from "./tar.ts";
import { tarMembers } from "./tar-index.ts";
import { checkDamage, flipBit } from "./testing/damage.ts";

const long = `${"deep/".repeat(24)}speech-${"x".repeat(80)}.wav`;

/** An archive of three files and a folder; with a long name and a Chinese one where the format has them. */
function archiveOf(format: "ustar" | "pax" | "gnu"): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-tar-"));
  mkdirSync(join(folder, "deep/".repeat(24)), { recursive: true });
  mkdirSync(join(folder, "batches"));
  writeFileSync(join(folder, "batches/one.bin"), Uint8Array.of(1, 2, 3));
  writeFileSync(join(folder, "batches/empty"), "");
  writeFileSync(join(folder, "batches/two.bin"), new Uint8Array(1024).fill(7));
  writeFileSync(join(folder, long), "long");
  writeFileSync(join(folder, "语音.wav"), "wide");
  const names = [long, "batches/one.bin", "batches/empty", "batches/two.bin", "batches"];
  const own = format === "ustar" ? names : [...names, "语音.wav"];
  execFileSync("tar", [`--format=${format}`, "--no-recursion", "-cf", "a.tar", ...own], { cwd: folder });
  const bytes = new Uint8Array(readFileSync(join(folder, "a.tar")));
  rmSync(folder, { recursive: true });
  return bytes;
}

/** The archive in parts of so many bytes. */
async function* inParts(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collected(bytes: Uint8Array, size: number) {
  const files = new Map<string, Uint8Array>();
  for await (const { name, bytes: own } of tarFiles(inParts(bytes, size), "a.tar")) files.set(name, own);
  return files;
}

describe.each(["ustar", "pax", "gnu"] as const)("%s", (format) => {
  const archive = archiveOf(format);

  test("gives the files with their whole names, without the folders", async () => {
    const files = await readTar(archive, "a.tar");
    const names = [long, "batches/one.bin", "batches/empty", "batches/two.bin"];
    expect([...files.keys()]).toEqual(format === "ustar" ? names : [...names, "语音.wav"]);
    expect([...(files.get("batches/one.bin") ?? [])]).toEqual([1, 2, 3]);
    expect(files.get("batches/empty")?.length).toBe(0);
    expect(files.get("batches/two.bin")?.every((byte) => byte === 7)).toBe(true);
    expect(new TextDecoder().decode(files.get(long))).toBe("long");
  });

  test("has them where its headers say", async () => {
    const source = memorySource(archive);
    const found = [...tarMembers(source, "a.tar")].map(
      ({ name, offset, size }) => [name, new Uint8Array(source.read(offset, size))] as const,
    );
    expect(new Map(found)).toEqual(await readTar(archive, "a.tar"));
  });

  test.each([1, 100, 512, 100_000])("gives the same when it arrives in parts of %i bytes", async (size) => {
    expect(await collected(archive, size)).toEqual(await readTar(archive, "a.tar"));
  });
});

describe("damage", () => {
  const archive = archiveOf("ustar");
  // Behind the files there are zeros only, of which the first block ends the archive.
  const content = archive.subarray(0, archive.findLastIndex((byte) => byte !== 0) + 1);

  test("is refused with the name of the archive", async () => {
    await expect(readTar(flipBit(archive, 8 * 124), "a.tar")).rejects.toThrow(
      /^a.tar: cannot be read as a tar archive/,
    );
    await expect(readTar(archive.subarray(0, 514), "a.tar")).rejects.toThrow(/truncated/);
    for (const bytes of [new Uint8Array(0), new Uint8Array(600).fill(0x41)])
      await expect(readTar(bytes, "a.tar")).rejects.toThrow(FileError);
  });

  test("of every kind is refused, or does not show", () => checkDamage(content, (bytes) => readTar(bytes, "a.tar")));

  test("of its headers is refused, or does not show", () =>
    checkDamage(content, async (bytes) => [...tarMembers(memorySource(bytes), "a.tar")]));

  test("of an archive whose headers alone are read is refused with its name", () => {
    const members = (bytes: Uint8Array) => () => [...tarMembers(memorySource(bytes), "a.tar")];
    expect(members(flipBit(archive, 8 * 124))).toThrow(/^a.tar: cannot be read as a tar archive \(.*checksum/);
    expect(members(archive.subarray(0, 514))).toThrow(FileError);
    // Where the second member would begin.
    const [first] = [...tarMembers(memorySource(archive), "a.tar")];
    const boundary = (first?.offset ?? 0) + 512 * Math.ceil((first?.size ?? 0) / 512);
    expect(members(archive.subarray(0, boundary))).toThrow("it ends without the block of zeros that ends an archive");
    expect(members(new Uint8Array(0))).toThrow(/empty/);
    expect(members(new Uint8Array(600).fill(0x41))).toThrow(FileError);
  });

  test("is refused in an archive that arrives in parts", async () => {
    await expect(collected(archive.subarray(0, 514), 100)).rejects.toThrow(FileError);
    await expect(collected(archive.subarray(0, 1024), 100)).rejects.toThrow(/truncated/);
  });

  test("a reader that stops ends the source", async () => {
    let isEnded = false;
    async function* parts() {
      try {
        yield* inParts(archive, 100);
      } finally {
        isEnded = true;
      }
    }
    for await (const _ of tarFiles(parts(), "a.tar")) break;
    await vi.waitFor(() => expect(isEnded).toBe(true));
  });
});
