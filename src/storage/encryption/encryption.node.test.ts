/** Files that age encrypts open here and ours there; what does not open says why. Recorded by scripts/record-age-fixtures.mjs with Debian's age. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decrypter } from "age-encryption";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KeyError } from "../../core/errors.ts";
import { readBytes, writeFileAtomic } from "../atomic.node.ts";
import { openFile } from "../file-source.node.ts";
import { readSafetensorsHeader } from "../safetensors.ts";
import { writeSafetensors } from "../safetensors-writer.node.ts";
import { encryptFolder } from "./encrypted-folder.node.ts";
import { encryptTo, recipientsAt, recipientsFile } from "./recipients.node.ts";
import { sealed } from "./sealer.node.ts";

const fixtures = join(process.cwd(), "test/fixtures/age");
const fixture = (name: string) => join(fixtures, name);
const passphrase = "correct horse battery staple";
/** What the script encrypts. */
const plain = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 255);
const folder = mkdtempSync(join(tmpdir(), "sardonyx-age-"));
const [recipient = "", other = ""] = readFileSync(fixture("recipients.txt"), "utf8").match(/^age1.*$/gm) ?? [];

beforeEach(() => {
  process.env["SARDONYX_IDENTITY"] = fixture("identity.txt");
});
afterEach(() => {
  delete process.env["SARDONYX_IDENTITY"];
  delete process.env["SARDONYX_PASSPHRASE"];
});

test.for([
  ["empty.age", 0],
  ["short.age", 100],
  ["armored.age", 100],
  ["chunk.age", 65536],
  ["chunks.age", 150_000],
] as const)("%s of Debian's age opens", async ([name, size]) => {
  expect(await readBytes(fixture(name), "test")).toEqual(plain(size));
});

test("parts of a file are read across its chunks", () => {
  const file = openFile(fixture("chunks.age"));
  const whole = plain(150_000);
  expect(file.size).toBe(whole.length);
  for (const [offset, length] of [
    [65530, 12],
    [0, 1],
    [131_071, 2],
    [149_999, 1],
    [150_000, 0],
    [100, 140_000],
  ] as const)
    expect(file.read(offset, length)).toEqual(whole.subarray(offset, offset + length));
  expect(() => file.read(149_999, 2)).toThrow("lies at bytes 149999 to 150001, the file has 150000");
  file.close();
});

test("a passphrase opens what age -p encrypts, and an identity that is encrypted by it", async () => {
  process.env["SARDONYX_PASSPHRASE"] = passphrase;
  expect(await readBytes(fixture("passphrase.age"), "test")).toEqual(plain(100));
  process.env["SARDONYX_IDENTITY"] = fixture("identity-by-passphrase.age");
  expect(await readBytes(fixture("short.age"), "test")).toEqual(plain(100));
});

test("what is not opened for want of its key says so, and what to do", async () => {
  const opening = (name: string) => readBytes(fixture(name), "test");
  delete process.env["SARDONYX_IDENTITY"];
  await expect(opening("short.age")).rejects.toThrow(
    "short.age is encrypted to 1 recipient of X25519, and no identity is given; pass the file of the one that opens it: --identity FILE, or SARDONYX_IDENTITY",
  );
  process.env["SARDONYX_IDENTITY"] = fixture("other.txt");
  await expect(opening("short.age")).rejects.toThrow(/and the identity in \S+other.txt is not its; pass the right one/);
  await expect(opening("short.age")).rejects.toThrow(KeyError);
  process.env["SARDONYX_PASSPHRASE"] = "correct horse";
  await expect(opening("passphrase.age")).rejects.toThrow(/the passphrase is not that of \S+passphrase.age; try again/);
});

test("an identity that is missing or none is told, without what is in its file", async () => {
  const opening = (identity: string) => {
    process.env["SARDONYX_IDENTITY"] = identity;
    return readBytes(fixture("short.age"), "test");
  };
  await expect(opening(join(folder, "none.txt"))).rejects.toThrow(
    /the identity \S+none.txt cannot be read: it is not there; pass the path/,
  );
  await expect(opening(fixture("recipients.txt"))).rejects.toThrow(
    "line 2 is a recipient, which only encrypts; expected AGE-SECRET-KEY-1…",
  );
  const broken = join(folder, "broken.txt");
  const secret = readFileSync(fixture("identity.txt"), "utf8").match(/AGE-SECRET-KEY-1.*/)?.[0] ?? "";
  writeFileSync(broken, `${secret.slice(0, -1)}Q\n`);
  const error = await opening(broken).catch((caught: Error) => caught);
  expect(error).toMatchObject({ message: expect.stringContaining("line 1 is no identity of X25519") });
  expect(String((error as Error).stack)).not.toContain(secret.slice(20, 40));
});

