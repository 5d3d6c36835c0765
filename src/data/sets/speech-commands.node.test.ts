/** Folders of spoken words: parts, broken files, other rates, the archive's form. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { encodeWav } from "../sound/wav.ts";
import { loadSpokenWords, partOf, readClip, unpackTarGz } from "./speech-commands.node.ts";

const fixture = fileURLToPath(new URL("../../../test/fixtures/data/keywords", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sardonyx-words-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("reads the fixture: parts by the lists, words by their folders, clips of a second at 16 kHz", async () => {
  const { train, validation, test, words, skipped } = await loadSpokenWords({ dir: fixture });
  expect(words).toEqual(["left", "no", "stop", "yes"]);
  expect([train, validation, test].map(({ length }) => length)).toEqual([72, 8, 20]);
  expect(skipped).toEqual([]);
  expect(test.tensors.x.shape).toEqual([20, 16_000]);
  // Five voices say each word.
  expect(words.map((_, word) => test.tensors.y.data.filter((own) => own === word).length)).toEqual([5, 5, 5, 5]);
  const few = await loadSpokenWords({ dir: fixture, words: ["yes", "no"] });
  expect([few.words, few.train.length]).toEqual([["yes", "no"], 36]);
});

it("leaves broken files out, and names each", async () => {
  const dir = join(folder, "broken");
  cpSync(fixture, dir, { recursive: true });
  const [first = "", second = ""] = readdirSync(join(dir, "yes"));
  writeFileSync(join(dir, "yes", first), readFileSync(join(dir, "yes", first)).subarray(0, 1000));
  writeFileSync(join(dir, "yes", second), "no sound");
  mkdirSync(join(dir, "_background_noise_"));
  const { skipped, words, train, validation, test } = await loadSpokenWords({ dir });
  expect(words).toHaveLength(4);
  expect((train.length ?? 0) + (validation.length ?? 0) + (test.length ?? 0)).toBe(98);
  expect([...skipped].sort()).toEqual([expect.stringContaining(first), expect.stringContaining(second)].sort());
  expect(skipped.join()).toMatch(/it is cut off/);
});

it("refuses a word that is not there, a folder without words, parts without clips", async () => {
  await expect(loadSpokenWords({ dir: fixture, words: ["yes", "perhaps"] })).rejects.toThrow(
    /has no folder for the word perhaps; it has left, no, stop, yes/,
  );
  await expect(loadSpokenWords({ dir: join(folder, "nowhere") })).rejects.toThrow(/cannot list the folder/);
  const dir = join(folder, "few");
  for (const word of ["a", "b"]) {
    mkdirSync(join(dir, word), { recursive: true });
    writeFileSync(join(dir, word, "x.wav"), encodeWav({ rate: 8000, channels: [new Float32Array(100)] }));
  }
  await expect(loadSpokenWords({ dir })).rejects.toThrow(/no clip is left for/);
});

// By the function which_set of the archive's README, run in Python.
it.each([
  ["0a7c2a8d_nohash_0.wav", "train"],
  ["0a7c2a8d_nohash_1.wav", "train"],
  ["s1.wav", "validation"],
  ["w9_nohash_3.wav", "test"],
])("%s belongs to %s", (file, part) => {
  expect(partOf(file)).toBe(part);
});

it("another rate, two channels, another length: reported", async () => {
  const path = join(folder, "long.wav");
  const tone = Float32Array.from({ length: 44_100 * 2 }, (_, i) => (i > 60_000 ? Math.sin(i / 20) : 0));
  writeFileSync(path, encodeWav({ rate: 44_100, channels: [tone, tone] }));
  const { samples, changes } = await readClip(path);
  expect(samples).toHaveLength(16_000);
  expect(changes).toEqual(["mixed from 2 channels", "resampled from 44100 Hz", "the loudest second of 2.00"]);
});

it("unpacks an archive whole, or leaves nothing", async () => {
  const path = join(folder, "words.tar.gz");
  execFileSync("tar", ["--format=ustar", "-czf", path, "-C", fixture, "."]);
  const whole = join(folder, "whole");
  await unpackTarGz(path, whole);
  expect((await loadSpokenWords({ dir: whole })).train.length).toBe(72);
  const cut = join(folder, "cut.tar.gz");
  writeFileSync(cut, readFileSync(path).subarray(0, 20_000));
  await expect(unpackTarGz(cut, join(folder, "half"))).rejects.toThrow(
    /cut.tar.gz: cannot be read as a tar archive .* it is cut off/,
  );
  expect(existsSync(join(folder, "half"))).toBe(false);
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});
