/** Folders of sounds: classes, order, rates and lengths, broken files. */
import { mkdtempSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { DataError, FileError, OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { loadSoundFolder } from "./sound-folder.node.ts";
import { encodeWav } from "./wav.ts";

async function folderOf(files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-sounds-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

const level = (samples: number, value: number, rate = 8000) =>
  encodeWav({ rate, channels: [new Float32Array(samples).fill(value)] });

test("one class a subfolder, in alphabetical order; rates and lengths alike", async () => {
  const stereo = encodeWav({ rate: 8000, channels: [new Float32Array(8000).fill(0.5), new Float32Array(8000)] });
  const folder = await folderOf({
    "owl/b.WAV": level(16000, 0.5),
    "owl/a.wav": level(4000, 0.25),
    "crow/c.wav": level(16000, 0.125, 16000),
    "crow/d.wav": stereo,
    "crow/notes.txt": "not a sound",
    "crow/.hidden.wav": "not a sound",
    "readme.md": "",
  });
  const { all, classes, paths, skipped } = await loadSoundFolder(folder, { rate: 8000 });
  expect(classes).toEqual(["crow", "owl"]);
  expect(paths.map((path) => path.slice(folder.length + 1).replaceAll("\\", "/"))).toEqual([
    "crow/c.wav",
    "crow/d.wav",
    "owl/a.wav",
    "owl/b.WAV",
  ]);
  expect(skipped).toEqual([]);
  const samples = [];
  for await (const { x, y } of all.epoch(0)) {
    expect([x.dtype, x.shape, y.dtype, y.shape]).toEqual(["float32", [8000], "int32", []]);
    // The middle, and a place where half a second leaves silence.
    samples.push([y.item(), x.data[4000], x.data[1000]]);
  }
  // c is resampled, within the -60 dB of its filter; d is the mean of its channels.
  expect(samples[0]?.[1]).toBeCloseTo(0.125, 3);
  expect(samples.map(([label]) => label)).toEqual([0, 0, 1, 1]);
  expect(samples.slice(1)).toEqual([
    [0, 0.25, 0.25],
    [1, 0.25, 0],
    [1, 0.5, 0.5],
  ]);
  const batches = (await loadSoundFolder(folder, { rate: 8000, seconds: 0.25 })).all.shuffle(keyOf(1)).batch(4);
  for await (const { x } of batches.epoch(0)) expect(x.shape).toEqual([4, 2000]);
});

test("a broken file is named when its turn comes, or left out and listed", async () => {
  const folder = await folderOf({ "a/1.wav": level(10, 0.5), "a/2.wav": level(10, 0.5).slice(0, 50), "b/3.wav": "" });
  const read = async () => {
    for await (const _ of (await loadSoundFolder(folder)).all.epoch(0));
  };
  await expect(read()).rejects.toThrow(FileError);
  await expect(read()).rejects.toThrow(/a.2\.wav: its "data" needs 20 bytes, the file has 6 left; it is cut off/);
  const { paths, skipped, classes } = await loadSoundFolder(folder, { unreadable: "skip" });
  expect([paths.length, classes]).toEqual([1, ["a", "b"]]);
  expect(skipped).toEqual([
    expect.stringMatching(/a.2\.wav: its "data" needs/),
    expect.stringMatching(/b.3\.wav: does not begin as a WAV file/),
  ]);
});

test("folders without classes or sounds, and options that make no clip", async () => {
  const empty = await folderOf({ "1.wav": level(10, 0.5) });
  await expect(loadSoundFolder(empty)).rejects.toThrow(
    /has no subfolders, expected one for each class, holding its sounds/,
  );
  await expect(loadSoundFolder(join(empty, "none"))).rejects.toThrow(FileError);
  const texts = await folderOf({ "a/1.txt": "a" });
  await expect(loadSoundFolder(texts)).rejects.toThrow(DataError);
  await expect(loadSoundFolder(texts)).rejects.toThrow("hold no readable sound (0 unreadable); expected .wav");
  await expect(loadSoundFolder(empty, { rate: 10 })).rejects.toThrow(
    "loadSoundFolder: rate is 10; pass a whole number from 1000",
  );
  await expect(loadSoundFolder(empty, { seconds: 1e-9 })).rejects.toThrow(OptionError);
});