test("meddling, damage and a copy that is cut off are told apart", async () => {
  const bytes = new Uint8Array(readFileSync(fixture("chunks.age")));
  const header = new TextDecoder().decode(bytes.subarray(0, 400)).indexOf("\n--- ") + 49;
  const reading = (change: (copy: Uint8Array) => Uint8Array) => {
    const path = join(folder, "changed.age");
    writeFileSync(path, change(bytes.slice()));
    return readBytes(path, "test");
  };
  const flip = (at: number) => (copy: Uint8Array) => {
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const start = header + 16;
  const chunk = 65536 + 16;
  await expect(reading((copy) => copy)).resolves.toEqual(plain(150_000));
  await expect(reading(flip(start + chunk + 5))).rejects.toThrow(
    "the part from byte 65536 on was altered after it was encrypted; nothing of it is used",
  );
  await expect(reading(flip(bytes.length - 1))).rejects.toThrow(
    "from byte 131072 on was altered after it was encrypted, or the file is cut off there",
  );
  await expect(reading((copy) => copy.subarray(0, start + 2 * chunk))).rejects.toThrow(
    "is cut off after 131072 bytes of what it holds",
  );
  await expect(reading((copy) => copy.subarray(0, 100))).rejects.toThrow("is cut off in the header of its encryption");
  await expect(reading((copy) => copy.subarray(0, start + 3))).rejects.toThrow("is cut off after 0 bytes");
  await expect(
    reading((copy) => Buffer.concat([copy.subarray(0, 20), Buffer.from("2"), copy.subarray(21)])),
  ).rejects.toThrow('is encrypted as "age-encryption.org/v2", which is not known');
  // A recipient that was added by who does not know the key.
  const grease = Buffer.from("-> x-grease a\n\n");
  await expect(reading((copy) => Buffer.concat([copy.subarray(0, 22), grease, copy.subarray(22)]))).rejects.toThrow(
    "the header of its encryption was altered after it was written",
  );
  const long = join(folder, "long.age");
  writeFileSync(long, Buffer.concat([readFileSync(fixture("chunk.age")), new Uint8Array(7)]));
  await expect(readBytes(long, "test")).rejects.toThrow(/altered|behind its end/);
});

test.for([0, 1, 65535, 65536, 65537, 200_000])(
  "%d bytes of ours open in age-encryption, and in Debian's age",
  async (size) => {
    const content = plain(size);
    const file = (await sealed([recipient, other], content)) as Uint8Array;
    for (const name of ["identity.txt", "other.txt"]) {
      const decrypter = new Decrypter();
      decrypter.addIdentity(readFileSync(fixture(name), "utf8").match(/AGE-SECRET-KEY-1\w+/)?.[0] ?? "");
      expect(Buffer.from(await decrypter.decrypt(file)).equals(content)).toBe(true);
    }
    if (spawnSync("age", ["--version"]).status !== 0) return;
    expect(execFileSync("age", ["-d", "-i", fixture("identity.txt")], { input: file }).equals(content)).toBe(true);
  },
);

test("a folder's files are encrypted to its recipients, and to nobody else", async () => {
  const run = join(folder, "run");
  mkdirSync(join(run, "tensorboard"), { recursive: true });
  expect(recipientsAt(join(run, "a"))).toEqual([]);
  await encryptFolder(run, encryptTo(recipient), ["tensorboard"]);
  const path = join(run, "tensorboard", "events");
  await writeFileAtomic(path, "in the clear");
  expect(readFileSync(path, "latin1")).toMatch(/^age-encryption.org\/v1\n-> X25519 /);
  expect(readFileSync(path, "latin1")).not.toContain("clear");
  expect(new TextDecoder().decode(await readBytes(path, "test"))).toBe("in the clear");
  const weights = { w: { dtype: "F32" as const, shape: [20_000] } };
  const entries = Object.entries(weights).map(([name, entry]) => ({ name, type: entry.dtype, shape: entry.shape }));
  await writeSafetensors(join(run, "w.safetensors"), entries, () => plain(80_000));
  const file = openFile(join(run, "w.safetensors"));
  const [entry] = readSafetensorsHeader(file).entries;
  expect(entry).toMatchObject({ name: "w", shape: [20_000] });
  file.close();
  await encryptFolder(run, encryptTo(recipient));
  await expect(encryptFolder(run, encryptTo(other))).rejects.toThrow(
    /run is encrypted to age1\w+, which was decided when it was made/,
  );
  writeFileSync(join(run, recipientsFile), "age1wrong\n");
  await expect(writeFileAtomic(path, "in the clear")).rejects.toThrow("line 1 is no recipient of X25519");
});

test("a folder encrypted by a passphrase has an identity of its own", async () => {
  process.env["SARDONYX_PASSPHRASE"] = passphrase;
  delete process.env["SARDONYX_IDENTITY"];
  const run = join(folder, "by-passphrase");
  await encryptFolder(run, encryptTo("passphrase"));
  await writeFileAtomic(join(run, "a"), "in the clear");
  expect(new TextDecoder().decode(await readBytes(join(run, "a"), "test"))).toBe("in the clear");
  delete process.env["SARDONYX_PASSPHRASE"];
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  const identity = await decrypter.decrypt(new Uint8Array(readFileSync(join(run, "identity.age"))), "text");
  expect(identity).toMatch(/^AGE-SECRET-KEY-1/m);
});

test("to whom is told where it is nobody", () => {
  expect(encryptTo(`${recipient},${fixture("recipients.txt")}`).recipients).toEqual([recipient, other]);
  const secret = readFileSync(fixture("identity.txt"), "utf8").match(/AGE-SECRET-KEY-1\w+/)?.[0] ?? "";
  expect(() => encryptTo(secret)).toThrow("an identity is secret, and opens files; encrypt to its recipient");
  expect(() => encryptTo(`${recipient.slice(0, -1)}q`)).toThrow(
    "is no recipient of X25519: a character is wrong or missing",
  );
  expect(() => encryptTo("nobody")).toThrow('cannot encrypt to "nobody": it is no recipient and no file');
  expect(() => encryptTo(fixture("identity.txt"))).toThrow("line 3 is an identity, which is secret; expected age1…");
});
